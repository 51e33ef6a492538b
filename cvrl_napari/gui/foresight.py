"""What would happen if Train were pressed now, asked of the child that waits. No widgets."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import Event, Foreseen, RunFailed, parse_event
from cvrl_napari.gui.child import Child
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.worker import plan_arguments

AFTER_MS = 400
"""Without another change, before the child is asked."""
AGAIN_MS = 15_000
"""Between two questions while a training is refused: a disk gets space, a computer memory."""

_Question = tuple[Path, TrainRequest, tuple[str, ...], tuple[str, ...], tuple[str, ...], int]


class Foresight(QObject):
    """Keeps the plan of a training up to date with the options and the study, while none is under way.

    A question takes the child about a tenth of a second, the first one some more: scans are read and the network is timed.

    Attributes
    ----------
    foreseen : Foreseen or None
        What would be done; None while nothing is known.
    refusal : str
        Why it cannot be done and what to do, or the empty string.

    Signals
    -------
    changed
        One of these changed.
    """

    changed = Signal()
    _answered = Signal(object, object)

    def __init__(self, session: Session, request: Callable[[], TrainRequest], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._request = session, request
        self.foreseen: Foreseen | None = None
        self.refusal = ""
        self._asked: _Question | None = None
        self._known: _Question | None = None
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        self._answered.connect(self._on_answered)
        for signal in (session.study_changed, session.training.ended):
            signal.connect(self._forget)
        for signal in (session.classes_changed, session.case_changed):
            signal.connect(self.look_again)

    def look_again(self, *_: object) -> None:
        """Something changed that the plan may depend on."""
        if not self._closed and (not self._timer.isActive() or self._timer.remainingTime() > AFTER_MS):
            self._timer.start(AFTER_MS)

    def _forget(self, *_: object) -> None:
        """Another study, or a run more to learn from."""
        self._known = None
        self._tell(None, "")
        self.look_again()

    def close(self) -> None:
        """Ask nothing more, and tell nothing more."""
        self._closed = True
        self._timer.stop()

    def _question(self) -> _Question | None:
        """Return what the plan depends on; None while it makes no sense to ask."""
        study = self._session.study
        if study is None or study.read_only or self._session.training.is_active or not study.labeled_cases():
            return None
        cases = study.labeled_cases(), study.unlabeled_cases(), study.held_out_cases()
        return study.folder, self._request(), *cases, len(study.classes)

    def _ask(self) -> None:
        question = self._question()
        if question is None:
            self._known = None
            self._tell(None, "")
        elif self._asked is None and (question != self._known or self.refusal):
            child = self._session.training.warm.ask(plan_arguments(*question[:2]))
            if child is not None:
                self._asked = question
                threading.Thread(target=self._listen, args=(child, question), name="foresight", daemon=True).start()

    def _listen(self, child: Child, question: _Question) -> None:
        """Wait in a thread; it ends with the child at the latest."""
        answer: Event | None = None
        with suppress(ValidationError):
            answer = parse_event(child.answer())
        if not self._closed:
            with suppress(RuntimeError):  # the window has gone meanwhile
                self._answered.emit(question, answer)

    def _on_answered(self, question: _Question, answer: Event | None) -> None:
        self._asked = None
        if self._closed:
            return
        if question != self._question():
            self.look_again()
            return
        self._known = question
        match answer:
            case Foreseen():
                self._tell(answer, "")
            case RunFailed(message=message, hint=hint):
                self._tell(None, f"{message} {hint}".strip())
                self._timer.start(AGAIN_MS)
            case _:  # the child has died: Train finds out whether that was chance
                self._tell(None, "")

    def _tell(self, foreseen: Foreseen | None, refusal: str) -> None:
        if (foreseen, refusal) != (self.foreseen, self.refusal):
            self.foreseen, self.refusal = foreseen, refusal
            self.changed.emit()
