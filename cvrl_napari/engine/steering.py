"""What a run has been told, and how a pause or a stop reaches it in the middle of something long.

On a slow computer a step of the full network takes half a minute, and so may the masks of a large scan. Nobody should wait
that long for an answer: hooks on the layers look at the inbox, and when a pause or a stop has waited for longer than
`PATIENCE_S`, they raise `Interrupted`. Whoever started the long thing leaves everything as it was before, so that it can be
done again from its beginning and a run that was interrupted equals one that was not.
"""

import queue
import time
from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from torch import Tensor, nn

from cvrl_napari.engine.commands import Command, Inbox, LabelsChanged, Pause, Resume, Stop, View

PATIENCE_S = 0.4
"""How long a pause or a stop waits for a short step to end before a long one is given up; two seconds are promised."""
GLANCE_S = 0.05

Result = TypeVar("Result")


class Interrupted(Exception):
    """Somebody asked for a pause or a stop in the middle of something long; it is undone, and may be done again."""


class Steering:
    """The commands of a run, taken from its inbox.

    Attributes
    ----------
    paused, stopping : bool
        Whether the run is to wait, or to save and end.
    """

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._view: View | None = None
        self._changed: list[str] = []
        self._asked_at: float | None = None
        self.paused = self.stopping = False

    def take(self) -> None:
        """Take all commands that have come."""
        try:
            while True:
                self._obey(self._inbox.get_nowait())
        except queue.Empty:
            return

    def wait(self, seconds: float | None = None) -> None:
        """Wait for the next command, at most so many seconds."""
        try:
            self._obey(self._inbox.get(timeout=seconds))
        except queue.Empty:
            return

    def pop_view(self) -> View | None:
        """Return where the person has turned to since this was last asked, None if nowhere else."""
        view, self._view = self._view, None
        return view

    def pop_changed_labels(self) -> list[str]:
        """Return the cases whose labels have changed since this was last asked."""
        changed, self._changed = self._changed, []
        return changed

    def add_changed_labels(self, cases: list[str]) -> None:
        """Have labels taken in that changed while the run was away."""
        self._changed += cases

    def check(self) -> None:
        """Take the commands; raise `Interrupted` when a pause or a stop has waited for too long."""
        self.take()
        if self._asked_at is not None and time.monotonic() - self._asked_at > PATIENCE_S:
            raise Interrupted

    def watch(self, network: nn.Module) -> None:
        """Have `check` called at every layer of a network, forward and backward, from now on."""

        def before_layer(_layer: nn.Module, _inputs: tuple[object, ...]) -> None:
            self.check()

        def at_gradient(_gradient: Tensor) -> None:
            self.check()

        for module in network.modules():
            if not any(True for _ in module.children()):
                module.register_forward_pre_hook(before_layer)
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.register_hook(at_gradient)  # type: ignore[no-untyped-call]

    def during(self, function: Callable[[], Result]) -> Result:
        """Call a function that does not look at the inbox in a thread, and `check` meanwhile.

        When that raises `Interrupted`, the thread is left to itself: only what may be done twice belongs here.
        """
        answers: queue.SimpleQueue[tuple[Result | None, Exception | None]] = queue.SimpleQueue()

        def answer() -> None:
            try:
                answers.put((function(), None))
            except Exception as error:  # raised below, where somebody knows what it means
                answers.put((None, error))

        Thread(target=answer, daemon=True).start()
        while True:
            try:
                result, error = answers.get(timeout=GLANCE_S)
            except queue.Empty:
                self.check()
                continue
            if error is not None:
                raise error
            return result  # type: ignore[return-value]

    def _obey(self, command: Command) -> None:
        match command:
            case View():
                self._view = command
            case LabelsChanged(case=case):
                self._changed.append(case)
            case Pause():
                self.paused = True
            case Resume():
                self.paused = False
            case Stop():
                self.stopping = True
        waits = self.paused or self.stopping
        self._asked_at = (self._asked_at or time.monotonic()) if waits else None
