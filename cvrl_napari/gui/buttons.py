"""Small buttons and lines, each with its text and its tooltip: no control of the dock goes without one."""

from qtpy.QtWidgets import QFrame, QToolButton


def tool_button(text: str, tooltip: str, *, checkable: bool = False) -> QToolButton:
    """Return a small button."""
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tooltip)
    button.setCheckable(checkable)
    return button


def separator() -> QFrame:
    """Return a thin line between two parts of the dock."""
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setStyleSheet("color: #5a5f68;")
    return line
