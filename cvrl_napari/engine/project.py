"""A projection as a job of its own: UMAP compiles its inner loops for seconds, which would freeze a viewer."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TextIO, cast

import numpy as np

from cvrl_napari.config import ProjectionMethod
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event, Progress
from cvrl_napari.engine.projection import Projection, fit_projection
from cvrl_napari.study.storage import atomic_write

WHAT = {"pca": "Projecting with PCA", "umap": "Projecting with UMAP", "tsne": "Projecting with t-SNE"}
_EVERY_S = 0.2
_TSNE_ITERATIONS = 1000
_EPOCH = re.compile(r"(\d+)/(\d+)")
_ITERATION = re.compile(r"Iteration (\d+)")


def project(sample: Path, output: Path, *, method: ProjectionMethod, seed: int = 0) -> Iterator[Event]:
    """Project the rows of a sample and write the points, (N, 2) float32, to `output` (.npy).

    Parameters
    ----------
    sample : Path
        .npz with `rows` (N, C) and, if the points shall follow a projection before, `like` (N, 2), NaN where a point is new.

    Yields
    ------
    Progress
        The last one says that all is done.

    Raises
    ------
    EngineError
        If the sample cannot be read.
    OSError
        If the points cannot be written.
    """
    rows, like = _read(sample)
    what = WHAT[method]
    yield Progress(what=what, done=0, total=100)
    words = _Words()
    found: list[Projection | Exception] = []

    def fit() -> None:
        try:
            found.append(fit_projection(rows, method, seed=seed, like=like, words=cast(TextIO, words)))
        except Exception as error:
            found.append(error)

    fitting = Thread(target=fit, daemon=True)
    fitting.start()
    while fitting.is_alive():
        fitting.join(_EVERY_S)
        if (percent := words.percent()) is not None:
            yield Progress(what=what, done=percent, total=100)
    if isinstance(found[0], Exception):
        raise found[0]
    points = found[0].points
    atomic_write(output, lambda path: _save(path, points))
    yield Progress(what=what, done=100, total=100)


class _Words:
    """A text file that makes percents of what UMAP and t-SNE print: neither tells in another way how far it is."""

    def __init__(self) -> None:
        self._percents: SimpleQueue[int] = SimpleQueue()

    def write(self, text: str) -> int:
        """Take a piece of text."""
        if epochs := _EPOCH.search(text):
            self._percents.put(100 * int(epochs[1]) // max(int(epochs[2]), 1))
        elif iteration := _ITERATION.search(text):
            self._percents.put(100 * int(iteration[1]) // _TSNE_ITERATIONS)
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""

    def percent(self) -> int | None:
        """Return the latest percent, None when nothing was said since the last time."""
        latest = None
        while True:
            try:
                latest = self._percents.get_nowait()
            except Empty:
                return None if latest is None else min(latest, 99)


def _read(sample: Path) -> tuple[np.ndarray, np.ndarray | None]:
    try:
        with sample.open("rb") as file, np.load(file) as arrays:
            rows, like = arrays["rows"], arrays.get("like")
    except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise EngineError(f"{sample} holds no rows to project.", "Give an .npz with an array `rows`.") from error
    if rows.ndim != 2 or not len(rows) or (like is not None and like.shape != (len(rows), 2)):
        raise EngineError(f"The arrays in {sample} do not fit together.", "Give `rows` (N, C) and, if wanted, `like` (N, 2).")
    return rows, like


def _save(path: Path, points: np.ndarray) -> None:
    with path.open("wb") as file:  # given a path, numpy would add a suffix to its name
        np.save(file, points)
