"""The scatter: the plot, what it is colored by, and what becomes of the points that are fenced in."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtGui import QCursor, QHideEvent, QShowEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.config import ProjectionMethod
from cvrl_napari.engine.sample_table import save_table
from cvrl_napari.gui.buttons import shortened, small_button
from cvrl_napari.gui.case_table import NEEDS_LOOK
from cvrl_napari.gui.embeddings.cloud import MOST_POINTS, POINTS, Cloud, seconds_of
from cvrl_napari.gui.embeddings.coloring import KINDS, Coloring, Kind, color_by
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.from_scan import FromScan
from cvrl_napari.gui.embeddings.legend import Legend
from cvrl_napari.gui.embeddings.point_plot import BACKDROP, PointPlot
from cvrl_napari.gui.embeddings.raster import argb, dim
from cvrl_napari.gui.embeddings.selection import Selection
from cvrl_napari.gui.embeddings.take_away import save_arrays, save_picture
from cvrl_napari.gui.embeddings.travel import Travel
from cvrl_napari.gui.embeddings.under_mouse import UnderMouse
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.study_editing import StudyEditing
from cvrl_napari.gui.words import duration
from cvrl_napari.study.errors import StudyError

METHODS: dict[ProjectionMethod, str] = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE"}
METHOD_TOOLTIP = """How the features come into the plane.
PCA: at once; distances mean the same everywhere.
UMAP, t-SNE: groups stand out, distances between them mean little; the time is that of a free computer.
PCA stays on view meanwhile, and Cancel above keeps it."""
HOW = """Each point is a small block of voxels; points that lie close look alike to the network.
Drag: fence points in (Ctrl adds to those before). Click: go to that voxel.
Wheel: zoom. Right drag or Shift+drag: move. Double click: show everything."""
COUNTS = (5_000, POINTS, 50_000, MOST_POINTS)
DIMMED = 0.75
"""How much of their color points lose while others are chosen."""


class ScatterPanel(QWidget):
    """Shows `cloud`; fencing points in chooses them in `selection`."""

    def __init__(
        self,
        session: Session,
        computed: Computed,
        cloud: Cloud,
        selection: Selection,
        travel: Travel,
        from_scan: FromScan,
        under_mouse: UnderMouse,
        editing: StudyEditing,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._computed, self._cloud, self._selection, self._travel = session, computed, cloud, selection, travel
        self._from_scan, self._under_mouse, self._editing = from_scan, under_mouse, editing
        self._coloring: Coloring | None = None
        self._drawn: tuple[Coloring | None, object] = (None, None)
        self._shuffled = np.zeros(0, np.int64)
        self.plot = PointPlot()
        self.plot.setToolTip(HOW)
        self.empty = QLabel(self.plot)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        self.empty.setStyleSheet("color: #d0d4da; background: transparent; padding: 20px;")
        self.empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.kind = _combo(KINDS.values(), "What the colors of the points mean")
        self.kind.setCurrentIndex(list(KINDS).index("predicted"))
        self.method = _combo(METHODS.values(), METHOD_TOOLTIP)
        self.count = _combo((f"{count:,}" for count in COUNTS), "How many points are drawn, the classes in equal parts")
        self.count.setCurrentIndex(COUNTS.index(POINTS))
        self.projected = QCheckBox("as contrasted")
        self.projected.setToolTip("Show what the contrastive loss compares (behind the projector) instead of the features")
        self.legend = Legend()
        self.makeup = QLabel()
        self.makeup.setWordWrap(True)
        self.cases = QListWidget()
        self.cases.setToolTip("Cases of the fenced points; click one to go to a fenced voxel of it")
        self.paint_button = small_button("Paint", "")
        self.clear_button = small_button("Clear", "Choose no points (their marks go too)")
        self.choose_button = small_button("Choose", "Choose the points of a class, or of what is seen in the scan")
        self.choose_menu = QMenu(self.choose_button)
        self.choose_menu.aboutToShow.connect(self._fill_choices)
        self.choose_button.setMenu(self.choose_menu)
        self.look_button = small_button(NEEDS_LOOK[0], "", checkable=True)
        self.save_button = small_button("Take away…", "Save the plot or its points as a file")
        menu = QMenu(self.save_button)
        for title, pattern in (
            ("Picture (PNG)…", "*.png"),
            ("Picture (SVG)…", "*.svg"),
            ("Table (CSV)…", "*.csv"),
            ("Features (npz)…", "*.npz"),
        ):
            menu.addAction(title, partial(self._ask_where, pattern))
        self.save_button.setMenu(menu)
        self._lay_out()

        cloud.changed.connect(self._on_cloud)
        cloud.recolored.connect(self._recolor)
        cloud.job.changed.connect(self._tell)
        computed.state_changed.connect(self._tell)
        selection.changed.connect(self._on_selection)
        session.class_selected.connect(self._on_class)
        session.classes_changed.connect(self._recolor)
        self.plot.lassoed.connect(self._on_lasso)
        self.plot.clicked.connect(self._on_clicked)
        self.plot.pointed.connect(self._on_pointed)
        self.legend.shown_changed.connect(self._draw)
        self.kind.currentIndexChanged.connect(self._recolor)
        self.method.currentIndexChanged.connect(lambda row: cloud.choose(method=list(METHODS)[row]))
        self.count.currentIndexChanged.connect(lambda row: cloud.choose(count=COUNTS[row]))
        self.projected.toggled.connect(lambda on: cloud.choose(projected=on))
        self.cases.itemClicked.connect(lambda item: self._go_to_case(item.data(Qt.ItemDataRole.UserRole)))
        self.paint_button.clicked.connect(lambda: selection.paint(session.selected_class))
        self.clear_button.clicked.connect(selection.clear)
        self.cases.currentItemChanged.connect(self._offer_look)
        self.look_button.clicked.connect(lambda: editing.toggle_needs_look(self._current_case()))
        session.case_changed.connect(self._offer_look)
        under_mouse.moved.connect(self.plot.ring)
        self._on_class(session.selected_class)
        self._on_cloud(False)

    def color_kind(self) -> Kind:
        """Return what the points are colored by."""
        return list(KINDS)[self.kind.currentIndex()]

    def save(self, path: Path) -> None:
        """Write the plot or its points, by the ending of `path`: .png, .svg, .csv, .npz.

        Raises
        ------
        StudyError
            If the file cannot be written.
        """
        sample, study = self._cloud.sample, self._session.study
        if sample is None or study is None:
            return
        if path.suffix == ".csv":
            save_table(path, sample, self._cloud.places, self._selection.chosen, study.classes)
        elif path.suffix == ".npz":
            save_arrays(path, sample, self._cloud.places, self._selection.chosen)
        else:
            save_picture(self.plot, path)

    def _lay_out(self) -> None:
        shown, chosen = QVBoxLayout(), QVBoxLayout()
        for left, right in ((QLabel("Color by"), self.kind), (self.method, self.projected)):
            line = QHBoxLayout()
            line.addWidget(left)
            line.addWidget(right, stretch=1)
            shown.addLayout(line)
        shown.insertWidget(1, self.legend, stretch=1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.paint_button, stretch=1)
        buttons.addWidget(self.clear_button)
        chosen.addWidget(self.makeup)
        chosen.addWidget(self.cases, stretch=1)
        chosen.addLayout(buttons)
        further = QHBoxLayout()
        further.addWidget(self.choose_button, stretch=1)
        further.addWidget(self.look_button, stretch=1)
        chosen.addLayout(further)
        last = QHBoxLayout()
        last.addWidget(self.count, stretch=1)
        last.addWidget(self.save_button)
        chosen.addLayout(last)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.plot, stretch=1)
        for column, width in ((shown, 250), (chosen, 220)):
            column.setSpacing(3)
            column.setContentsMargins(0, 0, 0, 0)
            holder = QWidget()
            holder.setFixedWidth(width)
            holder.setLayout(column)
            row.addWidget(holder)

    # What is shown

    def _on_cloud(self, smoothly: bool) -> None:
        sample = self._cloud.sample
        count = len(sample) if sample is not None else 0
        if len(self._shuffled) != count:
            self._shuffled = np.random.default_rng(0).permutation(count)  # no class covers the others by its place in the list
        self.plot.set_places(self._cloud.places, smoothly=smoothly)
        self._recolor()
        self._tell()

    def _recolor(self, _: object = None) -> None:
        sample, study = self._cloud.sample, self._session.study
        if sample is None or study is None:
            self._coloring = None
            self.legend.show_groups((), ())
        else:
            self._coloring = color_by(self.color_kind(), sample, study.classes, self._cloud.scan_shapes)
            self.legend.show_groups(self._coloring.groups, self._coloring.counts().tolist())
            self.legend.mark(self._session.selected_class)
        self._draw()

    def _draw(self, _: object = None) -> None:
        """Draw the shown groups; the selected class, and then what is chosen, above the rest."""
        coloring, chosen = self._coloring, self._selection.chosen
        if coloring is None or len(coloring.index) != len(self._shuffled):
            return
        look = (self._session.selected_class, self.legend.shown(), chosen.tobytes())
        if coloring is self._drawn[0] and look == self._drawn[1]:
            return  # opening a case tells thrice that nothing is chosen
        self._drawn = (coloring, look)
        colors = np.array([argb(group.color) for group in coloring.groups], np.uint32)[coloring.index]
        above = np.array([group.class_id == self._session.selected_class for group in coloring.groups])[coloring.index].astype(
            np.int8
        )
        if len(chosen) == len(colors) and chosen.any():
            colors = np.where(chosen, colors, dim(colors, argb(BACKDROP), DIMMED))
            above += 2 * chosen
        seen = np.array(self.legend.shown(), bool)[coloring.index][self._shuffled]
        order = self._shuffled[seen]
        self.plot.set_colors(colors, order[np.argsort(above[order], kind="stable")])

    def _tell(self) -> None:
        """Say in the plot why it is empty, or why what it shows should not be believed."""
        is_empty = self._cloud.sample is None
        sentence = self._computed.sentence() if is_empty else self._computed.warning()
        self.empty.setText(sentence)
        upright = Qt.AlignmentFlag.AlignVCenter if is_empty else Qt.AlignmentFlag.AlignTop
        self.empty.setAlignment(Qt.AlignmentFlag.AlignHCenter | upright)
        self.empty.setVisible(bool(sentence))
        self._place_empty()
        self.save_button.setEnabled(not is_empty)
        self._tell_times()

    def _tell_times(self) -> None:
        """Say beside each projection how long it will take."""
        sample = self._cloud.sample
        count = self._cloud.count if sample is None else min(self._cloud.count, len(sample))
        for row, (method, title) in enumerate(METHODS.items()):
            seconds = seconds_of(method, count)
            self.method.setItemText(row, f"{title}, {duration(seconds)}" if seconds else title)
        with QSignalBlocker(self.method):
            self.method.setCurrentIndex(list(METHODS).index(self._cloud.method))

    def _place_empty(self) -> None:
        self.empty.setGeometry(self.plot.rect())

    def resizeEvent(self, event: object) -> None:
        """Keep the sentence in the middle of the plot."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place_empty()

    def showEvent(self, event: QShowEvent) -> None:
        """Ring the voxel under the mouse while the scatter is seen."""
        super().showEvent(event)
        self._under_mouse.follow(True)

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks at the scatter."""
        super().hideEvent(event)
        self._under_mouse.follow(False)

    def _on_class(self, class_id: int) -> None:
        name = _class_name(self._session, class_id)
        self.paint_button.setText(f"Paint as {shortened(name, self.paint_button)}")
        self.paint_button.setToolTip(
            f"Paint the fenced voxels of the case on view as {name}, where nothing is painted yet (Ctrl+Z takes it back).\n"
            "Choose another class in the CVRL dock."
        )
        self.legend.mark(class_id)
        self._draw()

    # What is chosen

    def _on_selection(self) -> None:
        makeup = self._selection.makeup()
        self.makeup.setText(makeup or "Drag around points to fence them in.")
        self.cases.clear()
        for case, count in self._selection.cases():
            item = QListWidgetItem(f"{case}  {count:,}", self.cases)
            item.setData(Qt.ItemDataRole.UserRole, case)
        self.cases.setCurrentRow(0)
        self._offer_look()
        self.paint_button.setEnabled(self._selection.can_paint)
        self.clear_button.setEnabled(bool(makeup))
        self._draw()

    def _current_case(self) -> str:
        item = self.cases.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    def _offer_look(self, *_: object) -> None:
        """Offer to mark the case of the current row, or to take its mark away."""
        case, study = self._current_case(), self._session.study
        known = {one.id: one for one in study.cases} if study is not None else {}
        self.look_button.setEnabled(case in known)
        self.look_button.setChecked(case in known and known[case].needs_look)
        self.look_button.setToolTip(
            f"Mark {case or 'the case that is chosen above'} as one that needs a look, in the list of the study"
        )

    def _fill_choices(self) -> None:
        """List what points can be chosen by; the names of the classes may have changed."""
        menu, source, session = self.choose_menu, self._from_scan, self._session
        chosen, name = session.selected_class, _class_name(session, session.selected_class)
        menu.clear()
        menu.addAction(f"Painted as {name}", partial(source.painted, chosen))
        menu.addAction(f"Predicted as {name}", partial(source.predicted, chosen))
        menu.addAction("On the canvas now", source.on_canvas)
        menu.addAction("In the map of similar voxels", source.similar).setEnabled(source.has_map)

    def _on_lasso(self, chosen: np.ndarray, corners: np.ndarray, more: bool) -> None:
        everything = all(self.legend.shown())  # what is hidden is not meant
        self._selection.choose(chosen, fence=corners if everything else None, more=more)

    def _on_clicked(self, point: int) -> None:
        sample = self._cloud.sample
        if sample is not None and point >= 0:
            self._travel.go(sample.cases[sample.case_of[point]], sample.voxels[point])

    def _go_to_case(self, case: str) -> None:
        """Go to the fenced voxel of a case that lies nearest to the middle of those fenced."""
        sample = self._cloud.sample
        if sample is None:
            return
        mine = sample.voxels[self._selection.chosen & (sample.case_of == sample.cases.index(case))]
        if len(mine):
            self._travel.go(case, mine[np.abs(mine - np.median(mine, axis=0)).sum(axis=1).argmin()])

    def _on_pointed(self, point: int) -> None:
        QToolTip.showText(QCursor.pos(), self.about(point) if point >= 0 else "", self.plot)

    def about(self, point: int) -> str:
        """Say what a point is: case, place, predicted and painted class."""
        sample = self._cloud.sample
        if sample is None:
            return ""
        case = sample.cases[sample.case_of[point]]
        names = {0: "background"} | {one.id: one.name for one in self._session.study.classes} if self._session.study else {}
        predicted, painted = int(sample.predicted[point]), int(sample.painted[point])
        lines = [case, self._travel.words(case, sample.voxels[point]), f"predicted: {names.get(predicted, predicted)}"]
        if painted:
            lines.append(f"painted: {_class_name(self._session, painted)}")
        return "\n".join(lines)

    def _ask_where(self, pattern: str) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Take away", f"embeddings{pattern[1:]}", pattern)
        if chosen:
            path = Path(chosen)
            try:
                self.save(path if path.suffix == pattern[1:] else path.with_name(path.name + pattern[1:]))
            except StudyError as error:
                self._computed.failed.emit(str(error), "", "")


def _class_name(session: Session, class_id: int) -> str:
    classes = session.study.classes if session.study is not None else ()
    return next((one.name for one in classes if one.id == class_id), "background")


def _combo(words: Iterable[str], tooltip: str) -> QComboBox:
    combo = QComboBox()
    combo.addItems(list(words))
    combo.setToolTip(tooltip)
    return combo
