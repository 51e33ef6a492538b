"""What a label value stands for, as files of masks keep it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

UNNAMED_COLOR = "#b0b0b0"
"""Of structures whose file gives them none."""


class Segment(NamedTuple):
    """A structure in a mask: the value of its voxels (1 to 254), its name, its color as '#rrggbb'."""

    value: int
    name: str
    color: str


def describe(values: Iterable[int], segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return the segments by value, and one called 'label 7' for every value (0 apart) that has none."""
    known = {segment.value: segment for segment in segments}
    return tuple(
        known.get(value) or Segment(value, f"label {value}", UNNAMED_COLOR) for value in sorted({*values, *known} - {0})
    )


def values_in(labels: npt.NDArray[np.generic]) -> list[int]:
    """Return the sorted values of a label array, 0 among them, without taking memory for a copy of it."""
    found: set[int] = set()
    for layer in labels:
        if layer.dtype == np.uint8:  # counting is ten times faster than sorting
            found.update(np.flatnonzero(np.bincount(layer.ravel())).tolist())
        else:
            found.update(np.unique(layer).tolist())
    return sorted(found)


def renumber(labels: npt.NDArray[np.integer], segments: Sequence[Segment]) -> npt.NDArray[np.uint8]:
    """Return labels as 1, 2, 3 ... in the order of the segments (254 at most), which name all values there are."""
    highest = max(segment.value for segment in segments)
    if labels.dtype == np.uint8:
        table = np.zeros(max(highest, 255) + 1, np.uint8)
        table[[segment.value for segment in segments]] = np.arange(1, len(segments) + 1)
        numbers: npt.NDArray[np.uint8] = table[labels]
        return numbers
    numbers = np.zeros(labels.shape, np.uint8)
    for number, segment in enumerate(segments, start=1):
        numbers[labels == segment.value] = number
    return numbers
