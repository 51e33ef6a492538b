"""Cells of two lines, so that a narrow table cuts neither the name of a scan nor the volumes of its structures."""

from collections.abc import Sequence
from typing import NamedTuple

from qtpy.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from qtpy.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QTextLayout, QTextOption
from qtpy.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

LINES = 2
MARGIN = 4
"""Pixels left and right of the text."""
CHIP, GAP, APART = 8, 2, 5
"""Edge of the square in a structure's colour, what lies between it and the number, and between the number and the next one."""
Index = QModelIndex | QPersistentModelIndex


class Volume(NamedTuple):
    """How much of a structure is painted."""

    name: str
    color: str
    ml: float

    @property
    def number(self) -> str:
        """The ml in three digits."""
        return f"{self.ml:.3g}"

    def words(self, *, named: bool) -> str:
        """The number, with the structure's name before it if wanted."""
        return f"{self.name} {self.number}" if named else self.number


def broken(text: str, font: QFont, width: int) -> list[str]:
    """Break a text into at most two lines of so many pixels, between words or else anywhere; a longer one loses its middle."""
    layout = QTextLayout(text, font)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout.setTextOption(option)
    layout.beginLayout()
    starts = []
    while (line := layout.createLine()).isValid():
        line.setLineWidth(width)
        starts.append(line.textStart())
    layout.endLayout()
    if len(starts) < LINES:
        return [text]
    last = QFontMetrics(font).elidedText(text[starts[1] :].strip(), Qt.TextElideMode.ElideMiddle, width)
    return [text[: starts[1]].strip(), last]


def set_out(volumes: Sequence[Volume], font: QFont, width: int, *, named: bool = False) -> list[list[Volume]] | None:
    """Lay chips with their numbers, or names too, into at most two lines of so many pixels; None if they do not fit."""
    metrics = QFontMetrics(font)
    lines: list[list[Volume]] = [[]]
    taken = 0
    for one in volumes:
        needed = CHIP + GAP + metrics.horizontalAdvance(one.words(named=named))
        if lines[-1] and taken + APART + needed > width:
            lines.append([])
            taken = 0
        taken += needed + (APART if lines[-1] else 0)
        if taken > width:
            return None
        lines[-1].append(one)
    return lines if len(lines) <= LINES else None


class _TwoLines(QStyledItemDelegate):
    """Draws ground and icon as the style does, and leaves the words to `_write`."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a cell."""
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        shown.text = ""
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, option.widget)
        selected = bool(shown.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.save()
        painter.setFont(shown.font)
        painter.setPen(shown.palette.color(role))
        self._write(painter, _words_place(shown.rect, shown.decorationSize, index), index)
        painter.restore()

    def _write(self, painter: QPainter, place: QRect, index: Index) -> None:
        raise NotImplementedError


class TextCell(_TwoLines):
    """A text, and its icon of so many pixels before it."""

    def __init__(self, icon: QSize, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._icon = icon

    def is_cut(self, index: Index, size: QSize, font: QFont) -> bool:
        """Say whether a part of the text is left out in a cell of this size."""
        place = _words_place(QRect(0, 0, size.width(), size.height()), self._icon, index)
        return any("…" in line for line in broken(index.data(), font, place.width()))

    def _write(self, painter: QPainter, place: QRect, index: Index) -> None:
        lines = broken(index.data() or "", painter.font(), place.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, "\n".join(lines))


class VolumesCell(_TwoLines):
    """Volumes in ml beside squares in the colours of the structures; with names where there is room for all, else only the sum.

    Parameters
    ----------
    role : int
        Under which an index holds its volumes, a sequence of `Volume`.
    """

    def __init__(self, role: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._role = role

    def is_cut(self, index: Index, size: QSize, font: QFont) -> bool:
        """Say whether a part of the shortest form is left out in a cell of this size."""
        return QFontMetrics(font).horizontalAdvance(self._sum(index)) > size.width() - 2 * MARGIN

    def _write(self, painter: QPainter, place: QRect, index: Index) -> None:
        volumes, width = index.data(self._role), place.width()
        named = set_out(volumes, painter.font(), width, named=True)
        lines = named or set_out(volumes, painter.font(), width)
        if lines is None:
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._sum(index))
            return
        high = painter.fontMetrics().lineSpacing()
        top = place.center().y() - high * len(lines) // 2 + 1
        for number, line in enumerate(lines):
            self._write_line(painter, QRect(place.left(), top + number * high, width, high), line, named=named is not None)

    def _write_line(self, painter: QPainter, place: QRect, line: Sequence[Volume], *, named: bool) -> None:
        left = place.left()
        for one in line:
            painter.fillRect(left, place.top() + (place.height() - CHIP) // 2, CHIP, CHIP, QColor(one.color))
            left += CHIP + GAP
            words = one.words(named=named)
            wide = painter.fontMetrics().horizontalAdvance(words)
            painter.drawText(QRect(left, place.top(), wide + 1, place.height()), Qt.AlignmentFlag.AlignVCenter, words)
            left += wide + APART

    def _sum(self, index: Index) -> str:
        volumes = index.data(self._role)
        return f"Σ {sum(one.ml for one in volumes):.3g}" if volumes else ""


def _words_place(cell: QRect, icon: QSize, index: Index) -> QRect:
    """Return where in a cell there is room for words."""
    before = icon.width() + MARGIN if index.data(Qt.ItemDataRole.DecorationRole) is not None else 0
    return cell.adjusted(before + MARGIN, 0, -MARGIN, 0)
