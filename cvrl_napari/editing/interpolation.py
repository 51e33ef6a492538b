"""Structures between painted slices, from the signed distances to their outlines.

Raya and Udupa, Shape-based interpolation of multidimensional objects, IEEE Trans. Med. Imaging 1990: a voxel belongs to the
structure where the interpolated distance to its outline is positive. Along the axis the distances follow a monotone cubic
(Fritsch and Carlson 1980) through four slices; straight lines leave an edge at each painted slice.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import distance_transform_edt

from cvrl_napari.editing.edit import Labels, box_of

Distances = npt.NDArray[np.float64]


def interpolate(
    labels: Labels, spacing: tuple[float, float, float], *, axis: int, classes: Sequence[int], over: bool = False
) -> Labels:
    """Fill the slices between those that are painted, class by class; the ends stay as they are.

    A slice is painted for a class if it holds a voxel of it. Where several classes claim a voxel, the one whose outline is
    farther away has it.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 not painted, 1..K classes, 255 painted background.
    spacing : (z, y, x)
        Voxel size in mm.
    axis : int
        The slices follow each other along this axis.
    classes : sequence of int
        These are interpolated.
    over : bool
        Write over other classes and painted background too; otherwise only where nothing is painted.

    Returns
    -------
    uint8 array of shape (z, y, x)
    """
    result = labels.copy()
    box = box_of(np.isin(labels, list(classes)))
    if box is None:
        return result
    painted = np.moveaxis(labels[box], axis, 0)
    in_plane = tuple(size for other, size in enumerate(spacing) if other != axis)
    claims = np.zeros(painted.shape, np.uint8)
    depth = np.zeros(painted.shape, np.float32)
    for class_id in classes:
        mask = painted == class_id
        for index, distance in _between(mask, in_plane):
            wins = distance > depth[index]
            claims[index][wins] = class_id
            depth[index][wins] = distance[wins]
    claimed = claims > 0
    if not over:
        claimed &= painted == 0
    np.moveaxis(result[box], axis, 0)[claimed] = claims[claimed]
    return result


def signed_distance(mask: npt.NDArray[np.bool_], spacing: tuple[float, ...]) -> Distances:
    """Return the distance to the outline of a shape in mm: positive inside it, negative outside."""
    padded = np.pad(mask, 1)  # a shape that fills the array has an outline too
    inside = distance_transform_edt(padded, sampling=spacing)
    outside = distance_transform_edt(~padded, sampling=spacing)
    half = min(spacing) / 2  # the outline runs between voxels
    distance: Distances = np.where(padded, inside - half, half - outside)
    return distance[(slice(1, -1),) * mask.ndim]


def _between(mask: npt.NDArray[np.bool_], spacing: tuple[float, ...]) -> list[tuple[int, Distances]]:
    """Return the slices between painted ones of a mask (slice, row, column): index, interpolated distance in mm."""
    keys = np.flatnonzero(mask.any(axis=(1, 2)))
    known: dict[int, Distances] = {}
    found = []
    for first in np.flatnonzero(np.diff(keys) > 1):
        near = [int(key) for key in keys[max(0, first - 1) : first + 3]]
        for key in near:
            if key not in known:
                known[key] = signed_distance(mask[key], spacing)
        curve = PchipInterpolator(near, [known[key] for key in near], axis=0)
        found += [(index, curve(index)) for index in range(int(keys[first]) + 1, int(keys[first + 1]))]
    return found
