"""Features as colors: the three leading principal components as red, green and blue, the same from one update to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.half import as_float32
from cvrl_napari.engine.projection import principal_axes, procrustes
from cvrl_napari.engine.similarity import unit

ROWS = 50_000
"""Cells that the colors are fitted to."""
_SPREAD = (1, 99)  # percentiles that fill the range: a few odd cells do not make the rest pale


@dataclass(frozen=True, eq=False)
class ColorBasis:
    """How features become colors.

    Attributes
    ----------
    mean : array of shape (C,), float32
    axes : array of shape (C, 3), float32
        Directions of red, green and blue.
    low, high : arrays of shape (3,), float32
        What becomes 0 and 255.
    """

    mean: NDArray[np.float32]
    axes: NDArray[np.float32]
    low: NDArray[np.float32]
    high: NDArray[np.float32]

    def paint(self, features: np.ndarray) -> NDArray[np.uint8]:
        """Return the colors (..., 3) of features (..., C)."""
        share = (as_float32(features) @ self.axes - self.mean @ self.axes - self.low) / (self.high - self.low)
        painted: NDArray[np.uint8] = (255 * np.clip(share, 0, 1)).astype(np.uint8)
        return painted


def fit_colors(
    embeddings: Sequence[CaseEmbeddings],
    *,
    like: tuple[ColorBasis, Sequence[CaseEmbeddings]] | None = None,
    seed: int = 0,
) -> ColorBasis:
    """Find the colors of some cases by one model.

    Parameters
    ----------
    embeddings : sequence of CaseEmbeddings
        At least one, of one model and level.
    like : tuple of ColorBasis and sequence of CaseEmbeddings, optional
        The colors before, and the embeddings of the same cases by the model before: the new colors are turned so that each cell
        keeps its color as far as the features allow.
    """
    cells = _draw(embeddings, seed)
    rows = _rows(embeddings, cells)
    mean, axes = principal_axes(rows, 3)
    if like is not None and [one.shape for one in like[1]] == [one.shape for one in embeddings]:
        before, former = like
        known = (_rows(former, cells) - before.mean) @ before.axes
        axes = axes @ procrustes((rows - mean) @ axes, known - known.mean(axis=0)).astype(np.float32)
    low, high = np.percentile((rows - mean) @ axes, _SPREAD, axis=0).astype(np.float32)
    return ColorBasis(mean, axes, low, np.maximum(high, low + 1e-6))


def color_map(embeddings: CaseEmbeddings, basis: ColorBasis) -> NDArray[np.uint8]:
    """Return the colors of a case's cells, (Z, Y, X, 3), uint8."""
    return np.stack([basis.paint(plane) for plane in embeddings.features])


def change_between(before: CaseEmbeddings, after: CaseEmbeddings, *, seed: int = 0) -> NDArray[np.float32]:
    """Return how far the features of a case differ between two models, cell by cell.

    The features of `before` are first turned onto those of `after` (one rotation for the whole scan), because a network may
    turn all its features alike without seeing anything else than before.

    Returns
    -------
    array of shape (Z, Y, X), float32
        1 - cosine: 0 the same, 1 nothing in common, 2 opposite.

    Raises
    ------
    ValueError
        If the two are not of one case and level, or of networks of different sizes.
    """
    if (before.case, before.level, before.features.shape) != (after.case, after.level, after.features.shape):
        raise ValueError("The two embeddings are not of the same case, level and size of network.")
    cells = _draw([before], seed)
    turn = procrustes(unit(_rows([before], cells)), unit(_rows([after], cells))).astype(np.float32)
    channels = before.features.shape[-1]
    change = np.empty(before.shape, np.float32)
    for number, (old, new) in enumerate(zip(before.features, after.features, strict=True)):
        cosine = (unit(old.reshape(-1, channels)) @ turn * unit(new.reshape(-1, channels))).sum(axis=1)
        change[number] = 1 - cosine.reshape(change.shape[1:])
    return np.clip(change, 0, 2, out=change)


def _draw(embeddings: Sequence[CaseEmbeddings], seed: int) -> list[NDArray[np.int64]]:
    """Return for each case the numbers of the cells that are looked at."""
    rng = np.random.default_rng(seed)
    share = max(1, ROWS // len(embeddings))
    counts = [one.predicted.size for one in embeddings]
    return [rng.choice(count, min(share, count), replace=False) for count in counts]


def _rows(embeddings: Sequence[CaseEmbeddings], cells: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    parts = [one.features.reshape(-1, one.features.shape[-1])[mine] for one, mine in zip(embeddings, cells, strict=True)]
    rows: NDArray[np.float32] = as_float32(np.concatenate(parts))
    return rows
