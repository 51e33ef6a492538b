"""How little a few held-out cases tell, in figures. No torch: the viewer computes it too."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

LEAST = 3
"""Cases below which the spread between them is not known well enough for any interval."""
LEVEL = 0.95


class Interval(NamedTuple):
    """Mean of `cases` values and the interval that holds the mean of all such cases 19 times out of 20; None with too few."""

    mean: float
    low: float | None
    high: float | None
    cases: int


def dice_interval(values: Sequence[float]) -> Interval:
    """Return the mean of Dice values, one a case and at least one, and Student's t interval, cut to [0, 1]."""
    count, mean = len(values), float(np.mean(values))
    if count < LEAST:
        return Interval(mean, None, None, count)
    half = float(stdtrit(count - 1, (1 + LEVEL) / 2)) * float(np.std(values, ddof=1)) / count**0.5
    return Interval(mean, max(mean - half, 0.0), min(mean + half, 1.0), count)


def intervals(per_case: dict[str, dict[int, float]]) -> dict[int, Interval]:
    """Return the interval of each class id over the cases that show it."""
    ids = sorted({class_id for dice in per_case.values() for class_id in dice})
    return {i: dice_interval([dice[i] for dice in per_case.values() if i in dice]) for i in ids}
