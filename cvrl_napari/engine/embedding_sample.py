"""Cells of several scans drawn for a plot: so many of each class, each with its place and what is known of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.study.labels import BACKGROUND


@dataclass(frozen=True, eq=False)
class Sample:
    """Drawn cells, one a row.

    Attributes
    ----------
    rows : array of shape (N, C), float32
        Features or, when drawn so, embeddings behind the projector.
    case_of : array of shape (N,), int64
        Index into `cases`.
    cases : tuple of str
    voxels : array of shape (N, 3), int32
        The voxel (z, y, x) of the scan's canonical grid in which the cell's middle lies.
    predicted : array of shape (N,), uint8
        Class the model sees there, 0 background.
    painted : array of shape (N,), uint8
        0 not painted, 1..K classes, 255 background: what most of the painted voxels of the cell are.
    uncertainty : array of shape (N,), float32
        0 (sure) to 1.
    """

    rows: NDArray[np.float32]
    case_of: NDArray[np.int64]
    cases: tuple[str, ...]
    voxels: NDArray[np.int32]
    predicted: NDArray[np.uint8]
    painted: NDArray[np.uint8]
    uncertainty: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)


def draw_sample(
    embeddings: Sequence[CaseEmbeddings],
    painted: Mapping[str, np.ndarray],
    count: int,
    *,
    projected: bool = False,
    seed: int = 0,
) -> Sample:
    """Draw up to `count` cells of some cases, the classes in equal parts as far as they reach.

    A cell's class is the painted one where something is painted, else the predicted one. What a rare class lacks the others
    make up for. The same arguments give the same sample.

    Parameters
    ----------
    embeddings : sequence of CaseEmbeddings
        At least one; all of one model and level.
    painted : mapping of str to array of shape (z, y, x), uint8
        Labels at rest by case, on the scans' canonical grids: 0 not painted, 1..K, 255 background. Cases may lack.
    projected : bool
        Take what the projector makes of the features; all models must have one.

    Raises
    ------
    ValueError
        If `projected` is asked for without a projector.
    """
    if projected and any(one.projected is None for one in embeddings):
        raise ValueError("The model has no projector at this level.")
    by_case = [_painted_or_none(one, painted.get(one.case)) for one in embeddings]
    strata = [_classes(one, paint).ravel() for one, paint in zip(embeddings, by_case, strict=True)]
    first = np.cumsum([0, *(len(one) for one in strata)])  # of each case, among the cells of all
    drawn = np.sort(draw_balanced(np.concatenate(strata), count, np.random.default_rng(seed)))
    parts = []
    for number, (one, paint) in enumerate(zip(embeddings, by_case, strict=True)):
        mine = drawn[(drawn >= first[number]) & (drawn < first[number + 1])] - first[number]
        parts.append(_part(one, paint, np.stack(np.unravel_index(mine, one.shape), axis=1), number, projected=projected))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    rows, case_of, voxels, predicted, marks, uncertainty = columns
    return Sample(rows, case_of, tuple(one.case for one in embeddings), voxels, predicted, marks, uncertainty)


def painted_cells(embeddings: CaseEmbeddings, labels: np.ndarray) -> NDArray[np.uint8]:
    """Return for each cell what most of its painted voxels are, (Z, Y, X), 0 where none is: a stroke on one slice counts.

    Parameters
    ----------
    labels : array of shape (z, y, x), uint8
        Labels at rest on the scan's canonical grid: 0 not painted, 1..K, 255 background.
    """
    marks = np.zeros(embeddings.shape, np.uint8).ravel()
    most = np.zeros(len(marks), np.int64)
    voxels = np.argwhere(labels)
    cells = np.ravel_multi_index(tuple(embeddings.cell_of(voxels).T), embeddings.shape)
    values = labels[tuple(voxels.T)]
    for value in np.unique(values):
        votes = np.bincount(cells[values == value], minlength=len(marks))
        wins = votes > most
        marks[wins], most[wins] = value, votes[wins]
    return marks.reshape(embeddings.shape)


def _painted_or_none(one: CaseEmbeddings, labels: np.ndarray | None) -> NDArray[np.uint8]:
    return np.zeros(one.shape, np.uint8) if labels is None else painted_cells(one, labels)


def _classes(one: CaseEmbeddings, painted: NDArray[np.uint8]) -> NDArray[np.uint8]:
    classes: NDArray[np.uint8] = np.where(painted > 0, painted, one.predicted)
    classes[classes == BACKGROUND] = 0
    return classes


def draw_balanced(classes: NDArray[np.integer[Any]], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw up to `count` places of a vector, the same number of each value; what a rare one lacks the others make up for."""
    by_class = sorted((np.flatnonzero(classes == value) for value in np.unique(classes)), key=len)
    drawn, left = [np.empty(0, np.int64)], count
    for number, places in enumerate(by_class):
        share = min(len(places), left // (len(by_class) - number))
        drawn.append(rng.choice(places, share, replace=False, shuffle=False))
        left -= share
    return np.concatenate(drawn)


def _part(
    one: CaseEmbeddings, painted: NDArray[np.uint8], cells: NDArray[np.int64], number: int, *, projected: bool
) -> tuple[np.ndarray, ...]:
    """Return the columns of a sample for the drawn cells (n, 3) of one case."""
    where = tuple(cells.T)
    space = one.projected if projected and one.projected is not None else one.features
    return (
        space[where].astype(np.float32),
        np.full(len(cells), number),
        one.voxel_of(cells).astype(np.int32),
        one.predicted[where],
        painted[where],
        one.uncertainty[where].astype(np.float32),
    )
