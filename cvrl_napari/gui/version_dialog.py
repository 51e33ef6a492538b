"""Asks which earlier version of the labels of a case shall come back."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QListWidget, QVBoxLayout, QWidget

from cvrl_napari.gui.study_editing import Earlier
from cvrl_napari.study.classes import StructureClass


class VersionDialog(QDialog):
    """A row a version: when it was saved, and the volume of each structure."""

    def __init__(
        self, case_id: str, found: Sequence[Earlier], classes: Sequence[StructureClass], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Earlier versions of {case_id}")
        self._found = found
        names = {one.id: one.name for one in classes}
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for one in found:
            volumes = ", ".join(f"{names[class_id]} {ml:.3g} ml" for class_id, ml in one.volumes.items()) or "no structure"
            self.list.addItem(f"{one.version.saved_at.astimezone():%Y-%m-%d %H:%M:%S}   {volumes}")
        words = QLabel(
            "Choose what the labels shall be again. Ctrl+Z takes it back."
            if found
            else "There is no earlier version: they are kept from the second time on that labels are saved."
        )
        words.setWordWrap(True)
        cancel, ok = QDialogButtonBox.StandardButton.Cancel, QDialogButtonBox.StandardButton.Ok
        self.buttons = QDialogButtonBox(ok | cancel if found else cancel)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.list)
        layout.addWidget(self.buttons)
        self.resize(440, 240)
        self.list.setVisible(bool(found))
        self.list.setCurrentRow(0)
        if found:
            self.buttons.button(ok).setText("Restore")
        self.list.itemDoubleClicked.connect(self.accept)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    @property
    def chosen(self) -> Earlier:
        """The version that is marked."""
        return self._found[self.list.currentRow()]
