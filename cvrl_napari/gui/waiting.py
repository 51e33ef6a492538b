"""A window that asks for patience."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QProgressDialog, QWidget


class Waiting(QProgressDialog):
    """Keeps the hand off the window while something must not be disturbed: neither Escape nor its frame puts it away."""

    def __init__(self, words: str, parent: QWidget) -> None:
        super().__init__(words, "", 0, 0, parent)
        self.setCancelButton(None)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumDuration(0)
        self.show()

    def put_away(self) -> None:
        """It is over."""
        self.hide()
        self.deleteLater()

    def reject(self) -> None:
        """Stay: Escape was pressed."""

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stay: the cross of the frame was pressed."""
        event.ignore()
