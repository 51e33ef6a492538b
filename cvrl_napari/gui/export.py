"""The way out of the program: a mask or labels as a file of a format that keeps their place, and names where it can. No Qt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from cvrl_napari import __version__
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write


class Format(NamedTuple):
    """A format to save in: how it is called, the endings of its files (the first is added to a name without one)."""

    name: str
    suffixes: tuple[str, ...]
    kind: Literal["volume", "seg", "rtstruct"] = "volume"

    @property
    def pattern(self) -> str:
        """What a file dialog shows and filters by."""
        return f"{self.name} ({' '.join(f'*{suffix}' for suffix in self.suffixes)})"


FORMATS = (
    Format("NIfTI", (".nii.gz", ".nii")),
    Format("NRRD with names and colors, for 3D Slicer", (".nrrd",)),
    Format("MetaImage", (".mha",)),
)
DICOM_FORMATS = (
    Format("DICOM segmentation, SEG", (".seg.dcm", ".dcm"), "seg"),
    Format("DICOM contours, RTSTRUCT", (".rtstruct.dcm", ".dcm"), "rtstruct"),
)


def formats_for(scan: Volume) -> tuple[Format, ...]:
    """Return the formats a mask of this scan can be saved in; those of DICOM refer to the images of a series."""
    from_dicom = scan.source is not None and scan.source.format == "dicom"
    return FORMATS + DICOM_FORMATS if from_dicom else FORMATS


def resolve(path: Path, chosen: Format, formats: Sequence[Format]) -> tuple[Path, Format]:
    """Return the path with an ending, and the format it is saved in: a known ending decides, else the chosen format."""
    name = path.name.lower()
    if any(name.endswith(suffix) for suffix in chosen.suffixes):
        return path, chosen
    for other in formats:
        if any(name.endswith(suffix) for suffix in other.suffixes):
            return path, other
    return path.with_name(path.name + chosen.suffixes[0]), chosen


def export(
    scan: Volume,
    labels: np.ndarray,
    path: Path,
    classes: Sequence[StructureClass] = (),
    *,
    kind: Literal["volume", "seg", "rtstruct"] = "volume",
    predicted: bool = False,
    part: int = 0,
) -> None:
    """Write labels or a mask in the geometry of the scan, names and colors with them; painted background becomes 0.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0, class ids, 255 for painted background.
    kind
        'seg' and 'rtstruct' refer to the DICOM series that the scan was read from.
    predicted
        Whether a network drew it; the DICOM formats say so.
    part
        Which volume of the series the scan is, for the DICOM formats, where it holds several.

    Raises
    ------
    VolumeError
        If the format is not known, it has no place for this mask, or the file cannot be written.
    """
    volume = scan.with_array(np.where(labels == BACKGROUND, 0, labels).astype(np.uint8))
    segments = [Segment(one.id, one.name, one.color) for one in classes]
    if kind == "volume":
        write(path, volume, segments)
        return
    assert scan.source is not None
    drawn = set(np.flatnonzero(np.bincount(volume.array.ravel(), minlength=256)))
    segments = [segment for segment in segments if segment.value in drawn]
    if not segments:
        raise VolumeError(f"Cannot write {path}: nothing is drawn, and a DICOM segmentation needs a structure.")
    algorithm = f"cvrl_napari {__version__}" if predicted else ""
    if kind == "seg":
        from cvrl_napari.volumes.dicom_seg import write_seg

        write_seg(path, volume, scan.source.path, segments, algorithm=algorithm, part=part)
    else:
        from cvrl_napari.volumes.rtstruct import write_rtstruct

        write_rtstruct(path, volume, scan.source.path, segments, algorithm=algorithm, part=part)
