"""Function keys of the dock: they work wherever the focus is in napari's window, in a list or a text field too."""

from collections.abc import Callable

import napari
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QMainWindow, QWidget

from cvrl_napari.gui.views.viewing import Viewing


class WindowKeys:
    """F1 to F6; they go with the dock they belong to."""

    def __init__(self, dock: QWidget, viewer: napari.Viewer, viewing: Viewing, show_keys: Callable[[], None]) -> None:
        self._dock, self._viewer, self._viewing = dock, viewer, viewing
        actions: dict[str, Callable[[], None]] = {
            "F1": show_keys,
            "F2": lambda: viewing.show_views(viewing.views is None, beside=dock),
            "F3": lambda: viewing.surfaces.turn(not viewing.surfaces.is_on),
            "F4": lambda: viewing.ruler.turn(not viewing.ruler.is_on),
            "F5": lambda: viewing.show_lines(not viewing.has_lines),
            "F6": self.go_on,
        }
        for key, action in actions.items():
            QShortcut(QKeySequence(key), dock, action)

    def go_on(self) -> None:
        """Give the focus to the next of: canvas, each linked view, dock."""
        window = self._dock.window()
        views = self._viewing.views
        stops: list[QWidget] = [canvas] if (canvas := _canvas(window)) is not None else []
        stops += views.shown_views() if views is not None else []
        stops.append(self._dock)
        focused = window.focusWidget()
        here = next((n for n, stop in enumerate(stops) if focused is not None and _holds(stop, focused)), len(stops) - 1)
        target = stops[(here + 1) % len(stops)]
        if target is self._dock:
            first = self._dock.nextInFocusChain()
            while first is not None and first is not self._dock and not _can_take_focus(first, self._dock):
                first = first.nextInFocusChain()
            target = first if first is not None else target
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)


def _canvas(window: QWidget) -> QWidget | None:
    """Return what takes the keys of napari's canvas: the first thing in the middle of the window that takes the focus."""
    middle = window.centralWidget() if isinstance(window, QMainWindow) else None
    if middle is None:
        return None
    some = middle.findChildren(QWidget)
    return next((one for one in some if one.isVisible() and one.focusPolicy() != Qt.FocusPolicy.NoFocus), None)


def _holds(outer: QWidget, inner: QWidget) -> bool:
    return outer is inner or outer.isAncestorOf(inner)


def _can_take_focus(widget: QWidget, dock: QWidget) -> bool:
    tabbed = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
    return tabbed and widget.isEnabled() and widget.isVisible() and dock.isAncestorOf(widget)
