"""A training run: a generator of events, steered through an inbox of commands.

`for event in train(study, request): ...` is the whole API. The generator never prints and touches no window; closing it
(or a `Stop` command) saves the checkpoint and the student and ends the run.
"""

import contextlib
import math
import queue
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import torch

from cvrl_napari.config import OptimizerConfig, Plan, TrainRequest
from cvrl_napari.engine.checkpoint import load_checkpoint, save_checkpoint
from cvrl_napari.engine.commands import Command, Inbox, LabelsChanged, Pause, Resume, Stop, View
from cvrl_napari.engine.device import pick, set_threads
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import (
    Adjusted,
    CheckpointSaved,
    Event,
    LabelsTaken,
    Paused,
    Planned,
    Resumed,
    RunDone,
    RunFailed,
    StepDone,
)
from cvrl_napari.engine.model_file import ModelCard, save_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.preview import Previewer
from cvrl_napari.engine.probe import CASES, Probe
from cvrl_napari.engine.run_cases import RunCases
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.schedule import Clock, learning_rate
from cvrl_napari.engine.validation import Validator
from cvrl_napari.losses.ramp_up import ramp_up
from cvrl_napari.methods.build import build_method
from cvrl_napari.methods.cvrl import CVRL
from cvrl_napari.methods.method import Method
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

GRADIENT_CLIP = 12.0
"""Largest norm of the gradient; only a step gone wrong is ever longer."""
REWINDS = 3
"""How often a run whose loss is no longer a number goes back to its last checkpoint, each time at half the learning rate."""


class _NotFiniteError(Exception):
    """The loss of a step, or its gradient, is no longer a number; the weights are as they were before it."""


def train(
    study: Study, request: TrainRequest | Plan, *, inbox: Inbox | None = None, resume: Path | None = None
) -> Generator[Event, None, None]:
    """Train on the labeled and the unlabeled cases of a study.

    Parameters
    ----------
    study : Study
        Read only; the run writes below its `runs/` and `cache/`.
    request : TrainRequest or Plan
        What is asked for, or exactly what to do; when resuming, the run's stored plan counts instead.
    inbox : queue of commands, optional
        Read between steps: scan on view, labels changed, pause, resume, stop.
    resume : path of a run's folder, optional
        Go on with this run from its last checkpoint.

    Yields
    ------
    Event
        `Planned` first; `RunDone` or `RunFailed` last, unless the generator is closed before.
    """
    run: RunFolder | None = None
    try:
        if resume is None:
            plan = request if isinstance(request, Plan) else resolve(study, request, pick(request.device))
            run = RunFolder.create(study.runs_folder, plan)
        else:
            run = RunFolder(Path(resume))
            plan = run.plan()
            if len(study.classes) + 1 != plan.net.classes:
                raise EngineError(
                    f"The classes of the study have changed since the run {run.path.name} was started.", "Start a new run."
                )
        events = _Run(study, plan, run, inbox or queue.SimpleQueue(), resuming=resume is not None).events()
        with contextlib.closing(events):
            for event in events:
                run.record(event)
                yield event
    except Exception as error:
        failure = _explain(error)
        if failure is None:
            raise
        if run is not None:
            with contextlib.suppress(OSError):
                run.record(failure)
        yield failure


def preload() -> None:
    """Have torch load what it loads at the first use of an optimizer: its compiler, which takes a second."""
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])


def _explain(error: Exception) -> RunFailed | None:
    """Put a foreseen failure into words; None for a bug, which should be seen as one."""
    match error:
        case EngineError():
            return RunFailed(message=error.message, hint=error.hint)
        case StudyError() | VolumeError():
            return RunFailed(message=str(error), hint="Everything painted is safe. Mend this, then train again.")
        case torch.cuda.OutOfMemoryError() | MemoryError():
            return RunFailed(
                message="There is not enough memory for this training.",
                hint="Choose the preset 'quick', or close other programs, then train again.",
            )
        case OSError():
            where = f" ({error.filename})" if error.filename else ""
            return RunFailed(
                message=f"The run could not write or read a file: {error.strerror}{where}.",
                hint="Free some space or check the folder's permissions, then train again.",
            )
    return None


