"""The study on top of the dock: its name, its cases with their states and volumes, and the way from one case to the next."""

from pathlib import Path

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QHBoxLayout, QHeaderView, QLabel, QLineEdit, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget
from superqt import QElidingLabel

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.session import Session
from cvrl_napari.study.case import Case

STATES = {
    "unlabeled": ("○ unlabeled", "#9a9a9a", "Nothing is painted; the model learns from the scan alone"),
    "partial": ("◐ partial", "#e0b050", "Some of it is painted; what is not painted is unknown to the model"),
    "complete": ("● complete", "#7cc47c", "Everything is painted; what is not painted is background"),
    "accepted": ("✓ accepted", "#7cb8e0", "A predicted mask was accepted as it is; what is not painted is background"),
}
"""State: words, colour, tooltip."""
HELD_OUT = "◆ held out"
HELD_OUT_TOOLTIP = "Measured only: the model never learns from it, so its Dice tells how good the model is"
NAME, STATE, VOLUMES = range(3)
LIST_HEIGHT = 105


class _CaseList(QTreeWidget):
    """A list that is content with a few rows, and takes what room there is."""

    def sizeHint(self) -> QSize:
        """Ask for five rows."""
        return QSize(super().sizeHint().width(), LIST_HEIGHT)


class StudyPanel(QWidget):
    """Shows `session.study`; choosing a row opens its case. Emits what needs a dialog."""

    open_asked = Signal()
    new_asked = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._rows: dict[str, QTreeWidgetItem] = {}
        self.title = QElidingLabel()
        self.title.setStyleSheet("font-weight: bold;")
        self.counts = QLabel()
        self.open_button = small_button("Open…", "Open another study folder (or drop it here)")
        self.new_button = small_button("New…", "Make a study from a folder of scans (or drop the folder here)")
        self.search = QLineEdit()
        self.search.setPlaceholderText("search cases")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip("Show the cases whose name or state contains this")
        self.previous_button = small_button("<", "Former case (Alt+Left)")
        self.next_button = small_button(">", "Next case (Alt+Right)")
        self.list = _CaseList()
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setHeaderLabels(["Case", "State", "Volume, ml"])
        self.list.setToolTip("Click a case to open it; what is painted is saved by itself")
        self.list.header().setSectionResizeMode(NAME, QHeaderView.ResizeMode.Interactive)
        self.list.setColumnWidth(NAME, 130)
        self.list.setColumnWidth(STATE, 95)

        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.title, stretch=1)
        first.addWidget(self.open_button)
        first.addWidget(self.new_button)
        second.addWidget(self.search, stretch=1)
        second.addWidget(self.previous_button)
        second.addWidget(self.next_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(first)
        layout.addWidget(self.counts)
        layout.addLayout(second)
        layout.addWidget(self.list)

        self.open_button.clicked.connect(self.open_asked)
        self.new_button.clicked.connect(self.new_asked)
        self.search.textChanged.connect(self._filter)
        self.previous_button.clicked.connect(lambda: session.step_case(-1))
        self.next_button.clicked.connect(lambda: session.step_case(1))
        self.list.itemClicked.connect(lambda item: session.open_case(item.data(NAME, Qt.ItemDataRole.UserRole)))
        self.list.itemActivated.connect(lambda item: session.open_case(item.data(NAME, Qt.ItemDataRole.UserRole)))
        session.study_changed.connect(self._fill)
        session.case_changed.connect(self._update_case)
        session.case_opened.connect(self._mark)
        session.classes_changed.connect(self._update_volumes)
        self._fill()

    def _fill(self) -> None:
        self.list.clear()
        self._rows = {}
        study = self._session.study
        if study is None:
            return
        self.title.setText(study.folder.name)
        self.title.setToolTip(str(study.folder))
        for case in study.cases:
            row = QTreeWidgetItem(self.list)
            row.setData(NAME, Qt.ItemDataRole.UserRole, case.id)
            self._rows[case.id] = row
            self._show(row, case)
        self._count()
        self._filter()

    def _show(self, row: QTreeWidgetItem, case: Case) -> None:
        words, color, tooltip = STATES[case.state]
        row.setText(NAME, case.id)
        row.setToolTip(NAME, str(Path(case.scan)))
        row.setText(STATE, HELD_OUT if case.held_out and case.is_labeled else words)
        row.setToolTip(STATE, HELD_OUT_TOOLTIP if case.held_out else tooltip)
        row.setForeground(STATE, QBrush(QColor(color)))
        study = self._session.study
        names = {structure.id: structure.name for structure in study.classes} if study is not None else {}
        volumes = self._session.measuring.volumes.get(case.id, {})
        row.setText(VOLUMES, "  ".join(f"{names.get(class_id, class_id)} {ml:.3g}" for class_id, ml in volumes.items()))
        row.setToolTip(VOLUMES, "Volume of what is painted, millilitres")

    def _update_case(self, case_id: str) -> None:
        if self._session.study is not None and case_id in self._rows:
            self._show(self._rows[case_id], self._session.study.case(case_id))
            self._count()

    def _update_volumes(self) -> None:
        if self._session.study is not None:
            for case in self._session.study.cases:
                self._show(self._rows[case.id], case)

    def _count(self) -> None:
        study = self._session.study
        if study is not None:
            labeled, unlabeled, held_out = (
                len(study.labeled_cases()),
                len(study.unlabeled_cases()),
                len(study.held_out_cases()),
            )
            words = f"{labeled} labeled · {unlabeled} unlabeled" + (f" · {held_out} held out" if held_out else "")
            self.counts.setText(words)
            self.counts.setToolTip("Training learns from the labeled and the unlabeled scans; held-out cases only measure it")

    def _filter(self) -> None:
        wanted = self.search.text().casefold()
        for row in self._rows.values():
            row.setHidden(wanted not in f"{row.text(NAME)} {row.text(STATE)}".casefold())

    def _mark(self, case_id: str) -> None:
        """Show which row is on view, without opening it again."""
        row = self._rows.get(case_id)
        if row is None:
            self.list.clearSelection()
        else:
            self.list.setCurrentItem(row)
            self.list.scrollToItem(row)
