"""The running training as the dock sees it: how far it is, what it has seen, and how it ended. No widgets."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from qtpy.QtCore import QObject, Signal

from cvrl_napari.config import Plan, TrainRequest
from cvrl_napari.engine.commands import Command, KeepGoing, LabelsChanged, View
from cvrl_napari.engine.events import (
    Adjusted,
    LabelsTaken,
    Paused,
    Planned,
    PreviewReady,
    Progress,
    Resumed,
    RunDone,
    RunFailed,
    StepDone,
)
from cvrl_napari.engine.process_record import ProcessRecord
from cvrl_napari.gui.distant_child import DistantChild
from cvrl_napari.gui.warm_child import WarmChild
from cvrl_napari.gui.worker import TrainingWorker, training_child

Phase = Literal["idle", "preparing", "running", "paused", "stopping"]
NAMES = {"cvrl": "semi-supervised", "mean_teacher": "mean teacher", "supervised": "supervised only"}


class Training(QObject):
    """At most one run at a time, in another process, told what is painted and looked at.

    Every event passes through `take`, which keeps what the dock shows and hands the event on.

    Attributes
    ----------
    keeps_going : bool
        Whether a run goes on when the study or the viewer is closed.
    may_steer : bool
        False while the run of a study that is open for reading only is looked at.

    Signals
    -------
    changed
        Something to be shown changed: phase, progress, plan, overlay, strokes seen.
    event_received : object
        Every event of the run, after it was taken in.
    ended : object
        `RunDone` or `RunFailed`, once a run.
    """

    changed = Signal()
    event_received = Signal(object)
    ended = Signal(object)

    def __init__(self, show_overlay: Callable[[PreviewReady], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._show_overlay = show_overlay
        self._worker: TrainingWorker | None = None
        self.warm = WarmChild()
        self.keeps_going = False
        self._forget()

    def _forget(self) -> None:
        self.phase: Phase = "idle"
        self.may_steer = True
        self.plan: Plan | None = None
        self.run: Path | None = None
        self.doing = ""
        self.step, self.total = 0, 0
        self.seconds_left: float | None = None
        self.adjustments: tuple[str, ...] = ()
        self.overlay_at: float | None = None
        self._strokes: dict[str, int] = {}
        self._sent: dict[str, int] = {}
        self.strokes_seen = 0

    @property
    def is_active(self) -> bool:
        """Whether a run is under way, paused and stopping included."""
        return self.phase != "idle"

    @property
    def strokes_waiting(self) -> int:
        """Strokes of this run that the model has not seen yet."""
        return sum(self._strokes.values())

    def get_ready(self) -> None:
        """A study is open: load the engine into a child that waits, so that a run starts at once."""
        self.warm.get_ready()

    def start(self, folder: Path, request: TrainRequest, view: View | None, *, resume: Path | None = None) -> None:
        """Start a run, or go on with the one in the folder `resume`; the scan on view is its first wish."""
        self._forget()
        self.phase = "preparing"
        self.doing = "Starting" if resume is None else "Going on"
        child = training_child(folder, request, resume=resume, warm=self.warm.take())
        self._follow(TrainingWorker(child, self))
        self.keep_going(self.keeps_going)
        if view is not None:
            self.send(view)
        self.changed.emit()

    def attach(self, run: Path, *, may_steer: bool) -> None:
        """Follow a run that is under way already: what it has told comes first, in brief."""
        self._forget()
        self.phase, self.may_steer = "preparing", may_steer
        self.doing = "Looking at the training under way"
        self.keeps_going = True  # as it has until now
        self.warm.close()
        self._follow(TrainingWorker(DistantChild(run, may_steer=may_steer), self))
        self.changed.emit()

    def _follow(self, worker: TrainingWorker) -> None:
        self._worker = worker
        worker.event_received.connect(self.take)
        worker.ended.connect(self._on_ended)
        worker.start()

    def keep_going(self, on: bool) -> None:
        """Say whether runs go on when the study or the viewer is closed, this one and later ones."""
        self.keeps_going = on
        self.send(KeepGoing(on=on, viewer=ProcessRecord.own()))

    def send(self, command: Command) -> None:
        """Tell the run something; nothing happens while none is under way."""
        if self._worker is not None:
            self._worker.send(command)

    def stroke(self, case: str) -> None:
        """Something was painted on this case."""
        if self.is_active:
            self._strokes[case] = self._strokes.get(case, 0) + 1
            self.changed.emit()

    def labels_saved(self, case: str) -> None:
        """The labels of this case are on disk: learn from them."""
        if self.is_active:
            self._sent[case] = self._strokes.get(case, 0)
            self.send(LabelsChanged(case=case))

    def pause(self) -> None:
        """Ask the run to wait; `phase` follows when it does."""
        if self._worker is not None:
            self._worker.pause()

    def resume(self) -> None:
        """Let a paused run go on."""
        if self._worker is not None:
            self._worker.resume()

    def stop(self) -> None:
        """Ask the run to save and end."""
        if self._worker is not None and self.phase != "stopping":
            self.phase = "stopping"
            self._worker.stop()
            self.changed.emit()

    def shut_down(self) -> None:
        """Leave a run that keeps going to itself, and end any other now: ask, wait, kill.

        Afterwards no thread is left, and no other child, the one that waits included.
        """
        self.warm.close()
        if self._worker is not None:
            self._worker.ended.disconnect(self._on_ended)
            self._worker.event_received.disconnect(self.take)
            if self.keeps_going or not self.may_steer:
                self._worker.leave()
            else:
                self._worker.shut_down()
                self._worker.wait()
            self._worker.deleteLater()
            self._worker = None
        self._forget()

    def take(self, event: object) -> None:
        """Take in one event of the run."""
        match event:
            case Planned(run=run, plan=plan):
                self.run, self.plan = Path(run), plan
            case Progress(what=what, done=done, total=total) if self.phase == "preparing":  # later ones run beside the steps
                self.doing, self.step, self.total = what, done, total
            case StepDone(step=step, total=total, seconds_left=seconds_left):
                self.step, self.total, self.seconds_left = step, total, seconds_left
                self.phase = "running" if self.phase == "preparing" else self.phase
            case PreviewReady() if self._show_overlay(event):
                self.overlay_at = time.monotonic()
            case LabelsTaken(cases=cases):
                self._on_labels_taken(cases)
            case Adjusted(why=why):
                self.adjustments = (*self.adjustments, why)
            case Paused() if self.phase != "stopping":
                self.phase = "paused"
            case Resumed() if self.phase != "stopping":
                self.phase = "running"
        self.changed.emit()
        self.event_received.emit(event)

    def _on_labels_taken(self, cases: tuple[str, ...]) -> None:
        """The strokes that were on disk when the command was sent have been seen; later ones have not."""
        seen = {case: self._sent.pop(case) for case in cases if case in self._sent}
        for case, count in seen.items():
            self._strokes[case] = self._strokes.get(case, 0) - count
        self.strokes_seen = sum(seen.values()) or self.strokes_seen

    def _on_ended(self, end: RunDone | RunFailed) -> None:
        worker, self._worker = self._worker, None
        details = ""
        if worker is not None:
            details = worker.details()
            worker.wait()
            worker.deleteLater()
        self.details = details
        self.phase = "idle"
        if self.may_steer:
            self.get_ready()
        self.changed.emit()
        self.ended.emit(end)
