"""The points of the scatter: drawn from the computed embeddings, projected to the plane, kept while a training goes on."""

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.config import ProjectionMethod
from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.embedding_sample import Sample, draw_sample
from cvrl_napari.engine.projection import Projection, fit_projection
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.jobs import Job
from cvrl_napari.gui.session import Session
from cvrl_napari.study.study import Study

POINTS = 20_000
"""Drawn at first."""
MOST_POINTS = 100_000
NO_PROJECTOR = "This model has no projector at this level (it was trained without contrast there): its features are shown."
_START_S: dict[ProjectionMethod, float] = {"umap": 20.0, "tsne": 5.0}
_POINT_MS: dict[ProjectionMethod, float] = {"umap": 9.0, "tsne": 7.0}
"""Seconds of a core before the first point (UMAP is compiled), and thousandths for each; docs/benchmarks.md."""


def seconds_of(method: ProjectionMethod, count: int) -> float:
    """Say about how long a projection of so many points takes on a free computer, in seconds; 0 for PCA."""
    return _START_S.get(method, 0.0) + _POINT_MS.get(method, 0.0) * count / 1000


class Drawn(NamedTuple):
    """A sample, where its points lie, and the voxels (z, y, x) of the scans in the order of its cases."""

    sample: Sample
    projection: Projection
    scan_shapes: tuple[tuple[int, int, int], ...]
    smoothly: bool


