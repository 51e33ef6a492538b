"""A check list of the study's cases: whose voxels are to be shown."""

from collections.abc import Collection, Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.looks import dock_style

CHECKED, UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class CaseChoice(QDialog):
    """Lets a person check cases.

    Signals
    -------
    chosen : object
        tuple of str, the checked cases in the order of the study; at least one.
    """

    chosen = Signal(object)

    def __init__(self, cases: Sequence[str], checked: Collection[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Choose scans")
        self.setStyleSheet(dock_style())
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.part = QLineEdit()
        self.part.setPlaceholderText("part of a name")
        self.part.setToolTip("Show only the cases whose names have this in them; those hidden keep their marks")
        self.part.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setToolTip("Check the cases whose voxels are to be shown (Space checks the current one)")
        for case in cases:
            item = QListWidgetItem(case, self.list)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(CHECKED if case in checked else UNCHECKED)
        self.all_button = small_button("All", "Check all cases that are listed")
        self.none_button = small_button("None", "Uncheck all cases that are listed")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        row = QHBoxLayout()
        for button in (self.all_button, self.none_button):
            row.addWidget(button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.part)
        layout.addWidget(self.list)
        layout.addLayout(row)
        layout.addWidget(self.buttons)

        self.part.textChanged.connect(self._filter)
        self.list.itemChanged.connect(self._offer)
        self.all_button.clicked.connect(lambda: self._check_listed(CHECKED))
        self.none_button.clicked.connect(lambda: self._check_listed(UNCHECKED))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.accepted.connect(lambda: self.chosen.emit(self.checked()))
        self.resize(360, 400)
        self._offer()

    def checked(self) -> tuple[str, ...]:
        """Return the checked cases."""
        return tuple(item.text() for item in self._items() if item.checkState() == CHECKED)

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(row) for row in range(self.list.count())]

    def _filter(self, part: str) -> None:
        for item in self._items():
            item.setHidden(part.lower() not in item.text().lower())

    def _check_listed(self, state: Qt.CheckState) -> None:
        for item in self._items():
            if not item.isHidden():
                item.setCheckState(state)

    def _offer(self, _: object = None) -> None:
        accept = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        count = len(self.checked())
        accept.setText(f"Show {count} scan{'s' * (count != 1)}")
        accept.setEnabled(count > 0)
