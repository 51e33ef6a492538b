"""Points chosen in the scatter, and the way from there to the scan: marked, told, painted. No widgets.

The points are a sample. What is marked in the scan on view is every cell that would lie in the lasso; where that is not known,
as with UMAP, it is the cells of the points.
"""

import numpy as np
from napari.utils.colormaps import Colormap
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.projection import Projection
from cvrl_napari.engine.similarity import to_scan_grid
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.cloud import Cloud
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.lasso import inside
from cvrl_napari.gui.embeddings.overlays import Overlays
from cvrl_napari.gui.embeddings.paint_where import paint_where
from cvrl_napari.gui.session import Session

MARKS = "Marked voxels"
MARKED = Colormap(["#ff3df200", "#ff3df2ff"], name="marked")
"""Loud, and unlike any color of the class palette."""


class Selection(QObject):
    """The chosen points.

    Signals
    -------
    changed
        Other points are chosen, or what is known of them changed.
    confirmed : str
        Something was done: a sentence.
    """

    changed = Signal()
    confirmed = Signal(str)

    def __init__(
        self, session: Session, computed: Computed, cloud: Cloud, overlays: Overlays, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._computed, self._cloud, self._overlays = session, computed, cloud, overlays
        self.chosen = np.zeros(0, bool)
        self._fences: tuple[np.ndarray, ...] = ()
        self._fenced: tuple[str, np.ndarray] | None = None
        self._asked = 0
        self._background = Background(self)
        overlays.plan(MARKS, np.uint8(0), colormap=MARKED, contrast_limits=(0, 1), opacity=0.7)
        cloud.changed.connect(self._on_cloud)
        cloud.recolored.connect(self.changed)
        session.case_opened.connect(self._look_closer)

    @property
    def can_paint(self) -> bool:
        """Whether anything is marked in the scan on view."""
        return self._cells() is not None

    def choose(self, chosen: np.ndarray, *, fence: np.ndarray | None = None, more: bool = False) -> None:
        """Choose points, bool (N,); with `more` they come to those before. Their voxels are marked in the viewer.

        Parameters
        ----------
        fence : array of shape (V, 2), optional
            The lasso they lie in: all cells of the scan on view that would lie in it are then marked, drawn or not.
        """
        more = more and len(chosen) == len(self.chosen) and bool(self.chosen.any())
        before = self._fences if more else ()
        self._fences = (*before, fence) if fence is not None and (before or not more) else ()
        self.chosen = chosen | self.chosen if more else chosen
        self._look_closer()

    def clear(self) -> None:
        """Choose none."""
        self.choose(np.zeros(len(self.chosen), bool))

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self._background.close()

    def makeup(self) -> str:
        """Say what is chosen: '812 points, 93 % predicted left atrium, 4 cases; 12.3 ml of this scan'."""
        sample, study = self._cloud.sample, self._session.study
        count = int(self.chosen.sum())
        if sample is None or study is None or not count:
            return ""
        names = {0: "background"} | {one.id: one.name for one in study.classes}
        counts = np.bincount(sample.predicted[self.chosen])
        most = int(counts.argmax())
        cases = len(self.cases())
        where = f"all in {self.cases()[0][0]}" if cases == 1 else f"{cases} cases"
        share = 100 * counts[most] / count
        words = f"{count:,} point{'s' * (count != 1)}, {share:.0f} % predicted {names.get(most, f'class {most}')}, {where}"
        cells, embeddings = self._cells(), self._computed.loaded.get(self._session.case)
        scan = self._session.layers.scan
        if cells is None or embeddings is None or scan is None:
            return words
        ml = float(cells.sum()) * float(np.prod(embeddings.scale)) * scan.voxel_ml
        return f"{words}; {ml:.3g} ml of this scan"

    def cases(self) -> list[tuple[str, int]]:
        """Return the cases with chosen points and how many, the most first."""
        sample = self._cloud.sample
        if sample is None or len(sample) != len(self.chosen):
            return []
        counts = np.bincount(sample.case_of[self.chosen], minlength=len(sample.cases))
        return sorted(
            ((case, int(count)) for case, count in zip(sample.cases, counts, strict=True) if count), key=lambda one: -one[1]
        )

    def on_view(self) -> np.ndarray:
        """Return the chosen voxels (N, 3) of the case on view."""
        sample, case = self._cloud.sample, self._session.case
        if sample is None or case not in sample.cases or len(sample) != len(self.chosen):
            return np.zeros((0, 3), np.int32)
        voxels: np.ndarray = sample.voxels[self.chosen & (sample.case_of == sample.cases.index(case))]
        return voxels

    def paint(self, class_id: int) -> int:
        """Paint what the chosen points of the case on view stand for, where nothing is painted yet; one step to undo."""
        session, cells = self._session, self._cells()
        if cells is None:
            return 0
        embeddings = self._computed.loaded[session.case]
        elsewhere = len(self.cases()) - (session.case in dict(self.cases()))
        changed = paint_where(session, to_scan_grid(cells, embeddings, embeddings.scan_shape) > 0, class_id)
        more = " Other cases stay as they are: open them to paint there." if elsewhere else ""
        self.confirmed.emit(f"{changed:,} voxels of {session.case} were painted; Ctrl+Z takes it back.{more}")
        return changed

    def _cells(self) -> np.ndarray | None:
        """Return the cells of the case on view with 1 where something is chosen, uint8; None when nothing is."""
        voxels, embeddings = self.on_view(), self._computed.loaded.get(self._session.case)
        if self._fenced is not None and self._fenced[0] == self._session.case and embeddings is not None:
            return self._fenced[1] if self._fenced[1].any() else None
        if embeddings is None or not len(voxels):
            return None
        cells = np.zeros(embeddings.shape, np.uint8)
        cells[tuple(embeddings.cell_of(voxels).T)] = 1
        return cells

    def _mark(self) -> None:
        """Show the chosen voxels of the case on view in its layers."""
        cells = self._cells()
        if cells is None:
            self._overlays.hide(MARKS)
        else:
            cell = self._computed.loaded[self._session.case].scale
            self._overlays.show(MARKS, cells, cell)

    def _look_closer(self, _case: str = "") -> None:
        """Mark the cells of the points at once, and all that lie in the lasso soon."""
        self._fenced = None
        self._asked += 1
        self._mark()
        self.changed.emit()
        number, case, fences = self._asked, self._session.case, self._fences
        embeddings, projection = self._computed.loaded.get(case), self._cloud.projection
        if embeddings is None or projection is None or projection.basis is None or not fences:
            return
        projected = self._cloud.shows_projected

        def show(cells: np.ndarray) -> None:
            if number == self._asked:
                self._fenced = (case, cells)
                self._mark()
                self.changed.emit()

        self._background.run(lambda: _all_inside(embeddings, projection, fences, projected), show, lambda _: None)

    def _on_cloud(self, smoothly: bool) -> None:
        """The points are others: none is chosen. The same ones elsewhere stay chosen."""
        sample = self._cloud.sample
        if not smoothly or sample is None or len(sample) != len(self.chosen):
            self.chosen = np.zeros(0 if sample is None else len(sample), bool)
        self._fences = ()
        self._look_closer()


def _all_inside(
    embeddings: CaseEmbeddings, projection: Projection, fences: tuple[np.ndarray, ...], projected: bool
) -> np.ndarray:
    """Return 1 for the cells (Z, Y, X) that the projection brings into one of the fences, uint8."""
    space = embeddings.projected if projected and embeddings.projected is not None else embeddings.features
    cells = np.zeros(embeddings.shape, np.uint8)
    for index in range(len(cells)):  # a plane at a time: memory
        rows = np.asarray(space[index])
        places = projection.transform(rows.reshape(-1, rows.shape[-1]))
        for fence in fences:
            cells[index] |= inside(places, fence).reshape(cells[index].shape)
    return cells
