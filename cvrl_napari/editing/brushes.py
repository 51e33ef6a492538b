"""The voxels under a brush or inside an outline: the shapes that napari's own tools paint."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = tuple[npt.NDArray[np.intp], ...]


def under_brush(
    center: Sequence[float], size: int, axes: Sequence[int], shape: Sequence[int], scale: Sequence[float]
) -> Indices:
    """Return the voxels under a round brush, as far as the array goes.

    Parameters
    ----------
    center : (z, y, x)
        In voxels.
    size : int
        Diameter in voxels of the finest of the painted axes; the brush is round in space.
    axes : sequence of int
        The axes painted along: two of them make a disc, three a ball.
    shape : (z, y, x)
        Of the array that is painted.
    scale : (z, y, x)
        Voxel size, in any unit.

    Returns
    -------
    tuple of integer arrays of shape (N,), an axis each
    """
    radius = size // 2 + 0.5
    finest = min(abs(scale[axis]) for axis in axes)
    middle = [round(float(value)) for value in center]
    ranges: list[npt.NDArray[np.intp]] = []
    squares: list[npt.NDArray[np.float64]] = []
    for axis, length in enumerate(shape):
        ratio = abs(scale[axis]) / finest
        reach = int(radius / ratio) if axis in axes else 0
        along = np.arange(max(0, middle[axis] - reach), min(length, middle[axis] + reach + 1))
        ranges.append(along)
        squares.append(np.asarray((along - middle[axis]) * ratio, np.float64) ** 2)
    z, y, x = np.ix_(*squares)
    found = np.nonzero(z + y + x <= radius**2)
    return tuple(along[index] for along, index in zip(ranges, found, strict=True))


def inside_outline(points: npt.ArrayLike, axes: tuple[int, int], shape: Sequence[int]) -> Indices:
    """Return the voxels inside a closed outline, its own included, on the slice of its first point.

    Parameters
    ----------
    points : array of shape (N, 3)
        Corners in voxels, (z, y, x).
    axes : two of 0, 1, 2
        The axes of the slice, ascending.
    shape : (z, y, x)
        Of the array that is painted.

    Returns
    -------
    tuple of integer arrays of shape (M,), an axis each
    """
    from skimage.draw import line, polygon

    corners = np.asarray(points, dtype=int)
    plane = (shape[axes[0]], shape[axes[1]])
    rows, columns = corners[:, axes[0]], corners[:, axes[1]]
    drawn = np.zeros(plane, bool)
    drawn[polygon(rows, columns, shape=plane)] = True
    for first in range(len(corners)):
        along, across = line(rows[first - 1], columns[first - 1], rows[first], columns[first])
        within = (along >= 0) & (along < plane[0]) & (across >= 0) & (across < plane[1])
        drawn[along[within], across[within]] = True
    found = dict(zip(axes, np.nonzero(drawn), strict=True))
    count = len(found[axes[0]])
    return tuple(found[axis] if axis in found else np.full(count, corners[0, axis]) for axis in range(3))
