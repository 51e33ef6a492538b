"""Which points lie inside a freehand polygon. No Qt."""

import numpy as np

CELLS = 512
"""A grid of so many cells a side over the polygon: only points in cells that its border crosses are looked at one by one."""


def inside(points: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Say which points lie inside a polygon, by the even-odd rule; it closes itself.

    Cells of a grid that the border does not cross and that hang together lie inside as a whole or not at all, so one of
    them answers for all: a million points take a fraction of a second, whatever the polygon.

    Parameters
    ----------
    points : array of shape (N, 2)
    polygon : array of shape (V, 2)
        Corners in order; fewer than three hold nothing.

    Returns
    -------
    bool array of shape (N,)
    """
    from skimage.measure import points_in_poly

    result = np.zeros(len(points), bool)
    polygon = np.asarray(polygon, np.float64)
    if len(polygon) < 3 or not len(points):
        return result
    low, high = polygon.min(axis=0), polygon.max(axis=0)
    if not (high > low).all():
        return result
    x, y = points[:, 0], points[:, 1]
    near = np.flatnonzero((x >= low[0]) & (x <= high[0]) & (y >= low[1]) & (y <= high[1]))
    per_unit = CELLS / (high - low)
    column = np.minimum(((x[near] - low[0]) * per_unit[0]).astype(np.int32), CELLS - 1)
    row = np.minimum(((y[near] - low[1]) * per_unit[1]).astype(np.int32), CELLS - 1)
    sides = _sides(polygon, low, per_unit)[column * CELLS + row]
    result[near] = sides == INSIDE
    doubtful = near[sides == CROSSED]
    result[doubtful] = points_in_poly(np.asarray(points[doubtful], np.float64), polygon)
    return result


OUTSIDE, INSIDE, CROSSED = 0, 1, 2


def _sides(polygon: np.ndarray, low: np.ndarray, per_unit: np.ndarray) -> np.ndarray:
    """Say of each cell, uint8 (CELLS * CELLS,), whether it lies outside, inside, or near the border."""
    from scipy.ndimage import binary_dilation, label
    from skimage.measure import points_in_poly

    corners = (polygon - low) * per_unit
    steps = np.roll(corners, -1, axis=0) - corners
    counts = np.ceil(np.abs(steps).max(axis=1)).astype(int) * 2 + 1  # no two samples of an edge are a cell apart
    edge = np.repeat(np.arange(len(corners)), counts)
    place = (np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)) / np.repeat(counts, counts)
    column, row = np.clip((corners[edge] + place[:, None] * steps[edge]).astype(int), 0, CELLS - 1).T
    crossed = np.zeros((CELLS, CELLS), bool)
    crossed[column, row] = True
    crossed = binary_dilation(crossed, np.ones((3, 3), bool))
    areas, count = label(~crossed)
    _, first = np.unique(areas, return_index=True)
    middles = np.stack(np.unravel_index(first, areas.shape), axis=1) + 0.5
    sides = np.full(count + 1, OUTSIDE, np.uint8)
    sides[np.unique(areas)] = points_in_poly(middles, corners)
    sides[0] = CROSSED
    result: np.ndarray = sides[areas].ravel()
    return result
