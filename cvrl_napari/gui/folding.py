"""Parts of the dock that are folded away until somebody wants them."""

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QWidget
from superqt import QCollapsible


def folded(title: str, content: QWidget) -> QCollapsible:
    """Return the content under a title that unfolds it."""
    section = QCollapsible(title, expandedIcon=_arrow("▾"), collapsedIcon=_arrow("▸"))
    section.setDuration(0)
    if (layout := section.layout()) is not None:
        layout.setContentsMargins(0, 0, 0, 0)
    section.addWidget(content)
    section.collapse(animate=False)
    return section


def _arrow(character: str) -> QIcon:
    """Draw an arrow in a grey that is seen on dark and light themes alike; superqt's own are black."""
    pixmap = QPixmap(16, 16)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setPen(QColor("#9a9a9a"))
    painter.drawText(pixmap.rect(), Qt.AlignmentFlag.AlignCenter, character)
    painter.end()
    return QIcon(pixmap)
