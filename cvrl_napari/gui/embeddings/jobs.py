"""A command of `cvrl` in a child process whose events are followed: computing embeddings, projecting them."""

import time
from collections.abc import Sequence

from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.events import CaseEmbedded, Event, Progress, RunFailed
from cvrl_napari.gui.child import Child, words_for_exit
from cvrl_napari.gui.child_worker import ChildWorker
from cvrl_napari.gui.words import duration

FIRST_GUESS = 0.02
"""Share of a job that must have been seen done before anything is said of the time left."""


class JobWorker(ChildWorker):
    """Runs one command; `ended` brings its events, or `RunFailed`."""

    def __init__(self, name: str, arguments: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(Child(arguments), parent)
        self._name = name
        self._events: list[Event] = []
        self.canceled = False

    def cancel(self) -> None:
        """End the child now."""
        self.canceled = True
        self._child.kill()

    def _ask_to_end(self) -> None:
        self.cancel()

    def _outcome_of_event(self, event: Event) -> RunFailed | None:
        self._events.append(event)
        return event if isinstance(event, RunFailed) else None

    def _outcome_of_exit(self, code: int | None, tail: str) -> RunFailed | list[Event]:
        if self.canceled:
            return RunFailed(message=f"{self._name} was canceled.", hint="")
        if code != 0:
            message = f"{self._name} stopped unexpectedly: {words_for_exit(code, tail)}."
            return RunFailed(message=message, hint="Try again; the details tell more.")
        return self._events


class Job(QObject):
    """At most one command at a time, its progress in words; `share` of it is done, 0 to 1.

    Signals
    -------
    changed
        Began, went on or ended: see `is_active`, `words`, `share`.
    succeeded
        It came to its end.
    failed : str, str, str
        Sentence, what to do, details. Not when it was canceled by a person.
    """

    changed = Signal()
    succeeded = Signal()
    failed = Signal(str, str, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: JobWorker | None = None
        self.share = 0.0
        self.words = ""
        self._cases, self._cases_done = 1, 0

    @property
    def is_active(self) -> bool:
        """Whether a command is under way."""
        return self._worker is not None

    def start(self, name: str, arguments: Sequence[str], *, cases: int = 1) -> None:
        """Start a command of `cvrl` on so many cases; one that is under way is ended first."""
        self.cancel()
        self.share = 0.0
        self._cases, self._cases_done = cases, 0
        self.words = f"{name}…"
        self._first: tuple[float, float] | None = None
        self._worker = JobWorker(name, arguments, self)
        self._worker.event_received.connect(self._on_event)
        self._worker.ended.connect(self._on_ended)
        self._worker.start()
        self.changed.emit()

    def cancel(self) -> None:
        """End the command now; neither thread nor child is left."""
        if self._worker is not None:
            self._worker.event_received.disconnect(self._on_event)
            self._worker.ended.disconnect(self._on_ended)
            self._worker.shut_down()
            self._release()
            self.changed.emit()

    def _release(self) -> str:
        worker, self._worker = self._worker, None
        self.words = ""
        if worker is None:
            return ""
        worker.wait()
        worker.deleteLater()
        return worker.details()

    def _on_event(self, event: Event) -> None:
        match event:
            case Progress(what=what, done=done, total=total):
                self.share = (self._cases_done + done / max(total, 1)) / self._cases
                self.words = what
                if self.share > 0 and self._first is None:  # what comes before, such as compiling, says nothing of the rest
                    self._first = time.monotonic(), self.share
                elif self._first is not None and self.share - self._first[1] > FIRST_GUESS and self.share < 1:
                    begun, share = self._first
                    self.words += f", {duration((time.monotonic() - begun) * (1 - self.share) / (self.share - share))} left"
            case CaseEmbedded():
                self._cases_done += 1
            case _:
                return
        self.changed.emit()

    def _on_ended(self, end: Sequence[Event] | RunFailed) -> None:
        details = self._release()
        self.changed.emit()
        if isinstance(end, RunFailed):
            self.failed.emit(end.message, end.hint, details)
        else:
            self.succeeded.emit()
