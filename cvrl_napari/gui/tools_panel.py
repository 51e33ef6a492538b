"""Buttons of the tools that paint, and what the brush may paint. Behaviour is in `tools` and `grey_range`."""

from collections.abc import Callable
from functools import partial

from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.editing.statistics import LabelStatistics
from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.grey_range_row import GreyRangeRow
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.tool_box import ToolBox
from cvrl_napari.gui.tools import Asked
from cvrl_napari.gui.words import counted
from cvrl_napari.study.labels import BACKGROUND

PLACES = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0), (3, 1))
"""Row and column of each button; the mm stand beside the two that need them most."""


class ToolsPanel(QWidget):
    """Tools for the class in hand, on the case on view."""

    def __init__(self, session: Session, box: ToolBox, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._tools = session, box.tools
        grid = QGridLayout()
        grid.setSpacing(3)
        self.buttons = {}
        for number, action in enumerate(box.paint_actions):
            button = small_button(action.title, f"{action.tip} (key {action.key_in_words})")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(partial(_press, action.act))
            self.buttons[action.title] = button
            grid.addWidget(button, *PLACES[number])
        self.margin = QDoubleSpinBox()
        self.margin.setRange(0.1, 50.0)
        self.margin.setSingleStep(0.5)
        self.margin.setDecimals(1)
        self.margin.setValue(box.tools.margin_mm)
        self.margin.setPrefix("by ")
        self.margin.setSuffix(" mm")
        self.margin.setToolTip("How far 'Enlarge' and 'Shrink' go; standard deviation of 'Smooth', in mm")
        self.all_classes = QCheckBox("all structures")
        self.all_classes.setToolTip("Tools work on all structures of the case, not only on the one in hand")
        self.over_others = QCheckBox("interpolate over others")
        self.over_others.setToolTip("'Interpolate' may write over other structures and painted background")
        self.whole_volume = QCheckBox("fill holes in 3D")
        self.whole_volume.setToolTip("'Fill holes' fills only what is closed on all sides, not in each slice by itself")
        self.ball = QCheckBox("3D brush")
        self.ball.setToolTip("The brush is a ball: it paints on the neighboring slices too (key Shift+B)")
        self.brush_size = QLabel()
        self.brush_size.setToolTip("Width of the brush; [ and ] change it")
        self.grey = GreyRangeRow(box.grey_range)
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.cancel = small_button("Cancel", "Forget what is being worked out; nothing is changed")
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.bar.setFixedHeight(6)
        self.bar.setTextVisible(False)

        grid.addWidget(self.margin, 2, 2)
        grid.addWidget(self.all_classes, 3, 2)
        options = _row(self.over_others, self.whole_volume)
        options.addStretch()
        brush = _row(self.ball, self.brush_size)
        brush.addStretch()
        working = _row(self.told, self.cancel)
        working.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(grid)
        layout.addWidget(self.bar)
        layout.addLayout(working)  # beside the buttons: what they tell is read without scrolling
        for part in (options, brush):
            layout.addLayout(part)
        layout.addWidget(self.grey)

        self.margin.valueChanged.connect(partial(setattr, box.tools, "margin_mm"))
        for tick, name in (
            (self.all_classes, "all_classes"),
            (self.over_others, "over_others"),
            (self.whole_volume, "whole_volume"),
        ):
            tick.toggled.connect(partial(setattr, box.tools, name))
        self.ball.clicked.connect(box.set_ball)
        self.cancel.clicked.connect(box.tools.cancel)
        box.brush_changed.connect(self._show_brush)
        box.tools.working.connect(self._show_working)
        box.tools.told.connect(self.told.setText)
        box.tools.measured.connect(self._show_measured)
        session.case_opened.connect(self._forget)
        self._box = box
        self._show_brush()
        self._show_working("")

    def _show_brush(self) -> None:
        shown = self._session.layers.shown
        self.setEnabled(shown is not None)
        if shown is not None:
            size = shown.labels.brush_size
            self.ball.setChecked(shown.labels.n_edit_dimensions == 3)
            self.brush_size.setText(f"brush {size} = {self._box.brush_mm:.3g} mm")

    def _show_working(self, what: str) -> None:
        self.bar.setVisible(bool(what))
        self.cancel.setVisible(bool(what))
        if what:
            self.told.setText(what)

    def _forget(self, _case: str) -> None:
        """What was told is of the case before."""
        if self.bar.isHidden():
            self.told.clear()

    def _show_measured(self, asked: Asked) -> None:
        study = self._session.study
        names = {one.id: one.name for one in study.classes} if study is not None else {}
        name = names.get(asked.value, "background" if asked.value == BACKGROUND else f"label {asked.value}")
        self.told.setText(f"{name}: {statistics_line(asked.found)}" if asked.found else f"{name} is not painted on this case.")


def statistics_line(found: LabelStatistics) -> str:
    """Say how large a structure is and how bright."""
    mm = " x ".join(f"{edge:.4g}" for edge in found.extent_mm)
    return (
        f"{counted(found.voxels, 'voxel')} = {found.ml:.3g} ml, {mm} mm (z, y, x), {counted(found.slices[0], 'axial slice')}; "
        f"grey value {found.mean:.4g} ± {found.sd:.3g}, {found.minimum:.4g} to {found.maximum:.4g}"
    )


def _press(act: Callable[[], None], _checked: bool = False) -> None:
    act()


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget)
    return row
