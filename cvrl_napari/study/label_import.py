"""Labels made elsewhere: what a file holds, what its values mean here, one file a structure or one for all."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import BACKGROUND, Labels, count_values
from cvrl_napari.volumes.naming import scan_name
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.regridding import nearest_on_grid
from cvrl_napari.volumes.segment_fields import read_segments
from cvrl_napari.volumes.structures import read_structures
from cvrl_napari.volumes.volume import Volume

LARGEST_COUNT = 254
"""Different values that a label file may hold: a scan of grey values is no label file."""
SUSPICIOUS_COUNT = 20
"""From so many different values on it is looked at whether they form areas, as structures do, or noise, as grey values do."""


@dataclass(frozen=True)
class LabelFile:
    """One label file.

    Attributes
    ----------
    path : Path
    counts : dict of int to int
        Voxels of each value but 0, on the file's own grid.
    names : dict of int to str
        What the file calls its values; empty for formats that keep no names.
    on_grid : bool
        Whether its voxels are those of the scan.
    grid : str
        Voxels and voxel size in words, z first.
    volume : Volume
        Its labels.
    is_like_a_scan : bool
        Whether there are many values and most voxels differ from the next one: grey values, most likely.
    """

    path: Path
    counts: dict[int, int]
    names: dict[int, str]
    on_grid: bool
    grid: str
    volume: Volume
    is_like_a_scan: bool = False


@dataclass(frozen=True)
class LabelSurvey:
    """What some label files hold for one scan, and the scan's own grid in words."""

    files: tuple[LabelFile, ...]
    scan_grid: str

    @property
    def on_grid(self) -> bool:
        """Whether all files have the voxels of the scan."""
        return all(file.on_grid for file in self.files)

    @property
    def like_scans(self) -> tuple[LabelFile, ...]:
        """The files that look like a scan rather than labels."""
        return tuple(file for file in self.files if file.is_like_a_scan)


class Merged(NamedTuple):
    """Labels (z, y, x) on the scan's grid, and how many voxels an earlier file had given to another class."""

    labels: Labels
    overlaps: int


def survey(files: Sequence[Path], scan: Volume) -> LabelSurvey:
    """Look through label files that were made for a scan: any format of a scan, DICOM SEG, RTSTRUCT.

    Raises
    ------
    StudyError
        If a file holds numbers that are no labels.
    VolumeError
        If a file cannot be read, or contours or segments are of another scan.
    """
    return LabelSurvey(tuple(_look(Path(file), scan) for file in files), describe_grid(scan))


def merge(surveyed: LabelSurvey, mapping: Mapping[tuple[int, int], int], scan: Volume, *, resample: bool = False) -> Merged:
    """Make one label array of the surveyed files; where two overlap the later one holds.

    Parameters
    ----------
    mapping : dict
        (number of the file, value in it) -> class id, 255 for painted background, 0 to leave it out, as all that are
        not named are.
    resample : bool
        Bring files of another grid to the scan's, each voxel taking the value of the nearest one; 0 outside the file.

    Raises
    ------
    StudyError
        If a file lies on another grid and is not to be resampled, or a class id is none.
    """
    if any(not 0 <= target <= BACKGROUND for target in mapping.values()):
        raise StudyError("Label values are mapped to class numbers from 1, to 255 for background or to 0 to leave them out.")
    labels = np.zeros(scan.array.shape, np.uint8)
    overlaps = 0
    for number, file in enumerate(surveyed.files):
        if not file.on_grid and not resample:
            raise StudyError(
                f"{file.path} has {file.grid}, but the scan has {surveyed.scan_grid}: let it be resampled to the scan,"
                " or give labels drawn on it."
            )
        values = file.volume.array if file.on_grid else nearest_on_grid(file.volume, scan)
        for value in file.counts:
            target = mapping.get((number, value), 0)
            if target:
                where = values == value
                before = labels[where]
                overlaps += int(np.count_nonzero((before != 0) & (before != target)))
                labels[where] = target
    return Merged(labels, overlaps)


def suggest_class(
    path: Path, value: int, values: Sequence[int], names: Mapping[int, str], classes: Sequence[StructureClass], *, alone: bool
) -> int:
    """Suggest the class of a value, 255 for painted background, or 0 when nothing speaks for one.

    Parameters
    ----------
    path, values, names
        The file; its values other than 0; what it calls them, where it does.
    alone
        Whether it is the only file: several files are taken to hold a structure each, named after it.
    """
    ids = {_plain(one.name): one.id for one in classes}
    if value in names:
        return ids.get(_plain(names[value]), 0)
    if len(values) == 1:
        in_name = [class_id for name, class_id in ids.items() if name in _plain(scan_name(path))]
        if len(in_name) == 1:
            return in_name[0]
        if len(classes) == 1 and alone:
            return classes[0].id
    if not alone:
        return 0
    if value == BACKGROUND and len(values) > 1:
        return BACKGROUND  # as in the label files of this program
    return value if value in ids.values() else 0


def describe_grid(volume: Volume) -> str:
    """Say in words what grid a volume has: '88 x 140 x 190 voxels of 0.62 x 0.62 x 0.62 mm'."""
    return (
        f"{' x '.join(map(str, volume.array.shape))} voxels of {' x '.join(f'{mm:.3g}' for mm in volume.spacing)} mm"
        f" from {', '.join(f'{mm:.1f}' for mm in volume.origin)}"
    )


def is_noisy(array: np.ndarray) -> bool:
    """Say whether most voxels other than 0 differ from the next one along x, as grey values do and structures do not."""
    inside = array[..., 1:] != 0
    differs = array[..., 1:] != array[..., :-1]
    return bool(np.count_nonzero(differs & inside) > 0.5 * np.count_nonzero(inside))


def _look(path: Path, scan: Volume) -> LabelFile:
    structures = read_structures(path, scan)
    if structures is not None:
        volume, segments = structures
    else:
        volume, segments = read(path), read_segments(path)
    counts = {value: count for value, count in count_values(volume.array, str(path)).items() if value}
    if len(counts) > LARGEST_COUNT:
        raise StudyError(f"{path} has {len(counts)} different values and looks like a scan, not labels: choose a label file.")
    return LabelFile(
        path=path,
        counts=counts,
        names={segment.value: segment.name for segment in segments},
        is_like_a_scan=not segments and len(counts) >= SUSPICIOUS_COUNT and is_noisy(volume.array),
        on_grid=volume.same_grid(scan, tolerance_mm=0.01 * min(scan.spacing)),
        grid=describe_grid(volume),
        volume=volume,
    )


def _plain(name: str) -> str:
    """'Left_Atrium' and 'left atrium' are one name."""
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()
