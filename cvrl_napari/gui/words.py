"""Times and plans in the words of the dock."""

from collections.abc import Mapping
from datetime import datetime

from cvrl_napari.config import Plan
from cvrl_napari.engine.events import Foreseen
from cvrl_napari.engine.few_cases import Interval
from cvrl_napari.engine.outlook_words import duration as duration
from cvrl_napari.engine.outlook_words import outlook_line
from cvrl_napari.engine.run_list import PastRun
from cvrl_napari.engine.unfinished import UnfinishedRun
from cvrl_napari.gui.training import NAMES, Training
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.errors import VolumeError

SENTENCES = (StudyError, VolumeError)
"""Errors whose message is made for the person at the screen."""
NETS = {"compact": "compact net", "vnet": "V-Net"}


def counted(number: int, what: str) -> str:
    """Say how many: '1 voxel', '1,234 voxels'."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def plan_line(plan: Plan) -> str:
    """Say in one line what a run will do."""
    patch = "x".join(str(size) for size in plan.patch_size)
    return f"{plan.preset}: {NETS[plan.net.name]}, {_spacing(plan)} mm, patch {patch}, {plan.device.upper()}"


def foreseen_lines(foreseen: Foreseen) -> str:
    """Say in two short lines what a run would do, and what it takes; the rest is for those who ask why."""
    plan = foreseen.plan
    return f"{plan.preset}, {_spacing(plan)} mm, {plan.device.upper()}\n{outlook_line(foreseen, short=True)}"


def _spacing(plan: Plan) -> str:
    return f"{plan.spacing[0]:.3g}" if len(set(plan.spacing)) == 1 else " x ".join(f"{size:.3g}" for size in plan.spacing)


def overlay_line(training: Training, seconds: float | None) -> str:
    """Say how old the overlay is and whether the model has seen what was painted since the start."""
    parts = []
    if seconds is not None:
        parts.append(f"overlay updated {duration(seconds)} ago")
    if training.strokes_waiting:
        parts.append(f"{_strokes(training.strokes_waiting, 'new ')} on the way to the model")
    elif training.strokes_seen:
        parts.append(f"model has seen your {_strokes(training.strokes_seen, 'latest ')}")
    return " · ".join(parts)


def progress_line(training: Training) -> str:
    """Say how far a run is and how long it will take."""
    if training.phase == "preparing":
        return f"{training.doing}…" + (f"  {training.step} / {training.total}" if training.total else "")
    line = f"{training.step:,} / {training.total:,}"
    if training.phase == "paused":
        return f"{line}  paused"
    if training.phase == "stopping":
        return f"{line}  saving the model…"
    return line if training.seconds_left is None else f"{line}  {duration(training.seconds_left)} left"


def go_on_line(run: UnfinishedRun, now: datetime | None = None) -> str:
    """Offer to go on with a run: when it began and how far it came."""
    now = now or datetime.now()
    begun = f"{run.started:%H:%M}" if run.started.date() == now.date() else f"{run.started.day} {run.started:%B}"
    return f"Go on with the training of {begun}  ({run.step:,} / {run.total:,})"


def dice_line(dice: Mapping[int, Interval], names: Mapping[int, str]) -> str:
    """Say how good the masks are on held-out cases, and how little that is known; `names` of the structures by class id."""
    if not dice:
        return "Dice: not measured."
    cases = max(one.cases for one in dice.values())
    count = "1 held-out case" if cases == 1 else f"{cases} held-out cases"
    parts = ", ".join(f"{names.get(i, f'class {i}')} {_with_interval(one)}" for i, one in dice.items())
    too_few = any(one.low is None for one in dice.values())
    return f"Dice on {count}: {parts}." + (" Too few cases to tell how sure that is." if too_few else "")


def _with_interval(one: Interval) -> str:
    return f"{one.mean:.2f}" + ("" if one.low is None else f" (likely {one.low:.2f} to {one.high:.2f})")


def run_details(run: PastRun, names: Mapping[int, str]) -> str:
    """Say what an earlier training was, in two lines."""
    labels = "1 labeled scan" if run.labels == 1 else f"{run.labels} labeled scans"
    when = f"{run.started.day} {run.started:%B %Y, %H:%M}"
    first = f"{when} · {NAMES[run.method]} · {run.step:,} of {run.total:,} steps · {labels} · {run.size / 1e6:.0f} MB"
    return f"{first}\n{dice_line(run.dice, names)}"


def _strokes(count: int, kind: str) -> str:
    return f"{kind}stroke" if count == 1 else f"{count} {kind}strokes"
