"""Parallel slices that lie anywhere, brought to a regular, orthogonal grid by linear interpolation."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cvrl_napari.volumes.axis_order import Array

Vector = npt.NDArray[np.float64]

_MOST_GROWTH = 4  # times the voxels that were measured
_WHOLE = 1e-3  # pixels or slices; what is this close to a whole number is one


def resample_slices(pixels: Array, positions: Vector, column_step: Vector, row_step: Vector) -> tuple[Array, Vector, Vector]:
    """Interpolate slices, sorted along their normal, at even distances along it.

    The pixels keep their grid in the plane, that of the first slice, which grows by whole pixels until it holds the slices
    shifted against it. The distance is the one next to the median that leads from the first slice exactly to the last.
    Voxels that no pair of slices covers get the lowest value of all; integers stay integers.

    Parameters
    ----------
    pixels : array of shape (n, rows, columns)
    positions : array of shape (n, 3)
        Center of the first pixel of each slice, mm.
    column_step, row_step : array of shape (3,)
        From a pixel to the next one in its row, and to the same one in the next row, mm.

    Returns
    -------
    array : of shape (m, rows + more, columns + more)
    origin : array of shape (3,)
        Center of its first voxel, mm.
    step : array of shape (3,)
        From a slice of it to the next, mm.

    Raises
    ------
    ValueError
        If the grid would have more than four times the voxels of the slices.
    """
    normal: Vector = np.cross(column_step, row_step)
    normal = normal / np.linalg.norm(normal)
    shifts = _in_plane(positions - positions[0], column_step, row_step)  # (n, 2): rows, columns
    first = np.floor(shifts.min(axis=0) + _WHOLE)
    more = np.ceil(shifts.max(axis=0) - _WHOLE) - first
    heights = (positions - positions[0]) @ normal
    gaps = max(1, round(heights[-1] / float(np.median(np.diff(heights)))))
    shape = (gaps + 1, *(np.array(pixels.shape[1:]) + more))
    if np.prod(shape) > _MOST_GROWTH * pixels.size:
        raise ValueError("most of the grid would be made up")
    result = np.empty(tuple(int(size) for size in shape), pixels.dtype)
    lowest = pixels.min()

    @lru_cache(maxsize=2)
    def plane(at: int) -> Vector:
        return _shifted(pixels[at], shifts[at] - first, result.shape[1:])

    for index, height in enumerate(np.linspace(0.0, heights[-1], gaps + 1)):
        below = min(int(np.searchsorted(heights, height, side="right")) - 1, len(pixels) - 2)
        share = (height - heights[below]) / (heights[below + 1] - heights[below])
        # A slice that needs no neighbor is not cut to where it has one.
        near = below if share < _WHOLE else below + 1 if share > 1 - _WHOLE else None
        grey = (1 - share) * plane(below) + share * plane(below + 1) if near is None else plane(near)
        grey = np.where(np.isnan(grey), lowest, grey)
        result[index] = np.rint(grey) if pixels.dtype.kind in "iu" else grey
    origin: Vector = positions[0] + first[0] * row_step + first[1] * column_step
    step: Vector = normal * (heights[-1] / gaps)
    return result, origin, step


def _in_plane(offsets: Vector, column_step: Vector, row_step: Vector) -> Vector:
    """Return offsets in mm (n, 3) as pixels along the rows' and the columns' direction (n, 2)."""
    pixels = np.linalg.lstsq(np.stack((row_step, column_step), axis=1), offsets.T, rcond=None)[0].T
    return np.asarray(pixels, dtype=np.float64)


def _shifted(plane: Array, shift: Vector, size: tuple[int, ...]) -> Vector:
    """Return a slice on a grid of `size` on which its first pixel lies at `shift`, NaN beside it."""
    nearest = np.rint(shift)
    if (np.abs(shift - nearest) < _WHOLE).all():
        shift = nearest  # no rounding error takes away the pixels at the edge
    shifted: Vector = ndimage.affine_transform(
        plane.astype(np.float64), np.ones(2), -shift, output_shape=size, order=1, cval=np.nan, prefilter=False
    )
    return shifted
