"""Painting in a plane that napari's canvas does not show: the same brush, the same undo history."""

from contextlib import ExitStack

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from cvrl_napari.gui.brush import fill_from, paint_voxels
from cvrl_napari.gui.views.planes import Plane
from cvrl_napari.gui.views.undisturbed import undisturbed

Indices = tuple[npt.NDArray[np.intp], ...]


def swept(
    start: npt.ArrayLike, end: npt.ArrayLike, *, size: float, scale: npt.ArrayLike, shape: npt.ArrayLike
) -> tuple[tuple[slice, ...], npt.NDArray[np.bool_]]:
    """Return what a round brush sweeps over on its way from one voxel to another, in any number of axes.

    Parameters
    ----------
    start, end : sequence of int, one an axis
        Voxels.
    size : float
        Width of the brush, in voxels along the axis of the smallest ones, as napari counts.
    scale, shape : sequences, one an axis
        Size of a voxel in mm and number of voxels.

    Returns
    -------
    box : tuple of slice
        The part of the array the brush touches; empty when it is outside.
    inside : bool array of the shape of the box
        Where the brush was.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    unit = np.abs(np.asarray(scale, np.float64))
    unit = unit / unit.min()
    radius = np.floor(size / 2) + 0.5  # napari's: no lone voxel on the edge of the disc
    reach = np.floor(radius / unit)
    low = np.maximum(np.minimum(start, end) - reach, 0).astype(int)
    high = np.minimum(np.maximum(start, end) + reach + 1, np.asarray(shape)).astype(int)
    box = tuple(slice(int(a), int(max(a, b))) for a, b in zip(low, high, strict=True))
    axes = np.ogrid[box]
    way = (end - start) * unit
    length = float(way @ way)
    offsets = [(axis - a) * u for axis, a, u in zip(axes, start, unit, strict=True)]
    along = np.clip(sum(o * w for o, w in zip(offsets, way, strict=True)) / length, 0, 1) if length else 0.0
    distance = sum((o - along * w) ** 2 for o, w in zip(offsets, way, strict=True))
    return box, np.asarray(distance <= radius**2)


class Stroke:
    """From pressing the button to letting it go: one step that Ctrl+Z takes back."""

    def __init__(self, labels: Labels, plane: Plane) -> None:
        self._labels, self._plane = labels, plane
        self._last: npt.NDArray[np.intp] | None = None
        self._meanwhile = ExitStack()
        self._meanwhile.enter_context(labels.block_history())
        self._meanwhile.enter_context(undisturbed())

    def to(self, voxel: npt.ArrayLike) -> None:
        """Paint or erase on the way to a voxel (z, y, x), which may lie outside."""
        here = np.round(np.asarray(voxel, np.float64)).astype(np.intp)
        start = here if self._last is None else self._last
        if self._last is not None and np.array_equal(here, start):
            return
        self._last = here
        indices = self._voxels(start, here)
        value = 0 if self._labels.mode == "erase" else self._labels.selected_label
        if self._labels.preserve_labels:
            before = self._labels.data[indices]
            kept = before == (self._labels.selected_label if value == 0 else 0)
            indices = tuple(axis[kept] for axis in indices)
        if indices[0].size:
            paint_voxels(self._labels, indices, value)

    def end(self) -> None:
        """Let the button go."""
        self._meanwhile.close()

    def _voxels(self, start: npt.NDArray[np.intp], end: npt.NDArray[np.intp]) -> Indices:
        plane, labels = self._plane, self._labels
        flat = labels.n_edit_dimensions < 3
        axes = sorted((plane.vertical, plane.horizontal)) if flat else [0, 1, 2]
        shape = labels.data.shape
        if flat and not 0 <= end[plane.normal] < shape[plane.normal]:
            return (np.zeros(0, np.intp),) * 3
        box, inside = swept(
            start[axes],
            end[axes],
            size=labels.brush_size,
            scale=[labels.scale[axis] for axis in axes],
            shape=[shape[axis] for axis in axes],
        )
        found = [where + part.start for where, part in zip(np.nonzero(inside), box, strict=True)]
        if flat:
            found.insert(plane.normal, np.full(found[0].size, end[plane.normal]))
        return tuple(found)


def fill(labels: Labels, plane: Plane, voxel: npt.ArrayLike) -> None:
    """Give what is connected with a voxel in its slice (in the scan, with a 3D brush) the class that is selected."""
    flat = labels.n_edit_dimensions < 3
    axes = sorted((plane.vertical, plane.horizontal)) if flat else [0, 1, 2]
    fill_from(labels, np.asarray(voxel, np.float64).tolist(), axes, labels.selected_label)
