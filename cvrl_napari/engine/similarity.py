"""Where a scan looks to the network like a given voxel: the cosine of every cell's features with those of the query."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.config import Triple
from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.half import as_float32

_LEAST_NORM = 1e-6


def similarity_map(
    embeddings: CaseEmbeddings,
    query: NDArray[np.floating[Any]],
    *,
    plane: tuple[int, int] | None = None,
    projected: bool = False,
) -> NDArray[np.float32]:
    """Return the cosine similarity of cells to a query.

    Parameters
    ----------
    query : array of shape (C,), or (P,) with `projected`
        Features of any scan by the same model; their length does not matter.
    plane : tuple of int, optional
        Axis (0, 1, 2 for z, y, x) and index of the one plane of cells that is wanted.
    projected : bool
        Compare what the projector makes of the features.

    Returns
    -------
    array of shape (Z, Y, X), or of the plane, float32
        From -1 (opposite) to 1 (same direction); 0 where a cell's features are all zero.

    Raises
    ------
    ValueError
        If the query has another number of channels, or `projected` is asked for without a projector.
    """
    cells: Any = ... if plane is None else (*[slice(None)] * plane[0], plane[1])
    space = embeddings.projected if projected else embeddings.features
    if space is None:
        raise ValueError("The model has no projector at this level.")
    if query.shape != space.shape[3:]:
        raise ValueError(f"A query of {query.shape} does not fit features of {space.shape[3]} channels.")
    direction = unit(query[None])[0]
    if embeddings.projected is not None and projected:
        products, norms = embeddings.projected.products(direction, cells), embeddings.projected.norms[cells]
    else:
        products, norms = _products(embeddings.features[cells], direction), embeddings.norms[cells]
    similarity: NDArray[np.float32] = products / np.maximum(norms, _LEAST_NORM)
    return np.clip(similarity, -1, 1, out=similarity)


def mean_feature(
    embeddings: CaseEmbeddings, cells: NDArray[np.integer[Any]], *, projected: bool = False
) -> NDArray[np.float32]:
    """Return the mean direction of the features of cells (N, 3): a query (C,), or (P,), for a painted class or a lasso.

    Raises
    ------
    ValueError
        If there are no cells, or `projected` is asked for without a projector.
    """
    space = embeddings.projected if projected else embeddings.features
    if space is None:
        raise ValueError("The model has no projector at this level.")
    if len(cells) == 0:
        raise ValueError("There are no cells to take the mean of.")
    mean: NDArray[np.float32] = unit(space[tuple(cells.T)]).mean(axis=0)
    return mean


def unit(rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return rows (N, C) at unit length, float32; rows of zeros stay zeros."""
    rows = as_float32(rows)
    scaled: NDArray[np.float32] = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _LEAST_NORM)
    return scaled


def to_scan_grid(cells: np.ndarray, embeddings: CaseEmbeddings, shape: Triple, *, linear: bool = False) -> np.ndarray:
    """Bring a map of cells to the scan's own canonical grid.

    Parameters
    ----------
    cells : array of shape (Z, Y, X) or (Z, Y, X, n)
    shape : tuple of int
        Voxels of the scan, (z, y, x).
    linear : bool
        Interpolate between the middles of the cells, as float32; otherwise each voxel takes the cell its middle lies in.

    Returns
    -------
    array of shape (*shape) or (*shape, n)
    """
    if not linear:
        corners = (np.arange(side) for side in shape)
        indices = embeddings.cell_of(np.stack([np.resize(corner, max(shape)) for corner in corners], axis=1))
        return cells[np.ix_(*(indices[:side, axis] for axis, side in enumerate(shape)))]
    for axis, (side, scale) in enumerate(zip(shape, embeddings.scale, strict=True)):
        cells = _interpolated(cells.astype(np.float32, copy=False), axis, (np.arange(side) + 0.5) / scale - 0.5)
    return cells


def _products(features: np.ndarray, direction: NDArray[np.float32]) -> NDArray[np.float32]:
    """(..., C) @ (C,) in float32, a plane at a time so that no copy of all features is made."""
    if features.ndim < 4:
        products: NDArray[np.float32] = as_float32(features) @ direction
        return products
    return np.stack([as_float32(plane) @ direction for plane in features])


def _interpolated(values: np.ndarray, axis: int, places: NDArray[np.floating[Any]]) -> np.ndarray:
    """Interpolate along an axis at `places`, in cells from the middle of the first; constant beyond the ends."""
    places = np.clip(places, 0, values.shape[axis] - 1)
    before = places.astype(int)
    after = np.minimum(before + 1, values.shape[axis] - 1)
    share = (places - before).astype(np.float32).reshape(-1, *[1] * (values.ndim - 1 - axis))
    first, second = values.take(before, axis), values.take(after, axis)
    second -= first
    second *= share
    first += second
    return first
