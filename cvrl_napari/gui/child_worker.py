"""A thread that starts the engine as a child process and turns its events into Qt signals."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from pydantic import ValidationError
from qtpy.QtCore import QObject, QThread, Signal

from cvrl_napari.engine.events import Event, RunDone, RunFailed, parse_event

LAST_WORDS_S = 5.0
"""How long a child may take to leave after its last event before it is killed."""

Outcome = RunDone | RunFailed | Sequence[Event]


class Process(Protocol):
    """A process of the engine as a worker talks to it: `Child` says what each of these does."""

    @property
    def pid(self) -> int | None: ...  # noqa: D102
    @property
    def is_left(self) -> bool: ...  # noqa: D102
    def start(self) -> None: ...  # noqa: D102
    def send(self, line: str) -> None: ...  # noqa: D102
    def close_input(self) -> None: ...  # noqa: D102
    def lines(self) -> Iterator[bytes]: ...  # noqa: D102
    def note(self, line: bytes) -> None: ...  # noqa: D102
    def tail(self) -> str: ...  # noqa: D102
    def finish(self, patience_s: float) -> int | None: ...  # noqa: D102
    def leave(self) -> None: ...  # noqa: D102
    def kill(self) -> None: ...  # noqa: D102


class ChildWorker(QThread):
    """Runs one command of the engine in a child process, started here if it is not yet. No GUI object is touched in the thread.

    Signals
    -------
    event_received : object
        Every event, a record of `engine.events`, in order.
    ended : object
        How it went, exactly once after `start()`, whatever happens, and when the child is gone; never after `leave()`.
    """

    event_received = Signal(object)
    ended = Signal(object)

    def __init__(self, child: Process, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._child = child

    @property
    def pid(self) -> int | None:
        """Process id of the child; None before it started."""
        return self._child.pid

    def details(self) -> str:
        """Return the last lines the child wrote to standard error, for 'Details' below a failure."""
        return self._child.tail()

    def run(self) -> None:
        """Start the child and pass its events on until it ends; called by `start()`."""
        outcome: Outcome | None = None
        try:
            self._child.start()
        except OSError as error:
            self.ended.emit(
                RunFailed(
                    message=f"A second process could not be started: {error}.", hint="Close other programs and try again."
                )
            )
            return
        try:
            outcome = self._listen()
        finally:
            code = None if self._child.is_left else self._child.finish(LAST_WORDS_S)
        if not self._child.is_left:
            self.ended.emit(outcome if outcome is not None else self._outcome_of_exit(code, self._child.tail()))

    def _listen(self) -> Outcome | None:
        for line in self._child.lines():
            try:
                event = parse_event(line)
            except ValidationError:
                self._child.note(line)
                continue
            self.event_received.emit(event)
            if (outcome := self._outcome_of_event(event)) is not None:
                return outcome
        return None

    def _outcome_of_event(self, event: Event) -> Outcome | None:
        """Return the outcome when this event is the last one of the job."""
        raise NotImplementedError

    def _outcome_of_exit(self, code: int | None, tail: str) -> Outcome:
        """Return the outcome when the child ended without a last event."""
        raise NotImplementedError

    def _ask_to_end(self) -> None:
        """Ask the child to come to an end by itself."""
        raise NotImplementedError

    def shut_down(self, timeout_s: float = 3.0) -> None:
        """Ask, wait, then kill the child; when this returns neither thread nor child is left. For quit."""
        if not self.isRunning():
            return
        self._ask_to_end()
        self._child.close_input()
        if not self.wait(int(timeout_s * 1000)):
            self._child.kill()
            self.wait()

    def leave(self) -> None:
        """Listen no more; when this returns the thread is gone, and the child goes on if it was told to."""
        self._child.leave()
        self.wait()
