"""Keys of one list: where it has the focus they come before the window's own, which has another use for F2."""

from collections.abc import Callable, Mapping

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QAbstractItemView


class ListKeys(QObject):
    """Lives with the list it is made for; each action is called when its key is pressed there, without Shift or Ctrl."""

    def __init__(self, rows: QAbstractItemView, actions: Mapping[int, Callable[[], object]]) -> None:
        super().__init__(rows)
        self._actions = actions
        rows.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Take the keys before a shortcut of the window does; Qt asks for that with a `ShortcutOverride`."""
        if not isinstance(event, QKeyEvent) or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return False
        action = self._actions.get(event.key())
        if action is None or event.type() not in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress):
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            action()
        return True
