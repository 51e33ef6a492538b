"""Which slices of a folder belong together: the headers of DICOM files, through pydicom."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.uid import (
    RTStructureSetStorage,
    SegmentationStorage,
    UncompressedTransferSyntaxes,
)

from cvrl_napari.volumes.errors import VolumeError

Vector = npt.NDArray[np.float64]

_TAGS = [
    "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "Rows", "Columns", "NumberOfFrames", "BitsAllocated",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "SpacingBetweenSlices",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip
_NOT_SCANS: dict[str, str] = {
    SegmentationStorage: "a DICOM segmentation (SEG), not a scan: convert it to NIfTI or NRRD",
    RTStructureSetStorage: "a set of contours (RTSTRUCT), not a scan: convert it to a NIfTI or NRRD mask",
}
_BAD_HEADER = (AttributeError, KeyError, IndexError, ValueError, TypeError, NotImplementedError, EOFError, BytesLengthException)


@dataclass(frozen=True, eq=False)
class Slice:
    """One frame of one file. Vectors are DICOM's: mm, towards Left, Posterior, Superior.

    Parameters
    ----------
    file, frame
        Where its pixels are.
    instance
        The file's own identifier, the same for a copy under another name.
    series
        Identifier of its series.
    size
        Rows and columns.
    position : array of shape (3,)
        Centre of the first pixel.
    column_step, row_step : array of shape (3,)
        From a pixel to the next one in its row, and to the same one in the next row.
    thickness
        Distance to the next slice as far as the header knows it, mm.
    file_bytes
        Bytes that the pixels of the whole file take when not compressed.
    is_compressed
        Whether the file holds fewer than that.
    """

    file: Path
    frame: int
    instance: str
    series: str
    size: tuple[int, int]
    position: Vector
    column_step: Vector
    row_step: Vector
    thickness: float | None
    file_bytes: int
    is_compressed: bool

    @property
    def normal(self) -> Vector:
        """Unit vector across the slice."""
        normal: Vector = np.cross(self.column_step, self.row_step)
        return normal / np.linalg.norm(normal)

    def fits(self, other: "Slice") -> bool:
        """Say whether both are of one series, one size and parallel; a series may bring its scouts along."""
        return (
            (self.series, self.size) == (other.series, other.size)
            and np.allclose(self.column_step, other.column_step, atol=1e-3)
            and np.allclose(self.row_step, other.row_step, atol=1e-3)
        )


def is_dicom(path: Path) -> bool:
    """Say whether a file carries the mark of DICOM, whatever its name is."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def read_slices(path: Path) -> list[Slice]:
    """Read the header of one DICOM file.

    Raises
    ------
    VolumeError
        If it is no DICOM file or no scan made of slices with a place in space.
    """
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
        kind = str(header.get("SOPClassUID", ""))
    except (InvalidDicomError, *_BAD_HEADER) as error:
        raise VolumeError(f"{path} is cut off, damaged or no DICOM file: copy or export it again.") from error
    reason = _NOT_SCANS.get(kind)
    if reason:
        raise VolumeError(f"{path} is {reason}.")
    try:
        return [_slice(path, header, frame) for frame in range(int(header.get("NumberOfFrames") or 1))]
    except _BAD_HEADER as error:
        raise VolumeError(
            f"{path} is a DICOM file without slices that have a place in space: choose a CT, MR or PET series."
        ) from error


def _slice(path: Path, header: pydicom.Dataset, frame: int) -> Slice:
    rows, columns = int(header.Rows), int(header.Columns)
    orientation = np.array(_attribute(header, frame, "PlaneOrientationSequence", "ImageOrientationPatient"), dtype=float)
    row_spacing, column_spacing = (float(mm) for mm in _attribute(header, frame, "PixelMeasuresSequence", "PixelSpacing"))
    if not np.cross(orientation[:3] * column_spacing, orientation[3:] * row_spacing).any():
        raise ValueError("the orientation or the spacing is zero")
    measured = (
        _attribute(header, frame, "PixelMeasuresSequence", name, None) for name in ("SpacingBetweenSlices", "SliceThickness")
    )
    thickness = next((abs(float(mm)) for mm in measured if mm), None)
    return Slice(
        file=path,
        frame=frame,
        instance=str(header.get("SOPInstanceUID", path)),
        series=str(header.SeriesInstanceUID),
        size=(rows, columns),
        position=np.array(_attribute(header, frame, "PlanePositionSequence", "ImagePositionPatient"), dtype=float).reshape(3),
        column_step=orientation[:3] * column_spacing,
        row_step=orientation[3:].reshape(3) * row_spacing,
        thickness=thickness,
        file_bytes=rows * columns * int(header.get("NumberOfFrames") or 1) * int(header.BitsAllocated) // 8,
        is_compressed=header.file_meta.TransferSyntaxUID not in UncompressedTransferSyntaxes,
    )


def _attribute(header: pydicom.Dataset, frame: int, sequence: str, name: str, *default: Any) -> Any:
    """Return what holds for one frame: its own value, the one all frames share, or the plain file's."""
    groups = [*header.get("PerFrameFunctionalGroupsSequence", [])[frame : frame + 1]]
    groups += header.get("SharedFunctionalGroupsSequence", [])
    for group in groups:
        if sequence in group and name in group[sequence][0]:
            return group[sequence][0][name].value
    return header.get(name, *default) if default else header[name].value


def group_slices(files: Iterable[Path]) -> list[list[Slice]]:
    """Sort DICOM files into stacks of slices that belong together; whatever is no scan is left out.

    Returns
    -------
    list of lists
        In the order of their first files; copies of a file are dropped.
    """
    stacks: list[list[Slice]] = []
    seen: set[tuple[str, int, bytes]] = set()
    for path in files:
        try:
            slices = read_slices(path)
        except VolumeError:
            continue  # contours, reports, a DICOMDIR: they lie beside scans in every export
        for one in slices:
            # The position too: careless anonymization gives all slices of a series the same identifier.
            key = (one.instance, one.frame, one.position.tobytes())
            if key in seen:
                continue
            seen.add(key)
            stack = next((stack for stack in stacks if stack[0].fits(one)), None)
            if stack is None:
                stacks.append([one])
            else:
                stack.append(one)
    return stacks


def dicom_files(folder: Path) -> list[Path]:
    """Return the DICOM files of a folder, sorted by name; hidden ones are left out."""
    return [path for path in sorted(folder.iterdir()) if path.name[0] != "." and path.is_file() and is_dicom(path)]
