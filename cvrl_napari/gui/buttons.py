"""Small buttons and lines of the dock."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QPushButton, QSizePolicy

NAME_PIXELS = 64
"""Of a class on a button, with other words before it."""


def small_button(text: str, tooltip: str, *, checkable: bool = False) -> QPushButton:
    """Return a button no wider than its text."""
    button = QPushButton()
    button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
    button.setStyleSheet("QPushButton { padding: 3px 9px; }")
    button.setText(text)
    button.setToolTip(tooltip)
    button.setCheckable(checkable)
    return button


def shortened(name: str, button: QPushButton) -> str:
    """Return the name of a class as it fits a button among others; the tooltip should have the whole of it."""
    return button.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, NAME_PIXELS)


def separator() -> QFrame:
    """Return a thin line between two parts of the dock."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setStyleSheet("color: #5a5f68;")
    return line
