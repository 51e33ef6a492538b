"""What the runs of a benchmark say together: means, spread over seeds, paired differences, share of the gap closed.

A case's score is the mean over its classes unless one class is asked for. Methods are compared case by case on the seeds
that both have, so that what makes a case hard or a seed lucky cancels.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.evaluate import CaseScore, Spread
from cvrl_napari.engine.results import RunResult

Metric = Literal["dice", "jaccard", "hd95_mm", "asd_mm"]
METRICS: tuple[Metric, ...] = ("dice", "jaccard", "hd95_mm", "asd_mm")
RESAMPLES = 10_000
BOOTSTRAP_SEED = 0

Table = dict[int, dict[str, float | None]]
"""Score by seed and case."""


class Difference(NamedTuple):
    """Mean difference over `cases` cases with the bootstrap's 95 % interval."""

    mean: float
    low: float
    high: float
    cases: int


def table(results: Iterable[RunResult], metric: Metric, class_id: int | None = None) -> Table:
    """Return the score of each case by seed, the folds of a seed together; None where it is not defined."""
    scores: Table = {}
    for result in results:
        rows: dict[str, list[CaseScore]] = defaultdict(list)
        for row in result.cases:
            if class_id in (None, row.class_id):
                rows[row.case].append(row)
        of_seed = scores.setdefault(result.key.seed, {})
        for case, found in rows.items():
            values = [value for row in found if (value := getattr(row, metric)) is not None]
            of_seed[case] = float(np.mean(values)) if values else None
    return scores


def over_seeds(scores: Table) -> Spread:
    """Return mean and standard deviation over the seeds of the mean over the cases."""
    means = [Spread.of(list(of_seed.values())).mean for of_seed in scores.values()]
    return Spread.of(means)


def per_case(scores: Table, seeds: Iterable[int] | None = None) -> dict[str, float]:
    """Return each case's mean over the seeds that have it; cases without a defined score are left out."""
    values: dict[str, list[float]] = defaultdict(list)
    for seed in scores if seeds is None else seeds:
        for case, value in scores[seed].items():
            if value is not None:
                values[case].append(value)
    return {case: float(np.mean(found)) for case, found in values.items()}


def undefined(scores: Table) -> tuple[int, int]:
    """Return how many scores are not defined, and of how many."""
    values = [value for of_seed in scores.values() for value in of_seed.values()]
    return sum(value is None for value in values), len(values)


def paired_difference(ours: Table, theirs: Table) -> Difference | None:
    """Return the mean over the cases of ours minus theirs, both averaged over the seeds they share.

    The interval is the percentile bootstrap over cases, 10,000 resamples, seeded. None when no seed and case is in both.
    """
    seeds = sorted(ours.keys() & theirs.keys())
    first, second = per_case(ours, seeds), per_case(theirs, seeds)
    differences = np.array([first[case] - second[case] for case in sorted(first.keys() & second.keys())])
    if not len(differences):
        return None
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = rng.integers(len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return Difference(float(differences.mean()), float(low), float(high), len(differences))


def gap_closed(method: Table, supervised: Table, supervised_all: Table) -> float | None:
    """Return (method - supervised) / (supervised with all labels - supervised), means over seeds and cases.

    None when all labels are no better than few, so that there is no gap.
    """
    ours, few, full = (over_seeds(scores).mean for scores in (method, supervised, supervised_all))
    if ours is None or few is None or full is None or full <= few:
        return None
    return (ours - few) / (full - few)


def check_means(dice: Table, jaccard: Table, words: str) -> None:
    """Assert that the mean Jaccard is at least D / (2 - D) of the mean Dice D.

    J = D / (2 - D) holds for each class of each case and is convex, so it holds for all means (Jensen).

    Raises
    ------
    EngineError
        If it does not hold: the figures cannot be right.
    """
    d, j = over_seeds(dice).mean, over_seeds(jaccard).mean
    if d is not None and j is not None and j < d / (2 - d) - 1e-9:
        raise EngineError(
            f"The figures of {words} cannot be right: mean Jaccard {j:.4f} but mean Dice {d:.4f}.", "Run it again."
        )
