"""The sheet of keys: one small window that lists them all."""

from html import escape

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from cvrl_napari.gui.keys import KEYS


class KeysSheet(QDialog):
    """Stays open beside the work; Escape closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(1)
        for title, keys in KEYS.items():
            grid.addWidget(QLabel(f"<b>{escape(title)}</b>"), grid.rowCount(), 0, 1, 2)
            for key in keys:
                row = grid.rowCount()
                grid.addWidget(QLabel(key.keys), row, 0)
                grid.addWidget(QLabel(key.does), row, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addLayout(grid)
        layout.addWidget(buttons)
