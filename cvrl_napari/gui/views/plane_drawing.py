"""What is drawn over a slice: crosshair, letters, scale bar, brush and measured lines, all in one pale yellow.

Colours belong to the classes; a dark rim lets the lines be seen on bright bone as on black air.
"""

from collections.abc import Mapping

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from cvrl_napari.gui.orientation_letters import COLOR

GAP = 9.0
"""Pixels round the crosshair's middle that stay free: the voxel it points at is to be seen."""
MARGIN = 5.0
RIM, SHADE = QColor(0, 0, 0, 150), QColor(0, 0, 0, 165)
BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
BAR_SHARE = 0.3
"""Part of the width that the scale bar fills at most."""


def draw_crosshair(painter: QPainter, at: QPointF, width: float, height: float) -> None:
    """Draw a line up, down, left and right of a pixel, with a gap in the middle."""
    x, y = at.x(), at.y()
    ends = (((0, y), (x - GAP, y)), ((x + GAP, y), (width, y)), ((x, 0), (x, y - GAP)), ((x, y + GAP), (x, height)))
    color = QColor(COLOR)
    color.setAlpha(170)
    for start, end in ends:
        _line(painter, QPointF(*start), QPointF(*end), color, 1)


def draw_letters(painter: QPainter, letters: Mapping[str, str], width: float, height: float) -> None:
    """Write the orientation letters in the middle of the four edges."""
    places = {
        "top": (width / 2, 0, 0.5, 0),
        "bottom": (width / 2, height, 0.5, 1),
        "left": (0, height / 2, 0, 0.5),
        "right": (width, height / 2, 1, 0.5),
    }
    for edge, text in letters.items():
        write(painter, text, *places[edge], bold=True)


def draw_scale_bar(painter: QPainter, zoom: float, width: float, height: float) -> None:
    """Draw a bar of a round number of mm in the lower right corner; `zoom` is in pixels a mm."""
    fitting = [length for length in BAR_LENGTHS_MM if length * zoom <= BAR_SHARE * width]
    if not fitting:
        return
    length = fitting[-1] * zoom
    right, bottom = width - 2 * MARGIN, height - 2 * MARGIN
    _line(painter, QPointF(right - length, bottom), QPointF(right, bottom), QColor(COLOR), 2)
    write(painter, f"{fitting[-1]} mm", width - MARGIN, bottom - MARGIN, 1, 1)


def draw_brush(painter: QPainter, at: QPointF, width: float) -> None:
    """Draw the outline of a brush of this many pixels."""
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, thickness in ((RIM, 3), (QColor("white"), 1)):
        painter.setPen(QPen(color, thickness))
        painter.drawEllipse(at, width / 2, width / 2)


def draw_measured(painter: QPainter, start: QPointF, end: QPointF, text: str) -> None:
    """Draw a measured line with its length beside the middle."""
    _line(painter, start, end, QColor(COLOR), 2)
    for point in (start, end):
        painter.setBrush(QColor(COLOR))
        painter.setPen(QPen(RIM, 1))
        painter.drawEllipse(point, 3, 3)
    middle = (start + end) / 2
    write(painter, text, middle.x() + 6, middle.y() - 6, 0, 1)


def write(painter: QPainter, text: str, x: float, y: float, left: float, up: float, *, bold: bool = False) -> None:
    """Write on a dark box; of its width and height `left` and `up` (0 to 1) lie before the point."""
    font = QFont(painter.font())
    font.setBold(bold)
    painter.setFont(font)
    size = QFontMetricsF(font)
    wide, high = size.horizontalAdvance(text) + 6, size.height() + 2
    box = QRectF(x - left * wide, y - up * high, wide, high)
    painter.fillRect(box, SHADE)
    painter.setPen(QColor(COLOR))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def _line(painter: QPainter, start: QPointF, end: QPointF, color: QColor, width: float) -> None:
    for pen in (QPen(RIM, width + 2), QPen(color, width)):
        painter.setPen(pen)
        painter.drawLine(start, end)
