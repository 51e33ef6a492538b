"""A small square in the colour of a class, for lists."""

from qtpy.QtCore import QRect, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap

BACKGROUND_COLOR = "#808080"
SIZE = 18
"""Pixels, along either side."""


def swatch(color: str, key: str) -> QIcon:
    """Draw a square of the class's colour with its key on it, black or white, whichever is easier to read."""
    pixmap = QPixmap(SIZE, SIZE)
    fill = QColor(color)
    pixmap.fill(fill)
    painter = QPainter(pixmap)
    painter.setPen(Qt.GlobalColor.black if fill.lightnessF() > 0.4 else Qt.GlobalColor.white)
    painter.drawText(QRect(0, 0, SIZE, SIZE), Qt.AlignmentFlag.AlignCenter, key)
    painter.end()
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)  # else a selected row tints the class's colour
    return icon
