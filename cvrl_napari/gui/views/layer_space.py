"""Where a layer of ours lies in mm of the display; such layers are scaled and moved, never rotated. No Qt."""

import numpy as np
import numpy.typing as npt
from napari.layers import Layer

from cvrl_napari.gui.views.planes import Point


def extent_mm(layer: Layer) -> npt.NDArray[np.float64]:
    """Return the outer corners of a layer in mm, (2, 3): its voxels have their centers half a voxel inside."""
    scale, translate = np.asarray(layer.scale[-3:], float), np.asarray(layer.translate[-3:], float)
    shape = np.asarray(layer.data.shape[:3])  # of colours: without their axis
    return np.sort([translate - scale / 2, translate + scale * (shape - 0.5)], axis=0)


def voxel_at(layer: Layer, point: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the voxel (z, y, x) that holds a point in mm; it may lie outside of the layer."""
    place = (np.asarray(point, float) - np.asarray(layer.translate)) / np.asarray(layer.scale)
    voxel: npt.NDArray[np.intp] = np.floor(place + 0.5).astype(np.intp)
    return voxel


def slice_index(layer: Layer, axis: int, point: Point) -> int | None:
    """Return the index along an array axis of the slice of a layer that holds a point in mm; None outside of it."""
    index = int(voxel_at(layer, point)[axis])
    return index if 0 <= index < layer.data.shape[axis] else None


def size_in_mm(layer: Layer) -> float:
    """Return the smallest edge of a voxel, mm: napari counts the brush in it."""
    return float(np.min(np.abs(layer.scale)))
