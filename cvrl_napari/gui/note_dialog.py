"""Asks for the note on a case."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget


class NoteDialog(QDialog):
    """Some lines of text. Enter begins another line, Ctrl+Enter keeps the note, Tab leads to the buttons."""

    def __init__(self, case_id: str, note: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Note on {case_id}")
        self.text = QPlainTextEdit(note)
        self.text.setTabChangesFocus(True)
        self.text.setToolTip("Kept in the study, and found by the search field (Ctrl+Enter keeps it)")
        self.text.setAccessibleName("Note")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Keep the note")
        layout = QVBoxLayout(self)
        layout.addWidget(QLabel("Kept in the study. Ctrl+Enter keeps the note, Esc leaves it as it was."))
        layout.addWidget(self.text)
        layout.addWidget(self.buttons)
        self.resize(420, 220)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        for key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            QShortcut(QKeySequence(Qt.KeyboardModifier.ControlModifier | key), self, self.accept)
        self.text.setFocus()
        self.text.selectAll()

    @property
    def note(self) -> str:
        """What was typed, without spaces around it."""
        return self.text.toPlainText().strip()
