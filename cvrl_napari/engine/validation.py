"""Dice on the held-out cases while a run goes on."""

import time
from collections.abc import Iterator, Sequence

import numpy as np

from cvrl_napari.config import Plan
from cvrl_napari.data.prepare import PreparedCase
from cvrl_napari.engine.events import Validated
from cvrl_napari.engine.predict import predict_case_on_grid
from cvrl_napari.engine.schedule import Clock
from cvrl_napari.nets.output import Net
from cvrl_napari.study.labels import IGNORE

LARGEST_SHARE = 0.05
"""Share of the time that measuring may take."""
MOST_CASES = 8
"""Held-out cases measured; always the first ones, so that the curve compares like with like."""


class Validator:
    """Measures the student on cases it never learns from, every so often."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next = min(plan.validate_seconds, 15.0)
        self.latest: dict[int, float] = {}

    def follow(self, plan: Plan) -> None:
        """Compute by this plan from now on."""
        self._plan = plan

    def is_due(self, seconds: float) -> bool:
        """Whether to measure after `seconds` of training."""
        return bool(self._plan.held_out_cases) and seconds >= self._next

    def measure(self, student: Net, held_out: Sequence[PreparedCase], clock: Clock) -> Iterator[Validated]:
        """Measure now; yields nothing when there is no case to measure."""
        started = time.monotonic()
        found = {case.case_id: dice_on_grid(student, case, self._plan) for case in held_out if case.target is not None}
        per_case = list(found.values())
        if not per_case:
            return
        ids = sorted({class_id for dice in per_case for class_id in dice})
        self.latest = {i: float(np.mean([dice[i] for dice in per_case if i in dice])) for i in ids}
        yield Validated(step=clock.step, dice=self.latest, cases=len(per_case), per_case=found)
        self._next = clock.seconds + max(self._plan.validate_seconds, (time.monotonic() - started) / LARGEST_SHARE)


def dice_on_grid(student: Net, prepared: PreparedCase, plan: Plan) -> dict[int, float]:
    """Dice by class id of the student's mask of a case against its labels.

    Measured on the network's own grid and only where the labels are known; classes that the labels don't hold are left out.
    """
    predicted = predict_case_on_grid(student, prepared, plan).argmax(dim=0).cpu().numpy()
    target = np.asarray(prepared.target)
    known = target != IGNORE
    dice = {}
    for class_id in range(1, plan.net.classes):
        ours, theirs = (predicted == class_id) & known, target == class_id
        if theirs.any():
            dice[class_id] = 2 * int((ours & theirs).sum()) / int(ours.sum() + theirs.sum())
    return dice
