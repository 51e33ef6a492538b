"""Label arrays: their values, what is learned from them, and how label files are read."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.study.case import State
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.volume import Volume

Labels = NDArray[np.uint8]

BACKGROUND = 255
"""At rest: background that somebody painted. `0` is not painted, `1..K` are the classes."""
IGNORE = 255
"""In training targets: not known, takes no part in the supervised loss. `0` is background, `1..K` are the classes."""

_COUNTED_AT_ONCE = 1 << 18


def training_target(labels: Labels, state: State) -> Labels:
    """Turn labels at rest into what the supervised loss sees.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 not painted, 1..K classes, 255 painted background.
    state : str
        'complete' and 'accepted': not painted means background. Otherwise not painted means not known.

    Returns
    -------
    uint8 array of the same shape
        0 background, 1..K classes, 255 (`IGNORE`) not known.
    """
    target = labels.copy()
    if state not in ("complete", "accepted"):
        target[labels == 0] = IGNORE
    target[labels == BACKGROUND] = 0
    return target


def check_values(labels: NDArray[np.generic], count: int, where: str) -> Labels:
    """Return the labels as uint8 if every value is 0, a class (1..count) or 255.

    Raises
    ------
    StudyError
        If a value is no whole number or no class of the study; the sentence names it and `where` it was found.
    """
    found = values(labels, where)
    unknown = [value for value in found if value != BACKGROUND and not 0 <= value <= count]
    if unknown:
        raise StudyError(
            f"{where} holds the value {unknown[0]}, but the classes of the study are numbered 1 to {count}: "
            "declare a class for it, or take it out of the labels."
        )
    return np.ascontiguousarray(labels, dtype=np.uint8)


def values(labels: NDArray[np.generic], where: str) -> list[int]:
    """Return the sorted distinct values of a label array.

    Raises
    ------
    StudyError
        If there is a value that is no whole number.
    """
    return list(count_values(labels, where))


def count_values(labels: NDArray[np.generic], where: str) -> dict[int, int]:
    """Return how many voxels have each value that occurs, by value.

    Raises
    ------
    StudyError
        If there is a value that is no whole number.
    """
    if labels.dtype == np.uint8:  # counting is ten times faster than sorting
        counts = _count_bytes(labels.astype(np.uint8, copy=False).reshape(-1))
        return {int(value): int(counts[value]) for value in np.flatnonzero(counts)}
    found, times = np.unique(labels, return_counts=True)
    if not np.array_equal(found, np.round(found.astype(np.float64))):
        raise StudyError(
            f"{where} holds values that are no whole numbers, such as {found[found != np.round(found)][0]:g}: "
            "give a label file."
        )
    return {int(value): int(count) for value, count in zip(found, times, strict=True)}


def _count_bytes(flat: Labels) -> NDArray[np.int64]:
    """Return how often each of the 256 values occurs; in parts, since `bincount` takes 8 bytes a voxel, without the many 0."""
    counts = np.zeros(256, np.int64)
    for start in range(0, flat.size, _COUNTED_AT_ONCE):
        part = flat[start : start + _COUNTED_AT_ONCE]
        painted = part[part != 0]
        counts += np.bincount(painted, minlength=256)
        counts[0] += part.size - painted.size
    return counts


def read_label_file(path: Path, scan: Volume) -> NDArray[np.generic]:
    """Read a label file that was made for a scan.

    Returns
    -------
    array of shape (z, y, x)
        On the scan's canonical grid, in the file's own number type.

    Raises
    ------
    StudyError
        If the labels lie on another grid than the scan.
    VolumeError
        If the file cannot be read.
    """
    labels = read(path)
    if labels.array.shape != scan.array.shape:
        raise StudyError(
            f"{path} has {_times(labels.array.shape)} voxels but its scan has {_times(scan.array.shape)}: "
            "give labels drawn on this scan, or resample them to it."
        )
    if not labels.same_grid(scan, tolerance_mm=0.01 * min(scan.spacing)):
        raise StudyError(
            f"{path} lies elsewhere in space than its scan "
            f"(affine {_numbers(labels.affine)} instead of {_numbers(scan.affine)}): "
            "give labels drawn on this scan, or resample them to it."
        )
    return labels.array


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(size) for size in shape)


def _numbers(affine: NDArray[np.float64]) -> str:
    return np.array2string(affine[:3], precision=3, suppress_small=True).replace("\n", "")
