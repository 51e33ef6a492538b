"""Which texts of a window are wider or higher than the room they have: what a person cannot read without doing something."""

from collections.abc import Iterator

from qtpy.QtCore import QPoint, QRect, QSize, Qt
from qtpy.QtGui import QTextDocument
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QStyle,
    QStyleOptionButton,
    QStyleOptionComboBox,
    QTabBar,
    QTableView,
    QToolButton,
    QTreeView,
    QWidget,
)

SLACK = 1
"""Pixels that rounding takes."""
PADDING = 3
"""Pixels that a header leaves on either side of its words."""


def cut_texts(root: QWidget) -> list[str]:
    """Return a line about each text below a widget that is on view and is cut; what is scrolled away downwards is not."""
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        if widget.isVisible() and not widget.size().isEmpty() and not _is_folded(widget):
            found += [f"{type(widget).__name__} {words!r}: {why}" for words, why in _cut(widget)]
    return found


def _is_folded(widget: QWidget) -> bool:
    """Say whether a widget lies in something that is folded to nothing."""
    above = widget.parentWidget()
    return above is not None and not widget.isWindow() and (above.size().isEmpty() or _is_folded(above))


def _cut(widget: QWidget) -> Iterator[tuple[str, str]]:
    if isinstance(widget, QHeaderView):
        yield from _cut_sections(widget)
    elif isinstance(widget, QAbstractItemView):
        yield from _cut_cells(widget)
    elif isinstance(widget, QTabBar):
        for tab in range(widget.count()):
            if widget.tabRect(tab).width() + SLACK < widget.tabSizeHint(tab).width():
                yield widget.tabText(tab), "tab"
    else:
        words, needed, room = _needed(widget)
        if words:
            if needed.width() > room.width() + SLACK or needed.height() > room.height() + 2 * SLACK:
                yield words, f"needs {needed.width()} x {needed.height()}, has {room.width()} x {room.height()}"
            elif (outside := _outside(widget)) > SLACK:
                yield words, f"{outside} pixels of it lie outside of what holds it"


def _needed(widget: QWidget) -> tuple[str, QSize, QSize]:
    """Return a text, what it needs and what it has, in pixels."""
    metrics, style, text_of = widget.fontMetrics(), widget.style(), getattr(widget, "text", None)
    none = ("", QSize(), QSize())
    if isinstance(widget, QLabel):
        room = widget.contentsRect().adjusted(*[widget.margin(), widget.margin(), -widget.margin(), -widget.margin()]).size()
        words = widget.text()
        if not words:
            return none
        if Qt.mightBeRichText(words) and widget.textFormat() != Qt.TextFormat.PlainText:
            document = QTextDocument()
            document.setDefaultFont(widget.font())
            document.setDocumentMargin(0)
            document.setHtml(words)
            if widget.wordWrap():
                document.setTextWidth(room.width())
            return words, document.size().toSize(), room
        if widget.wordWrap():
            box = metrics.boundingRect(QRect(0, 0, room.width(), 9999), Qt.TextFlag.TextWordWrap, words)
            return words, box.size(), room
        return words, metrics.size(0, words), room
    if isinstance(widget, QCheckBox | QRadioButton | QPushButton):
        option = QStyleOptionButton()
        widget.initStyleOption(option)
        part = {
            QCheckBox: QStyle.SubElement.SE_CheckBoxContents,
            QRadioButton: QStyle.SubElement.SE_RadioButtonContents,
            QPushButton: QStyle.SubElement.SE_PushButtonContents,
        }[next(kind for kind in (QCheckBox, QRadioButton, QPushButton) if isinstance(widget, kind))]
        room = style.subElementRect(part, option, widget).size()
        needed = metrics.size(int(Qt.TextFlag.TextShowMnemonic), widget.text())
        if not widget.icon().isNull():
            needed += QSize(widget.iconSize().width() + 4, 0)
        return widget.text(), needed, QSize(room.width(), max(room.height(), widget.height()))
    if isinstance(widget, QToolButton):
        is_text = widget.toolButtonStyle() != Qt.ToolButtonStyle.ToolButtonIconOnly or widget.icon().isNull()
        return (widget.text(), metrics.size(0, widget.text()), widget.size()) if is_text else none
    if isinstance(widget, QAbstractButton):
        return none if text_of is None else (widget.text(), widget.sizeHint(), widget.size())
    if isinstance(widget, QComboBox):
        option = QStyleOptionComboBox()
        widget.initStyleOption(option)
        room = style.subControlRect(QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, widget)
        return widget.currentText(), metrics.size(0, widget.currentText()), QSize(room.width(), widget.height())
    if isinstance(widget, QLineEdit):
        spins = isinstance(widget.parent(), QAbstractSpinBox)
        words = widget.displayText() if spins else widget.placeholderText() if not widget.text() else ""
        return words, metrics.size(0, words), widget.size() - QSize(4, 0)
    return none


