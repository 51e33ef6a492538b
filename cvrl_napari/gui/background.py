"""A function in a thread, its result or its error back in the GUI thread."""

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QRunnable, QThreadPool, Signal

Done = Callable[[Any], None]
Failed = Callable[[Exception], None]


class _Task(QRunnable):
    """Call a function and hand what comes of it to `answer`, in the pool's thread."""

    def __init__(self, function: Callable[[], Any], answer: Callable[[Any, Exception | None], None]) -> None:
        super().__init__()
        self._function, self._answer = function, answer

    def run(self) -> None:
        """Any exception is an answer here: it is given to the caller, who shows it."""
        try:
            result = self._function()
        except Exception as error:
            self._answer(None, error)
        else:
            self._answer(result, None)


class Background(QObject):
    """One thread that does one thing after the other. The functions must not touch Qt; the callbacks may."""

    _answered = Signal(object, object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._answered.connect(self._on_answered)
        self._closed = False

    def run(self, function: Callable[[], Any], done: Done, failed: Failed) -> None:
        """Call `function` in the thread, then `done(result)` or `failed(error)` in the GUI thread."""
        self._pool.start(_Task(function, lambda result, error: self._answered.emit((done, failed), result, error)))

    def close(self) -> None:
        """Drop what has not begun, wait for what has, and call nobody back any more."""
        self._closed = True
        self._pool.clear()
        self._pool.waitForDone()

    def finish(self) -> None:
        """Wait for all that was asked for, and call nobody back any more."""
        self._closed = True
        self._pool.waitForDone()

    def _on_answered(self, callbacks: tuple[Done, Failed], result: Any, error: Exception | None) -> None:
        if self._closed:
            return
        done, failed = callbacks
        if error is None:
            done(result)
        else:
            failed(error)