class _Run:
    """The state of one run while it goes on."""

    def __init__(self, study: Study, plan: Plan, run: RunFolder, inbox: Inbox, *, resuming: bool) -> None:
        self.study, self.plan, self.run, self.inbox = study, plan, run, inbox
        self.resuming = resuming
        self.device = torch.device(plan.device)
        self.card = ModelCard.of(plan, study, metrics={})
        self.clock = Clock(plan)
        self.previewer = Previewer(plan, run)
        self.cases = RunCases(study, plan)
        self.validator, self.probe = Validator(plan), Probe(plan, run)
        self.changed_labels: list[str] = []
        self.stopping = self.paused = False
        self.saved_seconds = 0.0
        self.rewinds, self.is_lost = 0, False

    def events(self) -> Generator[Event, None, None]:
        """The run from its plan to its end."""
        started = time.monotonic()
        yield Planned(run=str(self.run.path), plan=self.plan)
        set_threads(self.plan.threads)
        self._build()
        if self.resuming:
            self._load()
        yield LabelsTaken(cases=tuple(self.cases.labeled), step=self.clock.step)
        try:
            yield from self._train()
        finally:  # also when the generator is closed or a step fails: what was learned stays
            self.cases.close()
            saved = self._save() if self.clock.step and not self.is_lost else None
        if saved is None:
            raise EngineError("The run was stopped before its first step.", "Press Train to start again.")
        yield saved
        yield RunDone(
            run=str(self.run.path),
            model=str(self.run.model),
            step=self.clock.step,
            stopped=self.stopping,
            seconds=time.monotonic() - started,
        )

    def _build(self) -> None:
        torch.manual_seed(self.plan.seed)  # initial weights and dropout
        self.method: Method = build_method(self.plan).to(self.device)
        self.optimizer = _optimizer(self.plan.optimizer, self.method)

    def _train(self) -> Iterator[Event]:
        while not self.clock.is_over and not self.stopping:
            self._take_commands()
            if self.changed_labels:
                yield from self._take_labels()
            yield from self._unless_stopped(
                self.cases.prepare_step(self.clock.step, with_unlabeled=self._learns_from_unlabeled)
            )
            if self.stopping:
                return
            try:
                done = self._step()
            except _NotFiniteError:
                yield self._rewind()
                continue
            yield done
            yield from self._look()
            if self.clock.seconds - self.saved_seconds >= self.plan.checkpoint_seconds:
                yield self._save()
            yield from self._wait_while_paused()
        if not self.stopping:  # the finished model's masks and figures
            yield from self._preview(whole=True)
            yield from self._validate()
            yield from self._diagnose()

    def _unless_stopped(self, preparing: Iterator[Event]) -> Iterator[Event]:
        """Pass the events on; a stop need not wait for the scans that are still to be prepared."""
        for event in preparing:
            yield event
            self._take_commands()
            if self.stopping:
                return

    @property
    def _learns_from_unlabeled(self) -> bool:
        """Whether the next step looks at unlabeled patches: not while the labels alone warm the networks up."""
        return ramp_up(self.clock.progress, warm_up=self.plan.warm_up, length=self.plan.ramp_up) > 0

    def _step(self) -> StepDone:
        with self.clock:
            rate = learning_rate(self.plan.optimizer, self.clock.progress) * 0.5**self.rewinds
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch = self.cases.loader.next(with_unlabeled=self._learns_from_unlabeled).to(self.device)
            self.cases.make_next_batch(with_unlabeled=self._learns_from_unlabeled)
            self.method.train()
            with torch.autocast(
                self.device.type, dtype=getattr(torch, self.plan.precision), enabled=self.plan.precision != "float32"
            ):
                losses = self.method.losses(batch, self.clock.progress)
            self.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(losses["total"])
            length = torch.nn.utils.clip_grad_norm_(_trained(self.method), GRADIENT_CLIP)
            values = {name: float(value.detach()) for name, value in losses.items()}
            if not (math.isfinite(values["total"]) and math.isfinite(float(length))):
                raise _NotFiniteError
            self.optimizer.step()
            self.method.after_step(self.clock.step)
            self.clock.step += 1
        return StepDone(step=self.clock.step, total=self.clock.total, losses=values, seconds_left=self.clock.seconds_left)

    def _rewind(self) -> Adjusted:
        """Go back to the last checkpoint, or to the beginning where there is none, at half the learning rate.

        The streams of cases go on as they are: what was painted since counts, and the next batch is another one.
        """
        lost = self.clock.step
        if self.rewinds == REWINDS:
            self.is_lost = True  # what is on disk is better than these weights
            raise EngineError(
                f"The training lost its way {REWINDS + 1} times: the loss is no longer a number after step {lost}.",
                "Train again with another seed; if it comes again, look for scans with odd grey values.",
            )
        rewinds = self.rewinds + 1
        if self.run.checkpoint.is_file():
            self._load(with_cases=False)
        else:
            self._build()
            self.clock.load_state_dict({"step": 0, "seconds": 0.0})
        self.rewinds = rewinds  # those of the checkpoint may be fewer
        where = f"went back to step {self.clock.step}" if self.clock.step else "began anew"
        return Adjusted(
            why=f"The loss was no longer a number: the run {where} and goes on at half the learning rate.", step=lost
        )

    def _look(self) -> Iterator[Event]:
        """Preview, validate and diagnose when they are due."""
        if self.previewer.is_due(self.clock.seconds):
            yield from self._preview()
        if self.validator.is_due(self.clock.seconds):
            yield from self._validate()
        if self.probe.is_due(self.clock.seconds):
            yield from self._diagnose()

    def _preview(self, *, whole: bool = False) -> Iterator[Event]:
        case = self.previewer.case
        if case is None:
            return
        yield from self.cases.prepare([case], step=self.clock.step)
        for prepared in self.cases.prepared([case]):
            yield from self.previewer.make(
                self.method.student, prepared, step=self.clock.step, seconds=self.clock.seconds, whole=whole
            )

    def _validate(self) -> Iterator[Event]:
        yield from self.cases.prepare(self.cases.held_out, step=self.clock.step)
        yield from self.validator.measure(self.method.student, self.cases.prepared(self.cases.held_out), self.clock)

    def _diagnose(self) -> Iterator[Event]:
        streams = self.cases.labeled, self.cases.unlabeled
        yield from self.cases.prepare([*streams[0][:CASES], *streams[1][:CASES]], step=self.clock.step)
        labeled, unlabeled = (self.cases.prepared(stream)[:CASES] for stream in streams)
        yield from self.probe.diagnose(self.method, labeled, unlabeled, self.clock)

    def _take_commands(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._obey(self.inbox.get_nowait())

    def _obey(self, command: Command) -> None:
        match command:
            case View(case=case):
                if any(known.id == case for known in self.study.cases):
                    self.previewer.look_at(case, command.index if command.axis == 0 else None)
            case LabelsChanged(case=case):
                self.changed_labels.append(case)
            case Pause():
                self.paused = True
            case Resume():
                self.paused = False
            case Stop():
                self.stopping = True

    def _wait_while_paused(self) -> Iterator[Event]:
        self._take_commands()
        if not self.paused or self.stopping:
            return
        yield self._save()
        yield Paused(step=self.clock.step)
        while self.paused and not self.stopping:
            self._obey(self.inbox.get())
        if not self.stopping:
            yield Resumed(step=self.clock.step)

    def _take_labels(self) -> Iterator[Event]:
        changed, self.changed_labels = self.changed_labels, []
        yield from self.cases.take_labels(changed, step=self.clock.step)

    def _save(self) -> CheckpointSaved:
        save_checkpoint(self.run.checkpoint, self._state())
        card = self.card.model_copy(update={"metrics": self.validator.latest})
        save_model(self.run.model, self.method.student, card, self.method.projectors if isinstance(self.method, CVRL) else None)
        self.saved_seconds = self.clock.seconds
        return CheckpointSaved(path=str(self.run.checkpoint), model=str(self.run.model), step=self.clock.step)

    def _state(self) -> dict[str, object]:
        return {
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            **self.cases.state_dict(),
            "clock": self.clock.state_dict(),
            "rewinds": self.rewinds,
            "generator": torch.get_rng_state(),
        }

    def _load(self, *, with_cases: bool = True) -> None:
        state = load_checkpoint(self.run.checkpoint)
        if with_cases:
            self.changed_labels += self.cases.load_state_dict(state)
        self.rewinds = int(state.get("rewinds", 0))
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.clock.load_state_dict(state["clock"])
        self.saved_seconds = self.clock.seconds
        torch.set_rng_state(state["generator"])


def _trained(method: Method) -> list[torch.nn.Parameter]:
    return [parameter for parameter in method.parameters() if parameter.requires_grad]


def _optimizer(config: OptimizerConfig, method: Method) -> torch.optim.Optimizer:
    parameters = _trained(method)
    if config.name == "sgd":
        return torch.optim.SGD(
            parameters, lr=config.learning_rate, momentum=config.sgd_momentum, weight_decay=config.weight_decay
        )
    return torch.optim.AdamW(parameters, lr=config.learning_rate, weight_decay=config.weight_decay)
