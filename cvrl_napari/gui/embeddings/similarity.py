"""Where the scan looks to the network like the voxel under the mouse: over the viewed slice, or everywhere. No widgets."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import napari
import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import Colormap
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.engine.embedding_cache import CaseEmbeddings, Level, load_embeddings
from cvrl_napari.engine.similarity import find_similar, query_of, to_scan_grid
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.overlays import Overlays
from cvrl_napari.gui.embeddings.paint_where import paint_where
from cvrl_napari.gui.placement import PAINTED_BACKGROUND_KEY, voxel_at
from cvrl_napari.gui.session import Session
from cvrl_napari.study.study import Study

LAYER = "Similar voxels"
EVERY_MS = 30
"""The map of a slice is computed at most this often while the mouse moves."""
CLICK_VOXELS = 2
"""A press that moves less than so many voxels is a click."""
BEST_CELLS = 100
"""So many cells of a scan make its best match: a single odd one does not."""
THRESHOLD = 0.7
RANGE = (-1.0, 1.0)
HOTTEST = Colormap(
    [[0.0, 0.0, 0.0, 0.0], [0.55, 0.1, 0.65, 0.35], [0.95, 0.35, 0.45, 0.6], [1.0, 0.9, 0.4, 0.8]], name="similar"
)
"""Below the threshold nothing, then the warmer the more alike."""


class Match(NamedTuple):
    """How alike the best cells of a scan are to the query (their mean), the share of the scan that the threshold lets through
    (0 to 1), and the voxel (z, y, x) of the best cell."""

    case: str
    similarity: float
    share: float
    voxel: tuple[int, int, int]


class Similarity(QObject):
    """The tool that is on while its button is down. Moving shows the slice, a click the whole scan.

    Signals
    -------
    changed
        The tool went on or off, or there is another map: see `is_on`, `has_map`.
    noticed : str
        Why nothing is shown, and what to do.
    confirmed : str
        Something was done: a sentence.
    found : object
        list of `Match`, the best first.
    """

    changed = Signal()
    noticed = Signal(str)
    confirmed = Signal(str)
    found = Signal(object)

    def __init__(
        self, viewer: napari.Viewer, session: Session, computed: Computed, overlays: Overlays, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._computed, self._overlays = viewer, session, computed, overlays
        self._background = Background(self)
        self._asked = 0
        self._embeddings: CaseEmbeddings | None = None
        self._map: np.ndarray | None = None
        self._query: np.ndarray | None = None
        self._whole = False
        self._comparing = False
        self._pointed: tuple[int, ...] | None = None
        self._brush: tuple[Labels, str] | None = None
        self.is_on = False
        self.level: Level = "low"
        self.threshold = THRESHOLD
        look = {"colormap": HOTTEST, "interpolation2d": "linear"}
        overlays.plan(LAYER, np.float32(-1), RANGE, contrast_limits=(THRESHOLD, 1.0), **look)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(EVERY_MS)
        self._rest.timeout.connect(self._show_plane)
        session.case_opened.connect(self._on_case_opened)
        session.layers.leaving.connect(self._forget_case)
        computed.changed.connect(self._on_computed)

    @property
    def has_map(self) -> bool:
        """Whether the whole scan on view is compared."""
        return self._whole and self._map is not None

    def shows(self, voxels: np.ndarray) -> np.ndarray:
        """Return which voxels (N, 3) of the case on view the map of the whole scan shows, bool (N,)."""
        if self._embeddings is None or self._map is None or not self._whole:
            return np.zeros(len(voxels), bool)
        return np.asarray(self._map[tuple(self._embeddings.cell_of(voxels).T)] >= self.threshold)

    # The tool

    def switch(self, on: bool) -> None:
        """Take up the tool, or put it down; the map stays until `clear`."""
        if on == self.is_on:
            return
        self.is_on = on
        callbacks = ((self._viewer.mouse_move_callbacks, self._on_move), (self._viewer.mouse_drag_callbacks, self._on_press))
        for listeners, listener in callbacks:
            if on:
                listeners.append(listener)
            elif listener in listeners:
                listeners.remove(listener)
        if on:
            self._put_brush_away()
            self._read()
        else:
            self._give_brush_back()
            self._rest.stop()
            if not self._whole:
                self.clear()
        self.changed.emit()

    def clear(self) -> None:
        """Take the map away and forget what was compared with."""
        self._asked += 1
        self._map, self._query, self._whole = None, None, False
        self._overlays.hide(LAYER)
        self.changed.emit()

    def set_threshold(self, threshold: float) -> None:
        """Show what is at least this similar, -1..1."""
        self.threshold = threshold
        self._overlays.look(LAYER, contrast_limits=(threshold, 1.0))

    def choose(self, level: Level) -> None:
        """Compare the features of another level."""
        self.level = level
        self.clear()
        self._read()

    def like_class(self, class_id: int) -> None:
        """Compare the whole scan with the mean of what is painted with a class on it."""
        embeddings, labels = self._embeddings, self._session.layers.labels_array()
        if embeddings is None:
            self._read()
            self.noticed.emit(self._why_not())
            return
        painted = np.argwhere(labels == class_id)
        if not len(painted):
            self.noticed.emit("Nothing is painted with this class on this scan: paint a little of it first.")
            return

        def mean() -> np.ndarray:
            return query_of(embeddings, np.unique(embeddings.cell_of(painted), axis=0))

        self._background.run(mean, self._compare, self._on_error)

    def paint(self, class_id: int) -> None:
        """Paint what is at least as similar as the threshold, where nothing is painted yet; one step to undo."""
        embeddings, cells, case, threshold = self._embeddings, self._map, self._session.case, self.threshold
        if embeddings is None or cells is None or not self._whole:
            return

        def show(where: np.ndarray) -> None:
            if self._session.case == case:
                changed = paint_where(self._session, where, class_id)
                self.confirmed.emit(f"{changed:,} voxels of {case} were painted; Ctrl+Z takes it back.")

        def on_scan() -> np.ndarray:
            return np.asarray(to_scan_grid(cells, embeddings, embeddings.scan_shape, linear=True) >= threshold)

        self._background.run(on_scan, show, self._on_error)

    def find(self) -> None:
        """Look for what was compared with in the unlabeled scans; `found` lists them by their best match."""
        study, model, query, level = self._session.study, self._computed.model, self._query, self.level
        threshold = self.threshold
        if study is None or model is None or query is None:
            return
        cases = study.unlabeled_cases()

        def show(result: tuple[list[Match], int]) -> None:
            matches, left_out = result
            self.found.emit(matches)
            if left_out:
                scans = "1 unlabeled scan is" if left_out == 1 else f"{left_out} unlabeled scans are"
                self.noticed.emit(f"{scans} not computed yet: choose 'all scans' above and press Compute.")

        self._background.run(lambda: _best_matches(study, model, cases, level, query, threshold), show, self._on_error)

    def close(self) -> None:
        """Let go of the viewer."""
        self.switch(False)
        self._rest.stop()
        self._background.close()

    # The mouse

    def _put_brush_away(self) -> None:
        """A click must not paint; taking up the brush again puts the tool down."""
        layer = next((one for one in self._viewer.layers if PAINTED_BACKGROUND_KEY in one.metadata), None)
        if isinstance(layer, Labels) and (self._brush is None or self._brush[0] is not layer):
            self._brush = (layer, layer.mode)
            layer.mode = "pan_zoom"
            layer.events.mode.connect(self._on_mode)

    def _give_brush_back(self) -> None:
        if self._brush is None:
            return
        (layer, mode), self._brush = self._brush, None
        layer.events.mode.disconnect(self._on_mode)
        if layer.mode == "pan_zoom" and layer is self._viewer.layers.selection.active:
            layer.mode = mode

    def _on_mode(self, _event: Any) -> None:
        if self._brush is not None and self._brush[0].mode != "pan_zoom":
            self.switch(False)

    def _on_move(self, _viewer: Any, event: Any) -> None:
        self._point(event.position)

    def _on_press(self, _viewer: Any, event: Any) -> Iterator[None]:
        """A click compares the whole scan; a drag pans, as ever."""
        start = np.array(event.position)
        yield
        while event.type == "mouse_move":
            yield
        scan = self._session.layers.scan
        if scan is not None and np.abs(np.array(event.position) - start).max() <= CLICK_VOXELS * max(scan.spacing):
            self._point(event.position)
            self.compare_whole()

    def _point(self, position: Any) -> None:
        """Remember the cell under the mouse, and show the slice soon."""
        embeddings, scan = self._embeddings, self._session.layers.scan
        if embeddings is None or scan is None or self._viewer.dims.ndisplay != 2 or len(position) < 3:
            return
        voxel = voxel_at(scan, position[-3:])
        if voxel is None:
            return
        z, y, x = (int(index) for index in embeddings.cell_of(np.array(voxel)))
        if (z, y, x) != self._pointed:
            self._pointed = (z, y, x)
            if not self._whole and not self._rest.isActive():
                self._rest.start()

    def compare_whole(self) -> None:
        """Compare the whole scan with the voxel that was pointed at last."""
        if self._embeddings is None:
            self.noticed.emit(self._why_not())
        elif self._pointed is not None:
            self._compare(query_of(self._embeddings, np.array([self._pointed])))

    def _show_plane(self) -> None:
        """Compare the cells of the slice on view with the one under the mouse, in the background, one slice at a time."""
        embeddings, pointed = self._embeddings, self._pointed
        if embeddings is None or pointed is None or self._whole or self._comparing or not self.is_on:
            return
        axis = self._viewer.dims.order[0] if self._viewer.dims.ndim == 3 else 0
        number, self._comparing = self._asked, True

        def compare() -> tuple[np.ndarray, np.ndarray]:
            query = query_of(embeddings, np.array([pointed]))
            return query, find_similar(embeddings, query, plane=(axis, pointed[axis]))

        def show(found: tuple[np.ndarray, np.ndarray]) -> None:
            self._comparing = False
            if number == self._asked and embeddings is self._embeddings and self.is_on and not self._whole:
                self._query, plane = found
                if self._map is None or self._map.shape != embeddings.shape:
                    self._map = np.full(embeddings.shape, -1, np.float32)
                self._map.fill(-1)
                self._map[(slice(None),) * axis + (pointed[axis],)] = plane
                self._draw()
                self.changed.emit()
            if self._pointed != pointed and not self._rest.isActive():
                self._rest.start()  # the mouse went on meanwhile

        def fail(error: Exception) -> None:
            self._comparing = False
            self._on_error(error)

        self._background.run(compare, show, fail)

    def _compare(self, query: np.ndarray) -> None:
        """Compare the whole scan with a query (C,) in the background; only the last one asked for is shown."""
        embeddings = self._embeddings
        if embeddings is None:
            return
        self._asked += 1
        number, self._query = self._asked, query

        def show(cells: np.ndarray) -> None:
            if number == self._asked and embeddings is self._embeddings:
                self._map, self._whole = cells, True
                self._draw()
                self.changed.emit()

        self._background.run(lambda: find_similar(embeddings, query), show, self._on_error)

    def _draw(self) -> None:
        assert self._map is not None
        assert self._embeddings is not None
        layer = self._overlays.get(LAYER)
        if layer is not None and layer.data is self._map and layer.visible:
            layer.refresh(extent=False, thumbnail=False)
            return
        self._overlays.show(LAYER, self._map, self._embeddings.scale)

    # What there is to compare

    def _read(self) -> None:
        """Have the embeddings of the case on view at the level of the tool."""
        case = self._session.case
        if not case or self._computed.model is None:
            self.noticed.emit(self._why_not())
            return

        def keep(embeddings: CaseEmbeddings | None) -> None:
            if case != self._session.case:
                return
            self._embeddings = embeddings
            self.noticed.emit("" if embeddings is not None else self._why_not())
            if embeddings is not None and self._query is not None and self._whole:
                fits = len(self._query) == embeddings.features.shape[-1]
                self._compare(self._query) if fits else self.clear()
            self.changed.emit()

        self._computed.get(case, self.level, keep)

    def _why_not(self) -> str:
        if self._session.case and self._computed.model is not None:
            return f"The features of {self._session.case} are not computed yet: press Compute."
        return self._computed.sentence()

    def _forget_case(self) -> None:
        """The case goes: its map with it. What was compared with stays, to be looked for in the next case."""
        self._embeddings, self._map, self._pointed = None, None, None
        self._asked += 1

    def _on_case_opened(self, case: str) -> None:
        if self.is_on:
            self._put_brush_away()
        if case and (self.is_on or self._query is not None):
            self._read()

    def _on_computed(self) -> None:
        if self.is_on:
            self._read()

    def _on_error(self, error: Exception) -> None:
        self.noticed.emit(str(error))


def _best_matches(
    study: Study, model: Path, cases: Sequence[str], level: Level, query: np.ndarray, threshold: float
) -> tuple[list[Match], int]:
    """Return the best match of each case that is computed, and how many are not."""
    matches = []
    for case in cases:
        embeddings = load_embeddings(study, model, case, level)
        if embeddings is None or embeddings.features.shape[-1] != len(query):
            continue
        similar = find_similar(embeddings, query).ravel()
        best = np.argpartition(similar, -min(BEST_CELLS, len(similar)))[-BEST_CELLS:]
        place = np.array(np.unravel_index(int(similar.argmax()), embeddings.shape))
        z, y, x = (int(index) for index in embeddings.voxel_of(place))
        matches.append(Match(case, float(similar[best].mean()), float((similar >= threshold).mean()), (z, y, x)))
    return sorted(matches, key=lambda match: -match.similarity), len(cases) - len(matches)
