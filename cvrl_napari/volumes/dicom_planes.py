"""Planes of pixels in space, and how those of a DICOM object and of its series lie on a scan's canonical grid.

Segmentations and contours lie on the images of a series. The canonical grid of a scan has the same voxels in another order;
only one that was resampled to a regular grid has others, and there the nearest voxel stands for each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.volume import Volume

Vector = npt.NDArray[np.float64]

_LPS_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))
_SAME_PIXEL = 0.1  # pixels that are the same may lie this far apart, in pixels, by the rounding of headers
_SAME_PLANE = 0.1  # and planes, as a share of the gap between them


@dataclass(frozen=True, eq=False)
class Plane:
    """A plane of pixels. Vectors are DICOM's: mm, towards Left, Posterior, Superior.

    Parameters
    ----------
    position : array of shape (3,)
        Centre of the first pixel.
    row_step, column_step : array of shape (3,)
        From a pixel to the same one in the next row, and to the next one in its row.
    shape
        Rows and columns.
    """

    position: Vector
    row_step: Vector
    column_step: Vector
    shape: tuple[int, int]

    @cached_property
    def normal(self) -> Vector:
        """Unit vector across the plane."""
        across = np.cross(self.column_step, self.row_step)
        normal: Vector = across / np.linalg.norm(across)
        return normal

    @cached_property
    def _to_pixels(self) -> Vector:
        return np.linalg.inv(np.stack([self.row_step, self.column_step, self.normal], axis=1)).astype(np.float64)

    def locate(self, points: npt.ArrayLike) -> Vector:
        """Return points in LPS mm (..., 3) as (row, column, mm above the plane)."""
        located: Vector = (np.asarray(points, dtype=np.float64) - self.position) @ self._to_pixels.T
        return located

    def world(self, pixels: npt.ArrayLike) -> Vector:
        """Return where pixels (..., 2), row and column, lie, in LPS mm; fractions of a pixel are fine."""
        pixels = np.asarray(pixels, dtype=np.float64)
        points: Vector = self.position + pixels[..., :1] * self.row_step + pixels[..., 1:] * self.column_step
        return points


class PlaneStack:
    """Parallel planes of one shape, in the order of their positions."""

    def __init__(self, planes: Sequence[Plane]) -> None:
        self.planes = planes
        self._normal = planes[0].normal
        self._heights = np.array([plane.position for plane in planes]) @ self._normal

    @property
    def shape(self) -> tuple[int, int, int]:
        """Planes, rows and columns."""
        return len(self.planes), *self.planes[0].shape

    @cached_property
    def gap(self) -> float:
        """The usual distance between two planes, mm; of a single one 1."""
        return float(np.median(np.diff(self._heights))) if len(self.planes) > 1 else 1.0

    def find(self, points: Vector) -> int | None:
        """Return which plane points in LPS mm (3,) or (N, 3) lie on, None if they lie between planes or across them."""
        heights = np.atleast_1d(points @ self._normal)
        nearest = int(np.abs(self._heights - heights.mean()).argmin())
        return nearest if np.abs(heights - self._heights[nearest]).max() <= _SAME_PLANE * self.gap else None


def planes_of_grid(scan: Volume, normal: Vector) -> PlaneStack:
    """Return the planes of a scan that was not read from DICOM, across the axis closest to `normal` (LPS), along that axis."""
    lps = _LPS_RAS @ scan.affine
    axes = lps[:3, :3]
    across = int(np.abs(normal @ (axes / np.linalg.norm(axes, axis=0))).argmax())
    row, column = (axis for axis in range(3) if axis != across)
    shape = scan.array.shape[row], scan.array.shape[column]
    return PlaneStack(
        [
            Plane(lps[:3, 3] + number * axes[:, across], axes[:, row], axes[:, column], shape)
            for number in range(scan.array.shape[across])
        ]
    )


class Run(NamedTuple):
    """Whole numbers one after another, upwards (step 1) or downwards (-1): where a row of pixels lies among others."""

    start: int
    step: int
    size: int

    def overlap(self, others: int) -> tuple[slice, slice]:
        """Return which of these lie among `others` pixels (0, 1, 2 ...), and where these are, both upwards there."""
        low = self.start if self.step > 0 else self.start - self.size + 1
        first, stop = max(low, 0), max(min(low + self.size, others), max(low, 0))
        if self.step > 0:
            return slice(first - low, stop - low), slice(first, stop)
        mine = slice(self.start - stop + 1, self.start - first + 1)
        return mine, slice(stop - 1, first - 1 if first else None, -1) if stop > first else slice(0, 0)


@dataclass(frozen=True, eq=False)
class Overlay:
    """Where the pixels of one plane are among those of another: in which rows and columns, and whether these are swapped."""

    is_swapped: bool
    rows: Run
    columns: Run

    @classmethod
    def of(cls, upper: Plane, lower: Plane) -> "Overlay | None":
        """Return where the pixels of `upper` are in `lower`, None if they lie between its pixels; the planes are the same."""
        corner, down, right = lower.locate(upper.world([(0, 0), (1, 0), (0, 1)]))[:, :2]
        steps = np.stack([down - corner, right - corner])  # (row and column of upper, row and column of lower)
        whole, start = np.rint(steps).astype(int), np.rint(corner).astype(int)
        drift = np.abs(steps - whole) * np.array(upper.shape)[:, None]
        if np.abs(corner - start).max() > _SAME_PIXEL or drift.max() > _SAME_PIXEL:
            return None
        is_swapped = bool(whole[0, 0] == 0)
        row, column = (1, 0) if is_swapped else (0, 1)  # which axis of upper runs along the rows of lower, and the columns
        if abs(whole[row, 0]) != 1 or abs(whole[column, 1]) != 1 or whole[row, 1] or whole[column, 0]:
            return None
        rows = Run(int(start[0]), int(whole[row, 0]), upper.shape[row])
        return cls(is_swapped, rows, Run(int(start[1]), int(whole[column, 1]), upper.shape[column]))

    def lay(self, pixels: Array, shape: tuple[int, int]) -> Array | None:
        """Return the upper plane's pixels as the lower one, of this shape, has them; None if one but 0 lies beside it."""
        turned = pixels.T if self.is_swapped else pixels
        (from_rows, to_rows), (from_columns, to_columns) = self.rows.overlap(shape[0]), self.columns.overlap(shape[1])
        inside = turned[from_rows, from_columns]
        if inside.size < pixels.size and np.count_nonzero(inside) != np.count_nonzero(pixels):
            return None
        laid = np.zeros(shape, pixels.dtype)
        laid[to_rows, to_columns] = inside
        return laid


