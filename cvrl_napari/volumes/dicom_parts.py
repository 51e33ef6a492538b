"""The volumes of a DICOM series that has several images at each position: time points, echoes, b-values."""

from collections import Counter
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.dicom_slice import Slice
from cvrl_napari.volumes.errors import VolumeError

_SAME_MM = 1e-3


def split_parts(path: Path, stack: list[Slice]) -> list[list[Slice]]:
    """Sort slices by position, and into one list for each of the volumes they make.

    The images at one position are told apart by temporal position, acquisition, trigger, echo, b-value and number, in this
    order.

    Raises
    ------
    VolumeError
        If not all positions have equally many images; the sentence names those of the first that is different.
    """
    places = _places(stack)
    counts = Counter(map(len, places))
    if len(counts) == 1:
        return [list(part) for part in zip(*places, strict=True)]
    usual = counts.most_common(1)[0][0]
    odd = next(place for place in places if len(place) != usual)
    names = " and ".join(one.name for one in odd)
    at = float(odd[0].position @ odd[0].normal)
    if usual == 1:
        raise VolumeError(
            f"{path} has {len(odd)} images at one position ({names} at {at:.5g} mm): remove what does not belong."
        )
    raise VolumeError(
        f"{path} has {usual} images at most positions but {len(odd)} at {at:.5g} mm ({names}): export the complete series."
    )


def count_parts(stack: list[Slice]) -> int:
    """Return how many volumes `split_parts` will find, at the position with the most images."""
    return max(map(len, _places(stack)))


def _places(stack: list[Slice]) -> list[list[Slice]]:
    """Return the slices at each position, by position and then by their order."""
    heights = np.array([one.position for one in stack]) @ stack[0].normal
    order = np.argsort(heights, kind="stable")
    starts = np.flatnonzero(np.diff(heights[order]) > _SAME_MM) + 1
    return [sorted((stack[index] for index in place), key=lambda one: one.order) for place in np.split(order, starts)]
