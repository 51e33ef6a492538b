"""Who listens to a job: a person at a terminal, a log file, or another program. Each shows the same events in its own way."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBars

from cvrl_napari.cli.sentences import JobFailed
from cvrl_napari.engine.events import (
    Adjusted,
    CaseEmbedded,
    CheckpointSaved,
    Diagnosed,
    Event,
    Foreseen,
    LabelsTaken,
    Paused,
    Planned,
    PredictionSaved,
    Progress,
    Resumed,
    RunDone,
    RunFailed,
    StepDone,
    Validated,
)
from cvrl_napari.engine.outlook_words import outlook_line, outlook_reasons

Names = Mapping[int, str]
"""Names of the classes by id."""


class Audience(Protocol):
    """Shows the events of one job."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...

    def show(self, event: Event) -> None:
        """Show one event."""


def listen(events: Iterator[Event], audience: Audience) -> Event | None:
    """Show all events of a job and return the last one; the job is closed, and so saved, however this ends.

    Raises
    ------
    JobFailed
        When the job says that it failed.
    """
    last: Event | None = None
    with audience, closing(events):  # type: ignore[type-var]
        for event in events:
            audience.show(event)
            if isinstance(event, RunFailed):
                raise JobFailed(event)
            last = event
    return last


def choose_audience(*, as_json: bool, attached: bool = False, names: Names | None = None) -> Audience:
    """Return JSON lines when asked for, bars on a terminal, plain lines otherwise. All but JSON goes to stderr."""
    if as_json:
        return JsonLines(attached=attached)
    console = Console(stderr=True)
    return Bars(console, names or {}) if console.is_terminal else PlainLines(names or {})


class JsonLines:
    """One event a line on standard output, for a program. Whatever a library prints meanwhile goes to stderr instead.

    With `attached` it is no error that nobody listens any more: the end of standard input says what that means (`cli.control`).
    """

    def __init__(self, *, attached: bool = False) -> None:
        self._gone: tuple[type[OSError], ...] = (BrokenPipeError,) if attached else ()

    def __enter__(self) -> Self:
        self._out, sys.stdout = sys.stdout, sys.stderr
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._out

    def show(self, event: Event) -> None:
        """Write and flush one line."""
        with suppress(*self._gone):
            print(event.line(), file=self._out, flush=True)


class PlainLines:
    """Lines for a log: every message, and progress once per percent."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._told: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def show(self, event: Event) -> None:
        """Print the event's line, unless it is progress within the same percent."""
        if isinstance(event, StepDone | Progress):
            what, done = (event.kind, event.step) if isinstance(event, StepDone) else (event.what, event.done)
            percent = 100 * done // max(event.total, 1)
            if percent == self._told.get(what):
                return
            self._told[what] = percent
        if line := describe(event, self._names):
            print(line, file=sys.stderr, flush=True)


class Bars:
    """Progress bars on a terminal, messages above them."""

    def __init__(self, console: Console, names: Names) -> None:
        self._names = names
        self._bars = ProgressBars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
            console=console,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, event: Event) -> None:
        """Move a bar, or print a line above the bars."""
        match event:
            case StepDone(step=step, total=total, losses=losses):
                self._move("Training", step, total, f"loss {losses['total']:.3f}" if "total" in losses else "")
            case Progress(what=what, done=done, total=total):
                self._move(what, done, total, "")
            case _:
                if line := describe(event, self._names):
                    self._bars.console.print(line, highlight=False, markup=False)

    def _move(self, name: str, done: int, total: int, note: str) -> None:
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, note=note)
        self._bars.update(self._tasks[name], completed=done, total=total, note=note)


def describe(event: Event, names: Names) -> str:
    """Return what a person should read about an event; empty when there is nothing to say."""
    match event:
        case Foreseen():
            return "\n".join([*outlook_reasons(event), f"In all: {outlook_line(event)}."])
        case Planned(run=run, plan=plan):
            return "\n".join([f"Run {run}", *(f"  {reason}" for reason in plan.reasons)])
        case Progress(what=what, done=done, total=total):
            return f"{what}: {done}/{total}"
        case StepDone(step=step, total=total, losses=losses):
            terms = "  ".join(f"{name} {value:.4f}" for name, value in losses.items())
            return f"step {step}/{total}  {terms}"
        case Validated(step=step, dice=dice, cases=cases):
            scores = ", ".join(f"{names.get(i, f'class {i}')} {score:.3f}" for i, score in dice.items())
            return f"step {step}: Dice on {cases} held-out cases: {scores}"
        case Diagnosed(step=step, levels=levels, confident=confident):
            ranks = ", ".join(f"{name} {level.effective_rank:.1f}" for name, level in levels.items())
            return f"step {step}: effective rank of the embeddings: {ranks}; {confident:.0%} of the voxels are sure"
        case LabelsTaken(cases=taken, step=step):
            return f"step {step}: learning from the labels of {', '.join(taken)}"
        case CheckpointSaved(step=step):
            return f"step {step}: saved"
        case Adjusted(why=why, step=step):
            return f"step {step}: {why}"
        case Paused(step=step):
            return f"step {step}: paused"
        case Resumed(step=step):
            return f"step {step}: going on"
        case PredictionSaved(scan=scan, path=path, volumes_ml=volumes):
            sizes = ", ".join(f"{names.get(i, f'class {i}')} {size:.1f} ml" for i, size in volumes.items())
            return f"{scan} -> {path}: {sizes}"
        case CaseEmbedded(case=case):
            return f"{case}: features are ready"
        case RunDone(step=step, seconds=seconds, stopped=stopped):
            return f"{'Stopped' if stopped else 'Done'} after {step} steps and {seconds:.0f} s"
        case _:
            return ""
