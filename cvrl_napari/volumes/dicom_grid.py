"""Whether the slices of a DICOM series lie on a regular grid, and in words why they do not."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.dicom_slice import Slice, Vector
from cvrl_napari.volumes.errors import UnevenSlicesError, VolumeError

_TILT = 1e-3
"""A step may lean from the normal by this share of itself: headers round."""
_OFF_SHARE, _OFF_MM, _MOST_OFF_SHARE = 0.02, 0.06, 0.1
"""A slice may lie this far off its place: a share of the step, or what rounding to 0.1 mm makes while that is small."""


def slice_step(path: Path, stack: Sequence[Slice]) -> Vector:
    """Return the vector from a slice to the next, mm in LPS; the slices come sorted by position.

    Raises
    ------
    UnevenSlicesError
        If a slice is missing or the slices are unevenly spaced, shifted against each other or tilted.
    VolumeError
        If there is a single slice that does not say how thick it is.
    """
    first = stack[0]
    if len(stack) == 1:
        if first.thickness is None:
            raise VolumeError(f"{path} is a single slice of unknown thickness: choose a series of several slices.")
        return first.normal * first.thickness
    positions = np.array([one.position for one in stack])
    step: Vector = (positions[-1] - positions[0]) / (len(stack) - 1)
    height = float(step @ first.normal)
    allowed = max(_OFF_SHARE * height, min(_OFF_MM, _MOST_OFF_SHARE * height))
    off = positions - (positions[0] + np.arange(len(stack))[:, None] * step)
    if (np.abs(off @ first.normal) > allowed).any():
        raise UnevenSlicesError(f"{path} {_uneven(stack, positions @ first.normal)}")
    beside = np.linalg.norm(off, axis=1)
    if beside.max() > allowed:
        one = stack[int(beside.argmax())]
        raise UnevenSlicesError(
            f"{path} has slices that are shifted against each other ({one.name} by {beside.max():.3g} mm): "
            "export it again, or agree to have it resampled to a regular grid."
        )
    lean = float(np.linalg.norm(step - height * first.normal))
    if lean > _TILT * height:
        raise UnevenSlicesError(
            f"{path} was taken with a tilted gantry (by {math.degrees(math.atan2(lean, height)):.3g} degrees): "
            "export it with the tilt corrected, or agree to have it resampled to a regular grid."
        )
    return step


def _uneven(stack: Sequence[Slice], heights: Vector) -> str:
    """Say between which slices the gap is not the usual one, and which are missing if it looks like that."""
    gaps = np.diff(heights)
    usual = float(np.median(gaps))
    at = int(np.abs(gaps - usual).argmax())
    before, after = stack[at], stack[at + 1]
    missing = round(gaps[at] / usual) - 1
    where = f"{gaps[at]:.4g} mm between {before.name} and {after.name}, {usual:.4g} mm elsewhere"
    advice = "export the complete series, or agree to have it resampled to a regular grid."
    if missing < 1 or abs(gaps[at] - (missing + 1) * usual) > _MOST_OFF_SHARE * usual:
        return f"has unevenly spaced slices ({where}): {advice}"
    numbers = sorted(one.number or 0 for one in (before, after))
    what = f"{missing} slice{'s' * (missing > 1)}"
    if numbers[1] - numbers[0] == missing + 1 and numbers[0]:
        what = f"image {numbers[0] + 1}" if missing == 1 else f"images {numbers[0] + 1} to {numbers[1] - 1}"
    return f"lacks {what} ({where}): {advice}"
