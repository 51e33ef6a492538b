"""The run that can go on: stopped by a person, by the end of the viewer, or cut short by a crash."""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event, RunDone, StepDone, parse_event
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_process import is_alive
from cvrl_napari.study.renumbering import is_older_than_classes

_TAIL_BYTES = 1 << 16  # the last few hundred events


class UnfinishedRun(NamedTuple):
    """A run that has a checkpoint and was not trained to its end."""

    path: Path
    started: datetime
    step: int
    total: int


def unfinished_run(runs: Path, *, classes: int) -> UnfinishedRun | None:
    """Return the newest run below `runs` if it can go on, else None.

    Parameters
    ----------
    classes : int
        Structures of the study: a run for fewer or more of them cannot go on, nor one that began before they were reordered.
    """
    checkpoints = [folder.checkpoint for folder in map(RunFolder, runs.glob("*")) if folder.checkpoint.is_file()]
    if not checkpoints:
        return None
    newest = max(checkpoints, key=lambda path: path.stat().st_mtime)
    if is_older_than_classes(newest, runs.parent):
        return None
    run = RunFolder(newest.parent.parent)
    if is_alive(run.path):
        return None
    try:
        plan, events = run.plan(), list(last_events(run.events))
        started = datetime.fromtimestamp(run.config.stat().st_mtime)
    except (EngineError, OSError):
        return None
    steps = [event for event in events if isinstance(event, StepDone)]
    ends = [event for event in events if isinstance(event, RunDone)]
    finished = bool(ends) and not ends[-1].stopped
    if finished or not steps or plan.net.classes != classes + 1:
        return None
    return UnfinishedRun(run.path, started, steps[-1].step, max(steps[-1].total, steps[-1].step))


def past_events(run: Path) -> Iterator[Event]:
    """Yield what a run has told so far; lines that are no events are passed over."""
    try:
        with RunFolder(run).events.open("rb") as lines:
            yield from _parsed(lines)
    except OSError:
        return


def last_events(path: Path) -> Iterator[Event]:
    """Yield the last few hundred events of an events.jsonl; raises OSError if it cannot be read."""
    with path.open("rb") as lines:
        lines.seek(max(path.stat().st_size - _TAIL_BYTES, 0), os.SEEK_SET)
        yield from _parsed(lines)


def _parsed(lines: Iterator[bytes]) -> Iterator[Event]:
    for line in lines:
        try:
            yield parse_event(line)
        except ValidationError:  # the first one read from the middle of the file, or one cut short by a crash
            continue
