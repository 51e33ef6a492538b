"""A training run: a generator of events, steered through an inbox of commands.

`for event in train(study, request): ...` is the whole API. The generator never prints and touches no window; closing it
(or a `Stop` command) saves the checkpoint and the student and ends the run.
"""

import contextlib
import queue
import time
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import torch

from cvrl_napari.config import Plan, TrainRequest
from cvrl_napari.engine.checkpoint import load_checkpoint, save_checkpoint
from cvrl_napari.engine.commands import Inbox
from cvrl_napari.engine.device import pick, set_threads
from cvrl_napari.engine.disk_space import is_disk_full
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
    StepDone,
)
from cvrl_napari.engine.faults import explain, is_device_lost, is_out_of_memory
from cvrl_napari.engine.learner import Learner, NotFiniteError
from cvrl_napari.engine.memory import most_held
from cvrl_napari.engine.memory_ladder import next_rung
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import save_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.preview import Previewer
from cvrl_napari.engine.probe import CASES, Probe
from cvrl_napari.engine.run_cases import RunCases
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_process import refuse_if_alive
from cvrl_napari.engine.schedule import Clock
from cvrl_napari.engine.steering import Interrupted, Steering
from cvrl_napari.engine.validation import Validator
from cvrl_napari.engine.warm_start import start_from
from cvrl_napari.losses.ramp_up import ramp_up
from cvrl_napari.methods.cvrl import CVRL
from cvrl_napari.study.study import Study

REWINDS = 3
"""How often a run whose loss is no longer a number goes back to its last checkpoint, each time at half the learning rate."""
CHECKPOINT_SHARE = 0.01
"""Share of the training time that checkpoints may take."""
LOOK_FOR_SPACE_S = 10.0
"""Between two attempts to save on a disk that was full."""


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
            refuse_if_alive(run.path)
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
        failure = explain(error)
        if failure is None:
            raise
        if run is not None:
            with contextlib.suppress(OSError):
                run.record(failure)
        yield failure


def preload() -> None:
    """Have torch load what it loads at the first use of an optimizer: its compiler, which takes a second."""
    torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])


