"""Parts of the dock that are folded away until somebody wants them."""

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import QSizePolicy, QWidget
from superqt import QCollapsible

UNLIMITED = 16_777_215
"""Pixels: Qt's QWIDGETSIZE_MAX."""


class _Fold(QCollapsible):
    """Grows with its content: superqt's keeps the height it had when it was unfolded, and cuts a text that takes more lines."""

    def __init__(self, title: str, *, unfolded: QIcon, folded: QIcon) -> None:
        super().__init__(title, expandedIcon=unfolded, collapsedIcon=folded)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.toggled.connect(self._on_toggled)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Limit the height no more when the content changes its own."""
        return False

    def _on_toggled(self, unfolded: bool) -> None:
        if unfolded:
            self.content().setMaximumHeight(UNLIMITED)


def folded(title: str, content: QWidget, tooltip: str) -> QCollapsible:
    """Return the content under a title that unfolds it."""
    section = _Fold(title, unfolded=_arrow("▾"), folded=_arrow("▸"))
    section.toggleButton().setToolTip(tooltip)
    section.toggleButton().setStyleSheet("text-align: left;")  # superqt's own leaves no rim to show the focus
    section.setDuration(0)
    if (layout := section.layout()) is not None:
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setAlignment(Qt.AlignmentFlag(0))  # with one, Qt asks how high the content is on lines without an end
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
