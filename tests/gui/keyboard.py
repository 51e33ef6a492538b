"""Where the Tab key leads in a window, and where it should."""

from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractScrollArea, QComboBox, QPushButton, QWidget

from .person import settle, wait_until

SAME_ROW = 14
"""Pixels between the middles of two things that stand side by side."""


def bring_to_front(window: QWidget) -> None:
    """Keys reach the focus of the window in front only."""
    window.activateWindow()
    wait_until(window.isActiveWindow, f"{window.windowTitle()} did not come to the front")
    settle()


def focus_of(window: QWidget) -> QWidget:
    """Return what the next key goes to."""
    focused = window.focusWidget()
    assert focused is not None, f"nothing in '{window.windowTitle()}' has the focus"
    return focused


def walked(window: QWidget) -> list[QWidget]:
    """Press Tab until it has gone round; return where it stopped, from the top of the window on."""
    stops = [focus_of(window)]
    for _ in range(60):
        QTest.keyClick(focus_of(window), Qt.Key.Key_Tab)
        settle()
        if focus_of(window) in stops:
            break
        stops.append(focus_of(window))
    assert focus_of(window) is stops[0], f"Tab does not go round in '{window.windowTitle()}': {list(map(words, stops))}"
    top = stops.index(min(stops, key=lambda one: _place(one, window)))
    return stops[top:] + stops[:top]


def as_seen(window: QWidget) -> list[QWidget]:
    """Return what can be worked with, line by line."""
    found = [
        one
        for one in window.findChildren(QWidget)
        if one.isVisible()
        and one.isEnabled()
        and one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.focusProxy() is None
        and not isinstance(one.parentWidget(), QComboBox)
        and not (isinstance(one.parentWidget(), QAbstractScrollArea) and one.objectName().startswith("qt_"))
    ]
    rows: list[list[QWidget]] = []
    for one in sorted(found, key=lambda one: _place(one, window)[0]):
        if rows and abs(_place(rows[-1][0], window)[0] - _place(one, window)[0]) <= SAME_ROW:
            rows[-1].append(one)
        else:
            rows.append([one])
    return [one for row in rows for one in sorted(row, key=lambda one: _place(one, window)[1])]


def default_of(window: QWidget) -> str:
    """Return the words of the button that Enter presses, wherever the focus is; empty without one."""
    defaults = [button for button in window.findChildren(QPushButton) if button.isDefault() and button.isVisible()]
    assert len(defaults) <= 1
    return words(defaults[0]) if defaults else ""


def words(widget: QWidget) -> str:
    """Return what a widget says, or how it is called."""
    text = getattr(widget, "text", None)
    said = str(text()) if callable(text) else ""
    return said.replace("&", "") or widget.accessibleName() or type(widget).__name__


def _place(widget: QWidget, window: QWidget) -> tuple[int, int]:
    """Return the middle of a widget, down and to the right; of a list or a field of many lines, its top."""
    corner = widget.mapTo(window, QPoint(0, 0))
    down = SAME_ROW if isinstance(widget, QAbstractScrollArea) else widget.height() // 2
    return corner.y() + down, corner.x() + widget.width() // 2