class Placement:
    """How the planes of a series lie on the canonical grid of the scan that was read from it.

    Parameters
    ----------
    stack
        The planes.
    scan
        Gives the grid.
    series
        Where the series is, for the error.

    Raises
    ------
    VolumeError
        If the grid was not made of these planes.
    """

    def __init__(self, stack: PlaneStack, scan: Volume, series: Path) -> None:
        planes = stack.planes
        to_index: Affine = np.linalg.inv(_LPS_RAS @ scan.affine).astype(np.float64)
        starts = np.array([plane.position for plane in planes]) @ to_index[:3, :3].T + to_index[:3, 3]
        steps = to_index[:3, :3] @ np.stack([planes[0].row_step, planes[0].column_step], axis=1)
        row, column = (int(axis) for axis in np.abs(steps).argmax(axis=0))
        self._axes = 3 - row - column, row, column
        self._signs = round(float(steps[row, 0])), round(float(steps[column, 1]))
        self._shape = planes[0].shape
        self._grid = scan.array.shape
        exact = np.zeros((3, 2))
        exact[(row, column), (0, 1)] = self._signs
        ends = starts + exact @ (np.array(self._shape) - 1.0)
        is_within = np.minimum(starts, ends).min() > -0.6 and (np.maximum(starts, ends) < np.array(self._grid) - 0.4).all()
        drift = np.abs(steps - exact) * self._shape
        is_same = np.abs(starts[0] - np.rint(starts[0])).max() < _SAME_PIXEL and drift.max() < _SAME_PIXEL
        if row == column or {abs(sign) for sign in self._signs} != {1} or not is_within or not is_same:
            raise VolumeError(f"The mask does not lie on the images of {series}: choose the series that it was drawn on.")
        self._starts = starts[:, self._axes]

    def on_planes(self, array: Array) -> Array:
        """Return an array on the canonical grid (z, y, x) as the planes have it, (plane, row, column)."""
        turned = array.transpose(self._axes)
        found = np.zeros((len(self._starts), *self._shape), array.dtype)
        for number, plane in enumerate(found):
            (rows, grid_rows), (columns, grid_columns) = self._overlaps(number)
            plane[rows, columns] = turned[round(float(self._starts[number, 0]))][grid_rows, grid_columns]
        return found

    def onto_grid(self, planes: Array) -> Array:
        """Return an array on the planes (plane, row, column) on the canonical grid (z, y, x); 0 where the grid goes beyond."""
        found = np.zeros(self._grid, planes.dtype)
        for height, layer in enumerate(found.transpose(self._axes)):
            nearest = int(np.abs(self._starts[:, 0] - height).argmin())
            (rows, grid_rows), (columns, grid_columns) = self._overlaps(nearest)
            layer[grid_rows, grid_columns] = planes[nearest][rows, columns]
        return found

    def _overlaps(self, plane: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
        """Return the rows of a plane and where they are on the grid, and its columns and where these are."""
        rows, columns = (
            Run(round(float(start)), sign, size).overlap(self._grid[axis])
            for start, sign, size, axis in zip(self._starts[plane, 1:], self._signs, self._shape, self._axes[1:], strict=True)
        )
        return rows, columns
