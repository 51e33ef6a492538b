"""Shapes as signed distances, and smooth random fields: what the phantom is carved from.

Only additions, products and square roots: the same seed gives the same phantom on every machine.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Field = NDArray[np.float64]
Vector = NDArray[np.float64]

FAR = 1e3
"""Distance in mm given to points that are too far away to matter."""


def ellipsoid(points: Field, center: ArrayLike, radii: ArrayLike) -> Field:
    """Return the signed distance in mm to an ellipsoid, negative inside, first order near its surface.

    Parameters
    ----------
    points : array of shape (3, z, y, x)
        Where to evaluate, mm.
    center, radii : array-like of shape (3,)
        mm, in the order of `points`.
    """
    radius = np.asarray(radii, dtype=np.float64).reshape(3, 1, 1, 1)
    scaled = (points - np.asarray(center, dtype=np.float64).reshape(3, 1, 1, 1)) / radius
    length = np.sqrt((scaled**2).sum(axis=0))
    slope = np.sqrt(((scaled / radius) ** 2).sum(axis=0))
    return np.asarray(length * (length - 1) / np.maximum(slope, 1e-9))


def tube(points: Field, line: ArrayLike, radii: Sequence[float], reach: float = 8.0) -> Field:
    """Return the signed distance in mm to a tube whose radius changes along a line of points.

    Parameters
    ----------
    points : array of shape (3, z, y, x)
        Where to evaluate, mm.
    line : array-like of shape (N, 3)
        mm, in the order of `points`.
    radii : sequence of N numbers
        mm.
    reach : float
        Farther than this many mm from the tube the distance is `FAR`.
    """
    nodes = np.asarray(line, dtype=np.float64)
    distance = np.full(points.shape[1:], FAR)
    for start, end, thick, thin in zip(nodes, nodes[1:], radii, radii[1:], strict=False):
        margin = max(thick, thin) + reach
        low, high = np.minimum(start, end) - margin, np.maximum(start, end) + margin
        near = np.logical_and.reduce(
            [(axis > one) & (axis < other) for axis, one, other in zip(points, low, high, strict=True)]
        )
        offset = points[:, near] - start[:, None]  # (3, N)
        along = np.clip((end - start) @ offset / ((end - start) ** 2).sum(), 0, 1)
        radius = thick + (thin - thick) * along
        from_line = np.sqrt(((offset - (end - start)[:, None] * along) ** 2).sum(axis=0))
        distance[near] = np.minimum(distance[near], from_line - radius)
    return distance


def blend(one: Field, other: Field, width: float) -> Field:
    """Return the union of two shapes, its crease rounded over `width` mm."""
    overlap = np.maximum(width - np.abs(one - other), 0) / width
    return np.asarray(np.minimum(one, other) - overlap**2 * width / 4)


def coverage(distance: Field, width: float) -> Field:
    """Return the share of each voxel inside a shape, between 0 and 1: partial volume over `width` mm."""
    return np.clip(0.5 - distance / width, 0, 1)


def smooth_field(shape: tuple[int, int, int], spacing: Sequence[float], knots: float, rng: np.random.Generator) -> Field:
    """Return smooth noise of mean 0 and standard deviation about 1 that changes over `knots` mm: a random cubic B-spline."""
    weights = [_spline_weights(size, step / knots) for size, step in zip(shape, spacing, strict=True)]
    field = rng.standard_normal([matrix.shape[1] for matrix in weights])
    for matrix in weights:
        field = np.tensordot(field, matrix, axes=(0, 1))  # the axis in front goes to the back: after three, all are in order
    return np.asarray(field / 0.33)  # the standard deviation a B-spline leaves of white noise in 3D


def _spline_weights(size: int, step: float) -> Field:
    """Return (size, knots): the weight of each knot of a uniform cubic B-spline at positions 0, step, 2 step, ..."""
    position = np.arange(size) * step
    first = position.astype(int)
    t = position - first
    matrix = np.zeros((size, int(first[-1]) + 4))
    rows = np.arange(size)
    for offset, weight in enumerate(((1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3)):
        matrix[rows, first + offset] = weight / 6
    return matrix
