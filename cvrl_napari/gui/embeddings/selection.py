"""Points chosen in the scatter, and the way from there to the scan: marked, told, painted. No widgets."""

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.similarity import to_scan_grid
from cvrl_napari.gui.class_colors import colormap
from cvrl_napari.gui.embeddings.cloud import Cloud
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.overlays import Overlays
from cvrl_napari.gui.embeddings.paint_where import paint_where
from cvrl_napari.gui.session import Session

MARKS = "Marked voxels"
MARK_COLOR = "#ff3df2"
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
        cloud.changed.connect(self._on_cloud)
        cloud.recolored.connect(self.changed)
        session.case_opened.connect(self._on_case_opened)

    def choose(self, chosen: np.ndarray, *, more: bool = False) -> None:
        """Choose points, bool (N,); with `more` they come to those before. Their voxels are marked in the viewer."""
        self.chosen = chosen | self.chosen if more and len(chosen) == len(self.chosen) else chosen
        self._mark()
        self.changed.emit()

    def clear(self) -> None:
        """Choose none."""
        self.choose(np.zeros(len(self.chosen), bool))

    def makeup(self) -> str:
        """Say what is chosen: '812 voxels, 93 % predicted left atrium, 4 cases'."""
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
        return f"{_points(count)}, {share:.0f} % predicted {names.get(most, f'class {most}')}, {where}"

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
        changed = paint_where(session, to_scan_grid(cells, embeddings, embeddings.scan_shape) > 0, class_id)
        elsewhere = int(self.chosen.sum()) - len(self.on_view())
        more = (
            f" The {_points(elsewhere)} of other cases stay as they are: open these cases to paint there." if elsewhere else ""
        )
        self.confirmed.emit(f"{changed:,} voxels of {session.case} were painted; Ctrl+Z takes it back.{more}")
        return changed

    def _cells(self) -> np.ndarray | None:
        """Return the cells of the case on view with 1 where a point is chosen, uint8; None when there is none."""
        voxels, embeddings = self.on_view(), self._computed.loaded.get(self._session.case)
        if embeddings is None or not len(voxels):
            return None
        cells = np.zeros(embeddings.shape, np.uint8)
        cells[tuple(embeddings.cell_of(voxels).T)] = 1
        return cells

    def _mark(self) -> None:
        """Show the chosen voxels of the case on view in its layers."""
        cells = self._cells()
        if cells is None:
            self._overlays.remove(MARKS)
        else:
            cell = self._computed.loaded[self._session.case].scale
            self._overlays.show_labels(MARKS, cells, cell, colormap=colormap({1: MARK_COLOR}), opacity=0.9)

    def _on_case_opened(self, _case: str) -> None:
        self._mark()
        self.changed.emit()

    def _on_cloud(self, smoothly: bool) -> None:
        """The points are others: none is chosen. The same ones elsewhere stay chosen."""
        sample = self._cloud.sample
        if not smoothly or sample is None or len(sample) != len(self.chosen):
            self.chosen = np.zeros(0 if sample is None else len(sample), bool)
        self._mark()
        self.changed.emit()


def _points(count: int) -> str:
    return f"{count:,} voxel" if count == 1 else f"{count:,} voxels"
