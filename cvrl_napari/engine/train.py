"""A training run: a generator of events, steered through an inbox of commands.

`for event in train(study, request): ...` is the whole API. The generator never prints and touches no window; closing it
(or a `Stop` command) saves the checkpoint and the student and ends the run.
"""

import contextlib
import math
import queue
import time
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import torch

from cvrl_napari.config import OptimizerConfig, Plan, TrainRequest
from cvrl_napari.data.prepare import PreparedCase, prepare
from cvrl_napari.data.streams import TwoStreamLoader
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
    Progress,
    Resumed,
    RunDone,
    RunFailed,
    StepDone,
)
from cvrl_napari.engine.model_file import ModelCard, save_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.preview import Previewer
from cvrl_napari.engine.probe import Probe
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.schedule import Clock, learning_rate
from cvrl_napari.engine.validation import Validator
from cvrl_napari.methods.build import build_method
from cvrl_napari.methods.method import Method
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import IGNORE
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

GRADIENT_CLIP = 12.0
"""Largest norm of the gradient; only a step gone wrong is ever longer."""


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
        self.cases: dict[str, PreparedCase] = {}
        self.labeled, self.unlabeled = list(plan.labeled_cases), list(plan.unlabeled_cases)
        self.changed_labels: list[str] = []
        self.stopping = self.paused = False
        self.saved_seconds = 0.0

    def events(self) -> Generator[Event, None, None]:
        """The run from its plan to its end."""
        started = time.monotonic()
        yield Planned(run=str(self.run.path), plan=self.plan)
        set_threads(self.plan.threads)
        yield from self._prepare()
        if self.stopping:
            raise EngineError(
                "The run was stopped while its scans were being prepared.",
                "Press Train to start again; the prepared scans are kept.",
            )
        torch.manual_seed(self.plan.seed)  # initial weights and dropout
        self.method: Method = build_method(self.plan).to(self.device)
        self.optimizer = _optimizer(self.plan.optimizer, self.method)
        self.loader = TwoStreamLoader(self._prepared(self.labeled), self._prepared(self.unlabeled), self.plan, self.plan.seed)
        if self.resuming:
            self._load()
        self.validator = Validator(self.plan, self._prepared([case for case in self.plan.held_out_cases if case in self.cases]))
        self.probe = Probe(self.plan, self._prepared(self.labeled), self._prepared(self.unlabeled))
        yield LabelsTaken(cases=tuple(self.labeled), step=self.clock.step)
        try:
            yield from self._train()
        finally:
            saved = self._save()  # also when the generator is closed or a step fails: what was learned stays
        yield saved
        yield RunDone(
            run=str(self.run.path),
            model=str(self.run.model),
            step=self.clock.step,
            stopped=self.stopping,
            seconds=time.monotonic() - started,
        )

    def _prepare(self) -> Iterator[Event]:
        """Prepare every case, those with labels and the one on view first; quick when the cache has them."""
        order = [*self.labeled, *self.unlabeled, *self.plan.held_out_cases]
        for done, case in enumerate(order):
            self._take_commands()
            if self.stopping:
                return
            yield Progress(what="Preparing scans", done=done, total=len(order))
            try:
                self.cases[case] = prepare(self.study, case, spacing=self.plan.spacing)
            except (VolumeError, StudyError) as error:
                yield self._set_aside(case, error)
        yield Progress(what="Preparing scans", done=len(order), total=len(order))

    def _set_aside(self, case: str, error: VolumeError | StudyError) -> Adjusted:
        """Go on without a case that can't be read, as long as one with labels is left."""
        for stream in (self.labeled, self.unlabeled):
            if case in stream:
                stream.remove(case)
        if not self.labeled:
            raise error
        return Adjusted(why=f"{case} is left out of this training: {error}", step=self.clock.step)

    def _train(self) -> Iterator[Event]:
        while not self.clock.is_over and not self.stopping:
            self._take_commands()
            if self.changed_labels:
                yield from self._take_labels()
            yield self._step()
            yield from self._look()
            if self.clock.seconds - self.saved_seconds >= self.plan.checkpoint_seconds:
                yield self._save()
            yield from self._wait_while_paused()
        if not self.stopping:  # the finished model's masks and figures
            yield from self._preview()
            yield from self.validator.measure(self.method.student, self.clock)
            yield from self.probe.diagnose(self.method, self.clock)

    def _step(self) -> StepDone:
        with self.clock:
            rate = learning_rate(self.plan.optimizer, self.clock.progress)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            batch = self.loader.next().to(self.device)
            self.method.train()
            with torch.autocast(
                self.device.type, dtype=getattr(torch, self.plan.precision), enabled=self.plan.precision != "float32"
            ):
                losses = self.method.losses(batch, self.clock.progress)
            self.optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(losses["total"])
            torch.nn.utils.clip_grad_norm_(_trained(self.method), GRADIENT_CLIP)
            values = {name: float(value.detach()) for name, value in losses.items()}
            if not math.isfinite(values["total"]):
                raise EngineError(
                    f"The training lost its way: the loss is no longer a number after step {self.clock.step}.",
                    "Train again from the start with another seed; if it comes again, look for scans with odd grey values.",
                )
            self.optimizer.step()
            self.method.after_step(self.clock.step)
            self.clock.step += 1
        return StepDone(step=self.clock.step, total=self.clock.total, losses=values, seconds_left=self.clock.seconds_left)

    def _look(self) -> Iterator[Event]:
        """Preview, validate and diagnose when they are due."""
        if self.previewer.is_due(self.clock.seconds):
            yield from self._preview()
        if self.validator.is_due(self.clock.seconds):
            yield from self.validator.measure(self.method.student, self.clock)
        if self.probe.is_due(self.clock.seconds):
            yield from self.probe.diagnose(self.method, self.clock)

    def _preview(self) -> Iterator[Event]:
        case = self.previewer.case
        if case is None:
            return
        prepared = self.cases.get(case) or prepare(self.study, case, spacing=self.plan.spacing)
        self.cases[case] = prepared
        yield from self.previewer.make(self.method.student, prepared, step=self.clock.step, seconds=self.clock.seconds)

    def _take_commands(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._obey(self.inbox.get_nowait())

    def _obey(self, command: Command) -> None:
        match command:
            case View(case=case):
                if any(known.id == case for known in self.study.cases):
                    self.previewer.look_at(case)
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
        """Learn from what was painted since the run began: reload targets, move cases between the streams."""
        self.study = Study.open(self.study.folder, read_only=True)
        changed, self.changed_labels = dict.fromkeys(self.changed_labels), []
        now_labeled = self.study.labeled_cases()
        held_out = self.study.held_out_cases()
        taken = []
        for case in changed:
            if case not in self.cases or case in held_out:
                continue
            if self._has_new_class(case):
                yield Adjusted(
                    why=f"{case} is painted with a class that was added after this training began; train again to learn it.",
                    step=self.clock.step,
                )
                continue
            self.cases[case].reload_target(self.study)
            for stream in (self.labeled, self.unlabeled):
                if case in stream:
                    stream.remove(case)
            (self.labeled if case in now_labeled else self.unlabeled).append(case)
            taken.append(case)
        if not taken:
            return
        if self.labeled:  # with the last label rubbed out, the run keeps learning from what it had
            self.loader.replace(self._prepared(self.labeled), self._prepared(self.unlabeled))
        yield LabelsTaken(cases=tuple(taken), step=self.clock.step)

    def _has_new_class(self, case: str) -> bool:
        """Whether a case shows a class that the network, made for those there were at the start, can't tell."""
        if len(self.study.classes) < self.plan.net.classes or self.study.case(case).state == "unlabeled":
            return False
        target = self.study.training_target(case)
        return bool(((target >= self.plan.net.classes) & (target != IGNORE)).any())

    def _prepared(self, cases: Sequence[str]) -> list[PreparedCase]:
        return [self.cases[case] for case in cases]

    def _save(self) -> CheckpointSaved:
        save_checkpoint(self.run.checkpoint, self._state())
        save_model(self.run.model, self.method.student, self.card.model_copy(update={"metrics": self.validator.latest}))
        self.saved_seconds = self.clock.seconds
        return CheckpointSaved(path=str(self.run.checkpoint), model=str(self.run.model), step=self.clock.step)

    def _state(self) -> dict[str, object]:
        return {
            "method": self.method.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "loader": self.loader.state_dict(),
            "clock": self.clock.state_dict(),
            "generator": torch.get_rng_state(),
            "labeled": self.labeled,
            "unlabeled": self.unlabeled,
        }

    def _load(self) -> None:
        state = load_checkpoint(self.run.checkpoint)
        self.labeled = [case for case in state["labeled"] if case in self.cases]
        self.unlabeled = [case for case in state["unlabeled"] if case in self.cases]
        self.loader.replace(self._prepared(self.labeled), self._prepared(self.unlabeled))
        self.method.load_state_dict(state["method"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.loader.load_state_dict(state["loader"])
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
