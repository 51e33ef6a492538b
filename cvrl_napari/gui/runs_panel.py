"""The earlier trainings as a list: compare, go on, start from one, rename, delete, choose the one that makes the masks."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QHeaderView,
    QInputDialog,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.run_list import LONGEST_NAME, PastRun
from cvrl_napari.engine.start_choice import StartChoice
from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.list_keys import ListKeys
from cvrl_napari.gui.questions import agreed
from cvrl_napari.gui.run_history import RunHistory
from cvrl_napari.gui.words import run_details

NAME, DICE, STATE = range(3)
HEIGHT = 96
FOR_MASKS = "● "
"""Before the name of the run whose model makes the masks."""
MODEL_FILES = "Model of this program (*.safetensors)"


class _RunTree(QTreeWidget):
    def sizeHint(self) -> QSize:
        """Ask for four rows."""
        return QSize(super().sizeHint().width(), HEIGHT)


class RunsPanel(QWidget):
    """Shows a `RunHistory`; `request` gives the options with which a new training would start."""

    def __init__(self, history: RunHistory, request: Callable[[], TrainRequest], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._history, self._request = history, request
        self._ticked: set[Path] = set()
        self._drawn: list[tuple[Path, str]] = []
        self.list = _RunTree()
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setHeaderLabels(["Training", "Dice", "State"])
        self.list.setToolTip("Tick trainings to draw their curves beside the present one's; ● makes the masks")
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column in (DICE, STATE):
            self.list.header().setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.details = QLabel()
        self.details.setWordWrap(True)
        self.details.setTextFormat(Qt.TextFormat.PlainText)
        self.choice = QLabel()
        self.choice.setWordWrap(True)
        self.choice.setTextFormat(Qt.TextFormat.PlainText)
        self.choice.setToolTip("What a new training would take over, or why it cannot")
        self.go_on = small_button("Go on", "Go on with this training where it was left, with all that was painted since")
        self.start = small_button("Start from it", "A new training whose network begins with what this one has learned")
        self.start_file = small_button("From a file…", "A new training that begins with a model.safetensors from elsewhere")
        self.use = small_button("Use for masks", "Its model predicts from now on; press again for the newest", checkable=True)
        self.rename = small_button("Rename…", "Give this training a name (F2)")
        self.delete = small_button("Delete…", "Move this training and its model to the bin (Del)")
        buttons = QGridLayout()
        for number, button in enumerate((self.go_on, self.start, self.start_file, self.use, self.rename, self.delete)):
            button.setMinimumWidth(100)
            buttons.addWidget(button, *divmod(number, 3))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.list)
        layout.addWidget(self.details)
        layout.addWidget(self.choice)
        layout.addLayout(buttons)

        self.list.currentItemChanged.connect(self._show_selected)
        self.list.itemChanged.connect(self._on_ticked)
        ListKeys(self.list, {Qt.Key.Key_F2: self.rename.click, Qt.Key.Key_Delete: self.delete.click})
        self.list.itemDoubleClicked.connect(lambda *_: self._ask_for_name())
        self.go_on.clicked.connect(lambda: self._with_selected(history.go_on))
        self.start.clicked.connect(self._start_from)
        self.start_file.clicked.connect(self._ask_for_model)
        self.use.clicked.connect(self._choose)
        self.rename.clicked.connect(self._ask_for_name)
        self.delete.clicked.connect(self._ask_to_delete)
        history.changed.connect(self._fill)
        self._fill()

    def selected(self) -> PastRun | None:
        """Return the run whose row is chosen."""
        item = self.list.currentItem()
        path = None if item is None else item.data(NAME, Qt.ItemDataRole.UserRole)
        return next((run for run in self._history.runs if str(run.path) == path), None)

    def select(self, path: Path) -> None:
        """Choose the row of a run."""
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            if item is not None and item.data(NAME, Qt.ItemDataRole.UserRole) == str(path):
                self.list.setCurrentItem(item)

    def _fill(self) -> None:
        before = self.selected_path()
        self.list.blockSignals(True)
        self.list.clear()
        for run in self._history.runs:
            item = QTreeWidgetItem(self.list)
            item.setData(NAME, Qt.ItemDataRole.UserRole, str(run.path))
            item.setText(NAME, (FOR_MASKS if run.path == self._history.chosen else "") + run.name)
            item.setToolTip(NAME, run_details(run, self._history.class_names()))
            item.setCheckState(NAME, Qt.CheckState.Checked if run.path in self._ticked else Qt.CheckState.Unchecked)
            item.setText(DICE, "" if run.mean_dice is None else f"{run.mean_dice:.2f}")
            item.setText(STATE, self._history.state_of(run))
        self._ticked &= {run.path for run in self._history.runs}
        self._compare()
        self.list.blockSignals(False)
        if before is not None:
            self.select(before)
        if self.list.currentItem() is None and (first := self.list.topLevelItem(0)) is not None:
            self.list.setCurrentItem(first)
        self._show_selected()

    def selected_path(self) -> Path | None:
        """Return the folder of the chosen row, also while the list is read anew."""
        item = self.list.currentItem()
        return None if item is None else Path(item.data(NAME, Qt.ItemDataRole.UserRole))

    def _show_selected(self, *_: object) -> None:
        run, history = self.selected(), self._history
        self.details.setText("No training yet." if run is None else run_details(run, history.class_names()))
        is_free = history.is_free()
        self.go_on.setEnabled(run is not None and history.can_go_on(run))
        choice = history.start_choice(run.model) if run is not None and run.has_model and is_free else None
        self._say(choice)
        self.start.setEnabled(choice is not None and choice.fits)
        self.start_file.setEnabled(is_free)
        self.use.setEnabled(run is not None and run.has_model)
        self.use.setChecked(run is not None and run.path == history.chosen)
        self.rename.setEnabled(run is not None)
        self.delete.setEnabled(run is not None and not history.is_running(run))

    def _with_selected(self, what: Callable[[PastRun], object]) -> None:
        if (run := self.selected()) is not None:
            what(run)

    def _say(self, choice: StartChoice | None) -> None:
        self.choice.setText("" if choice is None else choice.words)
        self.choice.setVisible(choice is not None)

    def _start_from(self) -> None:
        self._with_selected(lambda run: self._history.start_from(run.model, self._request()))

    def _on_ticked(self, item: QTreeWidgetItem, column: int) -> None:
        if column != NAME:
            return
        path = Path(item.data(NAME, Qt.ItemDataRole.UserRole))
        ticked = item.checkState(NAME) == Qt.CheckState.Checked
        if ticked == (path in self._ticked):
            return
        self._ticked ^= {path}
        self._compare()

    def _compare(self) -> None:
        """Have the ticked trainings drawn, again when one of them has another name or is gone."""
        ticked = [run for run in self._history.runs if run.path in self._ticked]
        named = [(run.path, run.name) for run in ticked]
        if named != self._drawn:
            self._drawn = named
            self._history.compare(ticked)

    def _choose(self) -> None:
        self._with_selected(lambda run: self._history.choose(None if run.path == self._history.chosen else run))

    def _ask_for_model(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "The model to begin with", "", MODEL_FILES)
        choice = self._history.start_choice(Path(path)) if path else None
        if choice is None:
            return
        self._say(choice)
        asked = "Start from it all the same?"
        if choice.fits and (choice.knows_any or agreed(self, "Start from a model", asked, "Start from it", more=choice.words)):
            self._history.start_from(Path(path), self._request())

    def _ask_for_name(self) -> None:
        run = self.selected()
        if run is None:
            return
        name, given = QInputDialog.getText(self, "Name of the training", "Name:", text=run.name)
        if given:
            self._history.rename(run, name[:LONGEST_NAME])

    def _ask_to_delete(self) -> None:
        run = self.selected()
        if run is None:
            return
        what, title = f"'{run.name}' ({run.size / 1e6:.0f} MB)", "Delete a training"
        if not agreed(self, title, f"Move {what} and its model to the bin?", "Move to the bin") or self._history.delete(run):
            return
        if agreed(self, title, f"There is no bin here. Delete {what} for good?", "Delete for good", grave=True):
            self._history.delete(run, for_good=True)