class Cloud(QObject):
    """What the scatter shows. Nothing of it is slow in the GUI thread.

    Signals
    -------
    changed : bool
        Sample or places are new; true when they are the points of before, which may move there.
    recolored
        `sample.painted` changed, the points did not.
    noticed : str
        A sentence about what is shown; empty takes it back.
    failed : str, str, str
        Sentence, what to do, details.
    """

    changed = Signal(bool)
    recolored = Signal()
    noticed = Signal(str)
    failed = Signal(str, str, str)

    def __init__(self, session: Session, computed: Computed, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._computed = session, computed
        self._background = Background(self)
        self._asked = 0
        self._drawn: Drawn | None = None
        self._model: Path | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self.count = POINTS
        self.method: ProjectionMethod = "pca"
        self.projected = False
        self.job = Job(self)
        self.job.succeeded.connect(self._on_projected)
        self.job.failed.connect(self.failed)
        computed.changed.connect(self.draw)
        session.painting.painted.connect(self._on_painted)

    @property
    def sample(self) -> Sample | None:
        """The points' rows and what is known of them; None when there is nothing to show."""
        return self._drawn.sample if self._drawn else None

    @property
    def places(self) -> np.ndarray:
        """Where the points lie, (N, 2)."""
        return self._drawn.projection.points if self._drawn else np.zeros((0, 2), np.float32)

    @property
    def projection(self) -> Projection | None:
        """How rows become places."""
        return self._drawn.projection if self._drawn else None

    @property
    def shows_projected(self) -> bool:
        """Whether the points are what the projector makes of the features."""
        return self.projected and all(one.projected is not None for one in self._computed.loaded.values())

    @property
    def scan_shapes(self) -> tuple[tuple[int, int, int], ...]:
        """Voxels (z, y, x) of the scans, by the order of `sample.cases`."""
        return self._drawn.scan_shapes if self._drawn else ()

    def choose(
        self, *, count: int | None = None, projected: bool | None = None, method: ProjectionMethod | None = None
    ) -> None:
        """Show more or fewer points, other features, or another projection; what is not given stays."""
        self.count = count or self.count
        self.projected = self.projected if projected is None else projected
        self.method = method or self.method
        self._model = None  # nothing is kept
        self.draw()

    def draw(self) -> None:
        """Draw points anew in the background; those of the same cases and model stay the same points."""
        self.job.cancel()
        study, embeddings = self._session.study, list(self._computed.loaded.values())
        self._asked += 1
        if study is None or not embeddings:
            self._drawn = self._model = None
            self.changed.emit(False)
            return
        number, model, before = self._asked, self._computed.model, self._drawn
        can_project = all(one.projected is not None for one in embeddings)
        self.noticed.emit(NO_PROJECTOR if self.projected and not can_project else "")
        projected, count = self.projected and can_project, self.count
        on_view = {self._session.case: self._session.layers.labels_array().copy()} if self._session.case else {}
        kept = before is not None and model == self._model and before.sample.cases == tuple(one.case for one in embeddings)

        def make() -> Drawn:
            if before is not None and kept:
                return _moved(before, embeddings, projected)
            return _new(study, embeddings, on_view, count, projected)

        def show(drawn: Drawn) -> None:
            if number != self._asked:
                return
            self._drawn, self._model = drawn, model
            self.changed.emit(drawn.smoothly)
            if self.method != "pca":
                self._project()

        self._background.run(make, show, self._on_error)

    def keep_pca(self) -> None:
        """Give up the projection that is under way; PCA, on view meanwhile, stays."""
        self.method = "pca"
        self.job.cancel()
        self.noticed.emit("PCA stays.")

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self.job.cancel()
        self._background.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _project(self) -> None:
        """Start UMAP or t-SNE in a process of its own; PCA is seen meanwhile."""
        assert self._drawn is not None
        self._folder = self._folder or tempfile.TemporaryDirectory(prefix="cvrl-project-")
        folder, rows, number = Path(self._folder.name), self._drawn.sample.rows, self._asked
        like = self.places  # what is seen turns as little as it can

        def start(_: None) -> None:
            if number == self._asked:
                name = "UMAP" if self.method == "umap" else "t-SNE"
                arguments = ["project", str(folder / "sample.npz"), "--method", self.method, "--seed", "0"]
                self.job.start(name, [*arguments, "--output", str(folder / "places.npy"), "--json"])

        self._background.run(lambda: np.savez(folder / "sample.npz", rows=rows, like=like), start, self._on_error)

    def _on_projected(self) -> None:
        assert self._folder is not None
        path = Path(self._folder.name) / "places.npy"
        try:
            places = np.load(path, allow_pickle=False).astype(np.float32)
        except (OSError, ValueError) as error:
            self.failed.emit("The projection did not come back.", "Choose it again.", repr(error))
            return
        if self._drawn is not None and places.shape == self.places.shape:
            self._drawn = self._drawn._replace(projection=Projection(places), smoothly=True)
            self.changed.emit(True)

    def _on_painted(self, case: str) -> None:
        """Color the points of the case on view by what was just painted."""
        if self._drawn is None or case not in self._drawn.sample.cases:
            return
        sample, labels = self._drawn.sample, self._session.layers.labels_array()
        mine = np.flatnonzero(sample.case_of == sample.cases.index(case))
        voxels = sample.voxels[mine]
        if len(mine) and (voxels.max(axis=0) < labels.shape).all():
            painted = sample.painted.copy()
            painted[mine] = labels[tuple(voxels.T)]
            self._drawn = self._drawn._replace(sample=replace(sample, painted=painted))
            self.recolored.emit()

    def _on_error(self, error: Exception) -> None:
        self.failed.emit(str(error), "", repr(error))


def _new(
    study: Study, embeddings: list[CaseEmbeddings], on_view: Mapping[str, np.ndarray], count: int, projected: bool
) -> Drawn:
    stored = {one.case: labels for one in embeddings if (labels := study.read_labels(one.case)) is not None}
    sample = draw_sample(embeddings, {**stored, **on_view}, count, projected=projected)
    shapes = tuple(one.scan_shape for one in embeddings)
    return Drawn(sample, fit_projection(sample.rows), shapes, smoothly=False)


def _moved(before: Drawn, embeddings: list[CaseEmbeddings], projected: bool) -> Drawn:
    """Read the same points from newer features and bring them to the plane as before."""
    sample, projection = before.sample, before.projection
    parts = []
    for number, one in enumerate(embeddings):
        cells = tuple(one.cell_of(sample.voxels[sample.case_of == number]).T)
        space = one.projected if projected and one.projected is not None else one.features
        parts.append((space[cells].astype(np.float32), one.predicted[cells], one.uncertainty[cells].astype(np.float32)))
    rows, predicted, uncertainty = (np.concatenate(column) for column in zip(*parts, strict=True))
    sample = replace(sample, rows=rows, predicted=predicted, uncertainty=uncertainty)
    if projection.basis is not None and len(projection.basis) == rows.shape[1]:
        return before._replace(sample=sample, projection=replace(projection, points=projection.transform(rows)), smoothly=True)
    return before._replace(sample=sample, projection=fit_projection(rows, like=projection.points), smoothly=True)
