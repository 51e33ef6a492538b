"""Where a scan looks to the network like a given voxel: the cosine of every cell's features with those of the query."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.config import Triple
from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.half import as_float32

SMOOTHED_CELLS = 3
"""Edge of the cube of low-level cells that a map is averaged over: fewer odd ones, and borders that follow the structure."""
_LEAST_NORM = 1e-6


def query_of(embeddings: CaseEmbeddings, cells: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Return what to look for to find cells like these (N, 3): the mean direction (C,) of their features from the scan's mean.

    Raises
    ------
    ValueError
        If there are no cells.
    """
    if len(cells) == 0:
        raise ValueError("There are no cells to look for.")
    mean: NDArray[np.float32] = unit(as_float32(embeddings.features[tuple(cells.T)]) - embeddings.middle).mean(axis=0)
    return mean


def find_similar(
    embeddings: CaseEmbeddings, query: NDArray[np.floating[Any]], *, plane: tuple[int, int] | None = None
) -> NDArray[np.float32]:
    """Return how much each cell of a scan is like a query: what the similarity tool shows.

    The cosine of directions from the scan's mean features, at the low level averaged over a cube of cells. Of all that was
    tried this found structures best, whatever contrasts a model was trained with (docs/benchmarks.md, *Embeddings*).

    Parameters
    ----------
    query : array of shape (C,)
        From `query_of`, for this or another scan by the same model.
    plane : tuple of int, optional
        Axis (0, 1, 2 for z, y, x) and index of the one plane of cells that is wanted.

    Returns
    -------
    array of shape (Z, Y, X), or of the plane, float32
        From -1 (opposite) to 1 (same direction).
    """
    direction = unit(query[None])[0]
    if embeddings.level != "low":  # too coarse to smooth
        return _from_the_mean(embeddings, direction, _cells(plane))
    from scipy.ndimage import uniform_filter

    if plane is None:
        found = _from_the_mean(embeddings, direction, ...)
    else:
        axis, index = plane
        reach = range(index - SMOOTHED_CELLS // 2, index + SMOOTHED_CELLS // 2 + 1)
        near = np.clip(reach, 0, embeddings.shape[axis] - 1)
        found = np.mean([_from_the_mean(embeddings, direction, _cells((axis, one))) for one in near], axis=0)
    smooth: NDArray[np.float32] = uniform_filter(found, SMOOTHED_CELLS, mode="nearest")
    return smooth


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
    cells = _cells(plane)
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


def _cells(plane: tuple[int, int] | None) -> Any:
    """Return the index of a plane of cells, or of all."""
    return ... if plane is None else (*[slice(None)] * plane[0], plane[1])


def _from_the_mean(embeddings: CaseEmbeddings, direction: NDArray[np.float32], cells: Any) -> NDArray[np.float32]:
    """Return the cosine of each cell's features, less the scan's mean, with a direction."""
    products = _products(embeddings.features[cells], direction) - embeddings.middle @ direction
    similarity: NDArray[np.float32] = products / np.maximum(embeddings.norms_from_middle[cells], _LEAST_NORM)
    return np.clip(similarity, -1, 1, out=similarity)


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
