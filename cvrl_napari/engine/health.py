"""How the embeddings of a run do, for a person to look at: curves over the training, and a sentence.

The figures are those of `engine/diagnostics.py`, told by the run as `diagnosed` events and kept in its events.jsonl; the
correlation of the features between the two views lies beside it, as it was at the latest diagnosis.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.config import Plan
from cvrl_napari.engine.embedding_cache import LEVELS, Level
from cvrl_napari.engine.events import Diagnosed, Event
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.unfinished import past_events

State = Literal["unknown", "diverse", "narrow", "collapsing"]

COLLAPSED_SHARE = 0.05
"""Share of the possible effective rank below which most voxels look alike to the network."""
NARROW_SHARE = 0.2
FALLEN_SHARE = 0.25
"""Share of the highest effective rank of the run; a rank that falls below it is on its way down."""


def judge(rank: float, *, highest: float, possible: int) -> State:
    """Judge an effective rank by the highest one of its run and the largest possible one; the panel warns by the same."""
    if rank <= max(COLLAPSED_SHARE * possible, 1.5) or rank < FALLEN_SHARE * highest:
        return "collapsing"
    return "narrow" if rank < NARROW_SHARE * possible else "diverse"


@dataclass(frozen=True, eq=False)
class LevelHealth:
    """The curves of one level, a value a diagnosis, (T,) float64; ranges as in `engine/diagnostics.py`.

    `possible_rank` is the largest effective rank that the embeddings can have; `is_projected` whether they were measured behind
    a projector, where the contrast works, or are the features themselves: two spaces whose figures do not compare.
    """

    possible_rank: int
    is_projected: bool
    effective_rank: NDArray[np.float64]
    spread: NDArray[np.float64]
    cross_correlation: NDArray[np.float64]
    alignment: NDArray[np.float64]
    uniformity: NDArray[np.float64]

    @property
    def state(self) -> State:
        """How the latest diagnosis is to be judged."""
        if not len(self.effective_rank):
            return "unknown"
        return judge(self.effective_rank[-1], highest=self.effective_rank.max(), possible=self.possible_rank)


@dataclass(frozen=True, eq=False)
class Health:
    """All that was diagnosed in a run.

    Attributes
    ----------
    steps : array of shape (T,), int64
    levels : dict of 'low' and 'high' to LevelHealth
    confident : array of shape (T,), float64
        Share of the voxels that the teacher is more than 90 % sure of.
    uses_dimension_contrast : bool
        Whether the run had the term that keeps features apart.
    """

    steps: NDArray[np.int64]
    levels: dict[Level, LevelHealth]
    confident: NDArray[np.float64]
    uses_dimension_contrast: bool

    def sentence(self, level: Level) -> str:
        """Say in plain words how the embeddings of a level do, and what to do if they do badly."""
        curves = self.levels[level]
        if curves.state == "unknown":
            return "Not measured yet: the first figures come after about 20 seconds of training."
        rank = f"effective rank {curves.effective_rank[-1]:.0f} of {curves.possible_rank}"
        match curves.state:
            case "collapsing":
                before = curves.effective_rank.max()
                fall = f", after {before:.0f}" if curves.effective_rank[-1] < FALLEN_SHARE * before else ""
                return f"The features are collapsing, different tissues begin to look alike: {rank}{fall}. {self._advice()}"
            case "narrow":
                return f"The features are narrow: {rank}. Train on; if it stays so, {self._advice(first='')}"
        return f"The features are diverse: {rank}."

    def _advice(self, first: str = "Train again ") -> str:
        what = (
            "with a smaller learning rate or more scans."
            if self.uses_dimension_contrast
            else "with the dimension contrast switched on (method CVRL)."
        )
        return f"{first}{what}" if first else f"train {what}"


def read_health(run: Path) -> Health:
    """Read what a run has diagnosed so far; a run without a diagnosis gives empty curves.

    Raises
    ------
    EngineError
        If the folder is no run.
    """
    return collect_health(RunFolder(run).plan(), past_events(run))


def collect_health(plan: Plan, events: Iterable[Event]) -> Health:
    """Make curves of the `diagnosed` events among the events of a run with this plan, in order."""
    diagnosed = [event for event in events if isinstance(event, Diagnosed)]
    levels: dict[Level, LevelHealth] = {}
    for name in LEVELS:
        figures = [event.levels[name] for event in diagnosed if name in event.levels]
        levels[name] = LevelHealth(
            possible_rank=possible_rank(plan, name),
            is_projected=is_projected(plan, name),
            effective_rank=np.array([one.effective_rank for one in figures], np.float64),
            spread=np.array([one.spread for one in figures], np.float64),
            cross_correlation=np.array([one.cross_correlation for one in figures], np.float64),
            alignment=np.array([one.alignment for one in figures], np.float64),
            uniformity=np.array([one.uniformity for one in figures], np.float64),
        )
    return Health(
        steps=np.array([event.step for event in diagnosed], np.int64),
        levels=levels,
        confident=np.array([event.confident for event in diagnosed], np.float64),
        uses_dimension_contrast=plan.method == "cvrl" and plan.contrast.dimension_weight > 0,
    )


def read_correlation(run: Path, level: Level) -> NDArray[np.float32] | None:
    """Return the correlation of each feature in the student's view (row) with each in the teacher's (column), -1 to 1.

    Returns
    -------
    array of shape (C, C), float32, or None
        As it was at the latest diagnosis of the run; None when there was none yet.
    """
    try:
        matrix: np.ndarray = np.load(RunFolder(run).correlation(level))
    except (OSError, EOFError, ValueError):  # not there, or cut short
        return None
    return matrix.astype(np.float32) if matrix.ndim == 2 and matrix.dtype.kind == "f" else None


def possible_rank(plan: Plan, level: Level) -> int:
    """Return the rank that embeddings can have at most: a projector makes no more directions than its hidden layer has."""
    net, contrast = plan.net, plan.contrast
    channels = net.width if level == "low" else net.width * 2 ** (net.levels - 1)
    return min(channels, contrast.embedding_size) if is_projected(plan, level) else channels


def is_projected(plan: Plan, level: Level) -> bool:
    """Say whether a run has a projector at a level: its figures are then those behind it."""
    return plan.method == "cvrl" and (plan.contrast.low_level if level == "low" else plan.contrast.high_level)
