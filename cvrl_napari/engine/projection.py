"""Many features in two dimensions: PCA at once, UMAP and t-SNE for those who can wait (`cvrl project`, a process of its own).

A projection that follows another of the same points is turned, mirrored, scaled and shifted onto it, so that points stay where
the eye left them.
"""

import contextlib
import io
from dataclasses import dataclass
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.config import ProjectionMethod

_PERPLEXITY = 30.0
_NEIGHBORS = 15


@dataclass(frozen=True, eq=False)
class Projection:
    """Rows brought to two dimensions.

    Attributes
    ----------
    points : array of shape (N, 2), float32
    mean : array of shape (C,), float32, or None
    basis : array of shape (C, 2), float32, or None
        With the mean: takes further rows to where they belong among the points. None for UMAP and t-SNE, which cannot.
    """

    points: NDArray[np.float32]
    mean: NDArray[np.float32] | None = None
    basis: NDArray[np.float32] | None = None

    def transform(self, rows: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
        """Project further rows (N, C) as the first ones were.

        Raises
        ------
        ValueError
            If the projection was no PCA, or the rows have another number of channels.
        """
        if self.basis is None or self.mean is None:
            raise ValueError("Only a PCA can take further rows.")
        return _placed(rows.astype(np.float32), self.mean, self.basis)


def fit_projection(
    rows: NDArray[np.floating[Any]],
    method: ProjectionMethod = "pca",
    *,
    seed: int = 0,
    like: NDArray[np.floating[Any]] | None = None,
    words: TextIO | None = None,
) -> Projection:
    """Bring rows to two dimensions.

    Parameters
    ----------
    rows : array of shape (N, C)
        Features, as they are; any number of rows and channels.
    method : str
        'pca' takes well under a second for 100,000 rows, 'umap' and 'tsne' minutes, and import slow libraries: they belong
        into a process of their own.
    seed : int
        Of UMAP and t-SNE: the same seed, the same points.
    like : array of shape (N, 2), optional
        The same points in a projection before, NaN where one is new. The new projection is aligned to it.
    words : text file, optional
        Where UMAP and t-SNE write how far they are.
    """
    rows = rows.astype(np.float32)
    if method == "pca":
        mean, basis = principal_axes(rows, 2)
        fitted = Projection(_placed(rows, mean, basis), mean, basis)
    else:
        fitted = Projection(_embedded(rows, method, seed, words or io.StringIO()))
    return fitted if like is None else _aligned(fitted, like.astype(np.float64))


def principal_axes(rows: NDArray[np.float32], count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean (C,) and the first principal axes (C, count) of rows (N, C), each axis towards its largest weight.

    Axes that the rows do not have, because they are too few or too alike, are zeros.
    """
    channels = rows.shape[1]
    mean: NDArray[np.float32] = rows.mean(axis=0) if len(rows) else np.zeros(channels, np.float32)
    centered = rows - mean
    values, vectors = np.linalg.eigh((centered.T @ centered).astype(np.float64))
    axes = np.zeros((channels, count), np.float32)
    for number, index in enumerate(np.argsort(values)[::-1][:count]):
        if values[index] > 1e-9 * max(values[-1], 1e-30):
            vector = vectors[:, index]
            axes[:, number] = vector * np.sign(vector[np.abs(vector).argmax()])
    return mean, axes


def procrustes(points: NDArray[np.floating[Any]], target: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return the turn (D, D) that brings centered points (N, D) closest to centered targets (Schoenemann, 1966)."""
    left, _, right = np.linalg.svd(points.astype(np.float64).T @ target.astype(np.float64))
    turned: NDArray[np.float64] = left @ right
    return turned


def _embedded(rows: NDArray[np.float32], method: ProjectionMethod, seed: int, words: TextIO) -> NDArray[np.float32]:
    if len(rows) <= 3:  # both methods need neighbours
        mean, basis = principal_axes(rows, 2)
        return _placed(rows, mean, basis)
    if method == "umap":
        from umap import UMAP

        bar = {"file": words, "bar_format": "{n_fmt}/{total_fmt} ", "disable": False}
        reducer = UMAP(n_neighbors=min(_NEIGHBORS, len(rows) - 1), random_state=seed, n_jobs=1, tqdm_kwds=bar)
    else:
        from sklearn.manifold import TSNE

        reducer = TSNE(perplexity=min(_PERPLEXITY, (len(rows) - 1) / 3), init="pca", random_state=seed, verbose=2)
    with contextlib.redirect_stdout(words):
        points: NDArray[np.float32] = reducer.fit_transform(rows).astype(np.float32)
    return points


def _placed(rows: NDArray[np.float32], mean: NDArray[np.float32], basis: NDArray[np.float32]) -> NDArray[np.float32]:
    points: NDArray[np.float32] = ((rows - mean) @ basis).astype(np.float32)
    return points


def _aligned(fitted: Projection, like: NDArray[np.float64]) -> Projection:
    """Turn, scale and shift a projection so that the points both have lie as close as they can."""
    common = np.isfinite(like).all(axis=1)
    if common.sum() < 3:
        return fitted
    ours, theirs = fitted.points[common].astype(np.float64), like[common]
    our_middle, their_middle = ours.mean(axis=0), theirs.mean(axis=0)
    turn = procrustes(ours - our_middle, theirs - their_middle)
    spread = np.square(ours - our_middle).sum()
    scale = float(((ours - our_middle) @ turn * (theirs - their_middle)).sum() / spread) if spread > 0 else 1.0
    turn = (turn * (scale or 1.0)).astype(np.float32)
    shift = (their_middle - our_middle @ turn).astype(np.float32)
    points = fitted.points @ turn + shift
    if fitted.basis is None or fitted.mean is None:
        return Projection(points)
    # (rows - mean') basis' = (rows - mean) basis turn + shift
    basis = (fitted.basis @ turn).astype(np.float32)
    mean = fitted.mean - shift @ np.linalg.pinv(basis)
    return Projection(points, mean.astype(np.float32), basis)
