"""Work for a round of the event loop in which nothing else is done.

In a round Qt takes keys and the mouse, then draws what has changed, then runs the timers that are due: what a timer does comes
on top of the drawing. A second timer, started by the first, runs in the round after.
"""

from collections.abc import Callable

from qtpy.QtCore import QObject, QTimer


def in_own_round(function: Callable[[], object], context: QObject, milliseconds: int = 30) -> None:
    """Call a function so many milliseconds from now, when all that was to be drawn then is drawn; not if `context` is gone."""
    QTimer.singleShot(milliseconds, context, lambda: QTimer.singleShot(1, context, function))


class OwnRound(QObject):
    """The same, to be started again and again."""

    def __init__(self, milliseconds: int, function: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._wait, self._turn = QTimer(self), QTimer(self)
        for timer, interval in ((self._wait, milliseconds), (self._turn, 1)):
            timer.setSingleShot(True)
            timer.setInterval(interval)
        self._wait.timeout.connect(self._turn.start)
        self._turn.timeout.connect(function)

    @property
    def is_due(self) -> bool:
        """Whether it will be called."""
        return self._wait.isActive() or self._turn.isActive()

    def start(self, milliseconds: int | None = None) -> None:
        """Call it once, so many milliseconds from now; a call that is due already waits as long."""
        self._turn.stop()
        if milliseconds is not None:
            self._wait.setInterval(milliseconds)
        self._wait.start()