def _outside(widget: QWidget) -> int:
    """Return how many pixels of a widget lie left or right of what holds it; and above or below, unless that scrolls."""
    area, above = QRect(QPoint(0, 0), widget.size()), widget.parentWidget()
    scrolls = False
    while above is not None and not widget.isWindow():
        place = QRect(widget.mapTo(above, QPoint(0, 0)), area.size())
        aside = max(-place.left(), place.right() + 1 - above.width())
        along = 0 if scrolls else max(-place.top(), place.bottom() + 1 - above.height())
        if aside > SLACK or along > SLACK:
            return max(aside, along)
        scrolls = scrolls or isinstance(above.parentWidget(), QScrollArea)
        scrolls = scrolls or (above.parentWidget() is not None and isinstance(above.parentWidget().parentWidget(), QScrollArea))
        if above.isWindow():
            break
        above = above.parentWidget()
    return 0


def _cut_sections(header: QHeaderView) -> Iterator[tuple[str, str]]:
    for section in range(header.count()):
        if header.orientation() == Qt.Orientation.Horizontal and not header.isSectionHidden(section):
            words, has = str(header.model().headerData(section, header.orientation()) or ""), header.sectionSize(section)
            arrow = 12 if header.isSortIndicatorShown() and header.sortIndicatorSection() == section else 0
            needed = header.fontMetrics().horizontalAdvance(words) + arrow + 2 * PADDING
            if needed > has:
                yield words, f"header needs {needed}, has {has}"


def _cut_cells(view: QAbstractItemView) -> Iterator[tuple[str, str]]:
    model = view.model()
    if model is None:
        return
    for row in range(min(model.rowCount(view.rootIndex()), 50)):
        for column in range(model.columnCount(view.rootIndex()) if isinstance(view, QTableView | QTreeView) else 1):
            index = model.index(row, column, view.rootIndex())
            has = view.visualRect(index).size()
            words = index.data()
            if not words or has.isEmpty() or not view.viewport().rect().intersects(view.visualRect(index)):
                continue
            is_cut = getattr(view.itemDelegateForIndex(index), "is_cut", None)  # of a delegate that draws by itself
            if is_cut is not None:
                if is_cut(index, has, view.font()):
                    yield str(words), f"cell of {has.width()} x {has.height()}"
                continue
            room = has.width() if isinstance(view, QTableView | QTreeView) else min(has.width(), view.viewport().width())
            if getattr(view, "wordWrap", bool)():
                box = QRect(0, 0, room - 2 * PADDING, 9999)
                high = view.fontMetrics().boundingRect(box, Qt.TextFlag.TextWordWrap, str(words)).height()
                if high > has.height() + SLACK:
                    yield str(words), f"cell needs a height of {high}, has {has.height()}"
            elif view.sizeHintForIndex(index).width() > room + SLACK:
                yield str(words), f"cell needs {view.sizeHintForIndex(index).width()}, has {room}"
