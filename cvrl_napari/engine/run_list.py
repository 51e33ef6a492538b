"""The runs of a study as a list: what each was, how far it came, how good it is; and which one's model makes the masks.

Read from the folders alone, without torch, so that the viewer can do it. Names and the choice are files of one line: `name.txt`
in a run's folder, `chosen.txt` beside the runs.
"""

import time
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import ValidationError

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event, LabelsTaken, RunDone, RunFailed, StepDone, Validated, parse_event
from cvrl_napari.engine.few_cases import Interval, intervals
from cvrl_napari.engine.run_folder import RunFolder, newest_model
from cvrl_napari.engine.run_process import process_of
from cvrl_napari.study.storage import atomic_write

State = Literal["finished", "stopped", "failed", "cut short", "running"]
NAME, CHOSEN = "name.txt", "chosen.txt"
LONGEST_NAME = 60
ALIVE_S = 90.0
"""A run of another computer that has told something within so many seconds, and not its end, may still be going on."""
_TOLD = tuple(f'"kind":"{kind}"'.encode() for kind in ("validated", "labels", "done", "failed"))


class PastRun(NamedTuple):
    """One run of a study.

    Attributes
    ----------
    labels : int
        Cases whose labels it has learned from.
    dice : dict of int to Interval
        On the held-out cases when last measured, by class id; empty where it was not measured.
    size : int
        Bytes on disk.
    """

    path: Path
    name: str
    started: datetime
    method: str
    step: int
    total: int
    labels: int
    dice: dict[int, Interval]
    state: State
    size: int
    classes: int
    has_model: bool
    has_checkpoint: bool

    def can_go_on(self, classes: int) -> bool:
        """Whether it was ended before its time and fits a study of so many structures."""
        return (
            self.has_checkpoint
            and self.state not in ("finished", "running")
            and self.classes == classes
            and self.step < self.total
        )

    @property
    def model(self) -> Path:
        """Where the student lies, if it has been saved."""
        return RunFolder(self.path).model

    @property
    def mean_dice(self) -> float | None:
        """Mean over the classes; None where it was not measured."""
        return sum(one.mean for one in self.dice.values()) / len(self.dice) if self.dice else None


def list_runs(runs: Path) -> list[PastRun]:
    """Return the runs below a folder, the one that began last first; folders that are no run are passed over."""
    found = []
    for folder in runs.glob("*/config.json"):
        try:
            found.append(_read(RunFolder(folder.parent)))
        except (EngineError, OSError):
            continue
    return sorted(found, key=lambda run: (run.started, run.path.name), reverse=True)


def rename(run: Path, name: str) -> None:
    """Give a run a name; an empty one gives it back its folder's.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    atomic_write(run / NAME, " ".join(name.split())[:LONGEST_NAME].encode())


def choose(runs: Path, run: Path | None) -> None:
    """Let the model of this run make the masks from now on; None: the newest one."""
    if run is None:
        (runs / CHOSEN).unlink(missing_ok=True)
    else:
        atomic_write(runs / CHOSEN, run.name.encode())


def chosen_run(runs: Path) -> Path | None:
    """Return the run that was chosen, None when none was or it is there no more."""
    try:
        name = (runs / CHOSEN).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    run = runs / Path(name).name
    return run if name and RunFolder(run).model.is_file() else None


def model_for_masks(runs: Path) -> Path | None:
    """Return the model of the chosen run, else the newest; None while no run has saved one."""
    chosen = chosen_run(runs)
    return RunFolder(chosen).model if chosen is not None else newest_model(runs)


def _read(run: RunFolder) -> PastRun:
    plan = run.plan()
    step, total, told = 0, plan.steps, _told(run.events)
    labels = set(plan.labeled_cases)
    dice: dict[int, Interval] = {}
    end: RunDone | RunFailed | None = None
    for event in told:
        match event:
            case LabelsTaken(cases=cases):
                labels |= set(cases)
            case Validated(dice=means, cases=count, per_case=per_case):
                dice = intervals(per_case) if per_case else {i: Interval(mean, None, None, count) for i, mean in means.items()}
            case RunDone() | RunFailed():
                end = event
            case StepDone():
                step, total, end = event.step, max(event.total, event.step), None
    return PastRun(
        path=run.path,
        name=_name(run.path),
        started=datetime.fromtimestamp(run.config.stat().st_mtime),
        method=plan.method,
        step=step,
        total=total,
        labels=len(labels - set(plan.held_out_cases)),
        dice=dice,
        state=_state(run, end, step, total),
        size=sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file()),
        classes=plan.net.classes - 1,
        has_model=run.model.is_file(),
        has_checkpoint=run.checkpoint.is_file(),
    )


def _told(path: Path) -> Iterable[Event]:
    """Yield what the list needs of a run's events, the last step among them; thousands of steps are passed over unread."""
    last_step = b""
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for line in lines:
            if b'"kind":"step"' in line:
                last_step = line
            elif any(kind in line for kind in _TOLD):
                for told in (last_step, line):
                    yield from _parsed(told)
                last_step = b""
    yield from _parsed(last_step)


def _parsed(line: bytes) -> Iterable[Event]:
    try:
        if line:
            yield parse_event(line)
    except ValidationError:  # cut short by a crash
        return


def _state(run: RunFolder, end: RunDone | RunFailed | None, step: int, total: int) -> State:
    if isinstance(end, RunFailed):
        return "failed"
    if isinstance(end, RunDone):
        return "stopped" if end.stopped and step < total else "finished"
    record = process_of(run.path)
    if record is not None and record.is_here:
        return "running" if record.process() is not None else "cut short"
    alive = run.events.is_file() and time.time() - run.events.stat().st_mtime < ALIVE_S
    return "running" if alive else "cut short"


def _name(run: Path) -> str:
    try:
        return (run / NAME).read_text(encoding="utf-8").strip()[:LONGEST_NAME] or run.name
    except (OSError, UnicodeDecodeError):
        return run.name
