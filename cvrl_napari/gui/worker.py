"""Training beside the viewer, in a child process or in one that was under way before the viewer came."""

import json
import os
from pathlib import Path

import psutil
from qtpy.QtCore import QObject

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import Command, Pause, Resume, Stop
from cvrl_napari.engine.events import CheckpointSaved, Event, RunDone, RunFailed
from cvrl_napari.gui.child import Child, words_for_exit
from cvrl_napari.gui.child_worker import ChildWorker, Process


class TrainingWorker(ChildWorker):
    """Speaks with the process of a run; that ends with the viewer unless it was told to keep going, the viewer survives it.

    Signals
    -------
    event_received : object
        Every event of the run, a record of `engine.events`, in order.
    ended : object
        `RunDone` or `RunFailed`, exactly once after `start()`, whatever happens, and when the child is gone.

    Parameters
    ----------
    child : Child or DistantChild
        `training_child(...)`, or a run that is under way.
    """

    def __init__(self, child: Process, parent: QObject | None = None) -> None:
        super().__init__(child, parent)
        self._last_checkpoint: int | None = None

    def send(self, command: Command) -> None:
        """Tell the run something; never blocks, dropped when the run is over."""
        self._child.send(command.line())

    def pause(self) -> None:
        """Ask the run to wait after the present step."""
        self.send(Pause())

    def resume(self) -> None:
        """Let a paused run go on."""
        self.send(Resume())

    def stop(self) -> None:
        """Ask the run to save and end after the present step; `ended` tells when it has."""
        self.send(Stop())

    def _ask_to_end(self) -> None:
        self.stop()

    def _outcome_of_event(self, event: Event) -> RunDone | RunFailed | None:
        if isinstance(event, CheckpointSaved):
            self._last_checkpoint = event.step
        return event if isinstance(event, RunDone | RunFailed) else None

    def _outcome_of_exit(self, code: int | None, tail: str) -> RunFailed:
        if self._last_checkpoint is None:
            safe = "Everything painted is safe; no checkpoint had been saved yet."
        else:
            safe = f"Everything painted is safe; the last checkpoint is from step {self._last_checkpoint}."
        return RunFailed(message=f"Training stopped unexpectedly: {words_for_exit(code, tail)}.", hint=safe)


def training_child(
    study_folder: Path, request: TrainRequest, *, resume: Path | None = None, warm: Child | None = None
) -> Child:
    """Return the child that makes a run of a study, or goes on with the one in the folder `resume`.

    Parameters
    ----------
    warm : Child, optional
        One that waits for this order (`gui.warm_child`); without it a child is started.
    """
    arguments = train_arguments(study_folder, request, resume)
    if warm is not None:
        warm.send(json.dumps(arguments))
    return warm or Child(arguments)


def train_arguments(study_folder: Path, request: TrainRequest, resume: Path | None) -> list[str]:
    """Return the arguments of `cvrl` that make the child do what was asked, defaults left out."""
    arguments = ["train", str(study_folder), "--json", "--attached", *_options(request)]
    if resume is not None:
        arguments += ["--resume", str(resume)]
    return arguments


def plan_arguments(study_folder: Path, request: TrainRequest) -> list[str]:
    """Return the arguments of `cvrl` that make the child say what it would do."""
    return ["plan", str(study_folder), "--json", *_options(request)]


def _options(request: TrainRequest) -> list[str]:
    arguments: list[str] = []
    for name, value in request.model_dump(exclude_defaults=True, exclude={"threads"}).items():
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        arguments += [f"--{name.replace('_', '-')}", text]
    return [*arguments, "--threads", str(request.threads or spare_threads())]


def spare_threads() -> int:
    """Return how many CPU threads training may take so that the viewer keeps a core for itself, at least 1."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):  # a container or a cluster job may own fewer cores than the machine has
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, cores - 1)