class _Run:
    """The state of one run while it goes on."""

    def __init__(self, study: Study, plan: Plan, run: RunFolder, inbox: Inbox, *, resuming: bool) -> None:
        self.study, self.plan, self.run = study, plan, run
        self.resuming = resuming
        self.steering = Steering(inbox)
        self.clock = Clock(plan)
        self.previewer = Previewer(plan, run)
        self.cases = RunCases(study, plan, self.steering.during)
        self.validator, self.probe = Validator(plan), Probe(plan, run)
        self.is_saved, self.save_at, self.save_cost = False, plan.checkpoint_seconds, 0.0
        self.is_lost = self.is_cramped = False

    def events(self) -> Generator[Event, None, None]:
        """The run from its plan to its end."""
        started = time.monotonic()
        yield Planned(run=str(self.run.path), plan=self.plan)
        set_threads(self.plan.threads)
        self.card = ModelCard.of(self.plan, self.study, metrics={})
        self.learner = Learner(self.plan, self.clock, self.steering)
        if self.resuming:
            self._load()
        else:
            self._warm_start()
        yield LabelsTaken(cases=tuple(self.cases.labeled), step=self.clock.step)
        try:
            yield from self._train()
        except Exception as error:
            self.is_lost = self.is_lost or is_device_lost(error)
            raise
        finally:  # also when the generator is closed or a step fails: what was learned stays
            self.cases.close()
            if self.clock.step and not self.is_lost and not self.is_saved:
                self._write()
            saved = self._saved() if self.clock.step else None
        if saved is None:
            raise EngineError("The run was stopped before its first step.", "Press Train to start again.")
        yield saved
        yield RunDone(
            run=str(self.run.path),
            model=str(self.run.model),
            step=self.clock.step,
            stopped=self.steering.stopping and not self.clock.is_over,
            seconds=time.monotonic() - started,
        )

    def _warm_start(self) -> None:
        if self.plan.start_from:
            start_from(self.learner.method, Path(self.plan.start_from), self.study.classes)

    def _train(self) -> Iterator[Event]:
        while not self.clock.is_over and not self.steering.stopping:
            yield from self._try(self._go_on)
        for job in (
            partial(self._preview, whole=True),
            self._validate,
            self._diagnose,
        ):  # the finished model's masks and figures
            done = False
            while not done and not self.steering.stopping:
                done = yield from self._try(partial(self._look, job))

    def _try(self, job: Callable[[], Iterator[Event]]) -> Generator[Event, None, bool]:
        """Do something, and mend what comes in between; returns whether it was done to its end."""
        done = False
        try:
            yield from job()
            done = True
        except Interrupted:
            pass
        except NotFiniteError:
            yield self._rewind()
        except Exception as error:
            if is_disk_full(error):
                yield from self._wait_for_space()
            elif is_out_of_memory(error):
                yield self._climb_down(error)
            else:
                raise
        yield from self._wait_while_paused()
        return done

    def _go_on(self) -> Iterator[Event]:
        """One step, and what is due after it."""
        self._take_commands()
        yield from self._take_labels()
        with_unlabeled = ramp_up(self.clock.progress, warm_up=self.plan.warm_up, length=self.plan.ramp_up) > 0
        for event in self.cases.prepare_step(self.clock.step, with_unlabeled=with_unlabeled):
            yield event
            self._take_commands()
            if self.steering.stopping:  # it need not wait for the scans that are still to be prepared
                return
            yield from self._wait_while_paused()
        losses = self.learner.step(self.cases, with_unlabeled=with_unlabeled)
        self.is_saved = False
        clock = self.clock
        yield StepDone(step=clock.step, total=clock.total, losses=losses, seconds_left=clock.seconds_left)
        if clock.seconds >= self.save_at:
            yield self._write()
        self._take_commands()
        if self.previewer.is_due(clock.seconds):
            yield from self._look(self._preview)
        if self.validator.is_due(clock.seconds):
            yield from self._look(self._validate)
        if self.probe.is_due(clock.seconds):
            yield from self._look(self._diagnose)

    def _take_labels(self) -> Iterator[Event]:
        changed = self.steering.pop_changed_labels()
        if not changed:
            return
        self.is_saved = False
        try:
            yield from self.cases.take_labels(changed, step=self.clock.step)
        except BaseException:
            self.steering.add_changed_labels(changed)
            raise

    def _look(self, job: Callable[[], Iterator[Event]]) -> Iterator[Event]:
        """Preview, validate or diagnose; where whole scans do not fit beside the training, do without from then on."""
        if self.is_cramped:
            return
        try:
            yield from job()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            self.is_cramped = True
            yield Adjusted(
                why="There is not enough memory to look at whole scans while training: masks and figures are left out.",
                step=self.clock.step,
            )

    def _preview(self, *, whole: bool = False) -> Iterator[Event]:
        case = self.previewer.case
        if case is None:
            return
        yield from self.cases.prepare([case], step=self.clock.step)
        for prepared in self.cases.prepared([case]):
            yield from self.previewer.make(
                self.learner.method.student, prepared, step=self.clock.step, seconds=self.clock.seconds, whole=whole
            )

    def _validate(self) -> Iterator[Event]:
        yield from self.cases.prepare(self.cases.held_out, step=self.clock.step)
        held_out = self.cases.prepared(self.cases.held_out)
        self.is_saved = self.is_saved and not held_out  # the model's card says how good it is
        yield from self.validator.measure(self.learner.method.student, held_out, self.clock)

    def _diagnose(self) -> Iterator[Event]:
        streams = self.cases.labeled, self.cases.unlabeled
        yield from self.cases.prepare([*streams[0][:CASES], *streams[1][:CASES]], step=self.clock.step)
        labeled, unlabeled = (self.cases.prepared(stream)[:CASES] for stream in streams)
        yield from self.probe.diagnose(self.learner.method, labeled, unlabeled, self.clock)

    def _rewind(self) -> Adjusted:
        """Go back to the last checkpoint, or to the beginning where there is none, at half the learning rate.

        The streams of cases go on as they are: what was painted since counts, and the next batch is another one.
        """
        lost, learner = self.clock.step, self.learner
        if learner.rewinds == REWINDS:
            self.is_lost = True  # what is on disk is better than these weights
            raise EngineError(
                f"The training lost its way {REWINDS + 1} times: the loss is no longer a number after step {lost}.",
                "Train again with another seed; if it comes again, look for scans with odd grey values.",
            )
        rewinds = learner.rewinds + 1
        if self.run.checkpoint.is_file():
            self._load(with_cases=False)
        else:
            learner.build(self.plan)
            self._warm_start()
            self.clock.load_state_dict({"step": 0, "seconds": 0.0})
        learner.rewinds = rewinds  # those of the checkpoint may be fewer
        where = f"went back to step {self.clock.step}" if self.clock.step else "began anew"
        return Adjusted(
            why=f"The loss was no longer a number: the run {where} and goes on at half the learning rate.", step=lost
        )

    def _climb_down(self, error: Exception) -> Adjusted:
        """Go on with a plan that needs less memory, from the last step that was made."""
        rung = next_rung(self.plan)
        if rung is None:
            raise error
        if self.plan.device == "cuda":
            torch.cuda.empty_cache()
        self.plan = rung.plan
        for one in (self.learner, self.cases, self.previewer, self.validator, self.probe):
            one.follow(rung.plan)
        with contextlib.suppress(OSError):  # a run that goes on later would find out by itself
            self.run.keep(rung.plan)
        return Adjusted(why=f"The memory did not suffice: {rung.words}.", step=self.clock.step)

    def _take_commands(self) -> None:
        self.steering.take()
        view = self.steering.pop_view()
        if view is not None and any(known.id == view.case for known in self.study.cases):
            self.previewer.look_at(view.case, view.index if view.axis == 0 else None)

    def _wait_while_paused(self) -> Iterator[Event]:
        self._take_commands()
        if not self.steering.paused or self.steering.stopping:
            return
        if self.clock.step and not self.is_saved:
            yield self._write()
        yield Paused(step=self.clock.step)
        while self.steering.paused and not self.steering.stopping:
            self.steering.wait()
        if not self.steering.stopping:
            yield Resumed(step=self.clock.step)

    def _wait_for_space(self) -> Iterator[Event]:
        """Wait until something can be written, or the person says that it can, or wants to stop."""
        yield Adjusted(
            why="The disk is full: the training waits. Free some space; it goes on by itself, or at Resume.",
            step=self.clock.step,
        )
        yield Paused(step=self.clock.step)
        self.steering.paused = True
        while self.steering.paused and not self.steering.stopping:
            self.steering.wait(LOOK_FOR_SPACE_S)
            if self.run.has_space():
                self.steering.paused = False
        if not self.steering.stopping:
            yield Resumed(step=self.clock.step)

    def _write(self) -> CheckpointSaved:
        """Save everything, and decide when that is due again."""
        started = time.monotonic()
        state = {**self.learner.state_dict(), **self.cases.state_dict(), "clock": self.clock.state_dict()}
        save_checkpoint(self.run.checkpoint, state)
        method, card = self.learner.method, self.card.model_copy(update={"metrics": self.validator.latest})
        save_model(self.run.model, method.student, card, method.projectors if isinstance(method, CVRL) else None)
        self.is_saved = True
        self.save_cost = time.monotonic() - started
        self.save_at = self.clock.seconds + max(self.plan.checkpoint_seconds, self.save_cost / CHECKPOINT_SHARE)
        return self._saved()

    def _saved(self) -> CheckpointSaved:
        return CheckpointSaved(
            path=str(self.run.checkpoint),
            model=str(self.run.model),
            step=self.clock.step,
            seconds=self.save_cost,
            memory_bytes=most_held(self.plan.device),
        )

    def _load(self, *, with_cases: bool = True) -> None:
        state = load_checkpoint(self.run.checkpoint)
        if with_cases:
            self.steering.add_changed_labels(self.cases.load_state_dict(state))
        self.learner.load_state_dict(state)
        self.clock.load_state_dict(state["clock"])
        self.save_at = self.clock.seconds + self.plan.checkpoint_seconds
