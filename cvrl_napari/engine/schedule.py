"""Where a run stands, and what follows from it: progress by steps or by the clock, learning rate, time left."""

import math
import time

from cvrl_napari.config import OptimizerConfig, Plan

WARM_UP_SHARE = 0.1
"""Share of a one-cycle run over which the learning rate rises."""
STEPS_PER_DECADE = 2_500 / 6_000
"""Share of a run after which the 'steps' schedule divides the rate by ten: every 2,500 of the paper protocol's 6,000 steps."""


def learning_rate(config: OptimizerConfig, progress: float) -> float:
    """Return the learning rate at `progress` in [0, 1] of the run."""
    if config.schedule == "steps":
        return config.learning_rate * 0.1 ** math.floor(progress / STEPS_PER_DECADE)
    if progress < WARM_UP_SHARE:
        return config.learning_rate * max(progress / WARM_UP_SHARE, 0.01)
    falling = min((progress - WARM_UP_SHARE) / (1 - WARM_UP_SHARE), 1.0)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * falling))


class Clock:
    """Counts steps and training seconds (pauses, previews and preparation left out) and says how far the run is.

    With `plan.minutes` the clock decides when the run is over, otherwise the number of steps does; all schedules
    are functions of `progress`, so that a run by the clock still ends with its learning rate at zero.
    """

    def __init__(self, plan: Plan) -> None:
        self._seconds_planned = None if plan.minutes is None else plan.minutes * 60
        self._steps_planned = plan.steps
        self.step = 0
        self.seconds = 0.0
        self._started: float | None = None

    def __enter__(self) -> "Clock":
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._started is not None
        self.seconds += time.monotonic() - self._started
        self._started = None

    @property
    def progress(self) -> float:
        """Share of the run that is done, in [0, 1]."""
        done = self.step / self._steps_planned if self._seconds_planned is None else self.seconds / self._seconds_planned
        return min(done, 1.0)

    @property
    def is_over(self) -> bool:
        """Whether the planned steps or minutes have been spent."""
        return self.progress >= 1.0

    @property
    def total(self) -> int:
        """Steps of the whole run; an estimate from the rate so far when it runs by the clock."""
        if self._seconds_planned is None:
            return self._steps_planned
        return max(self.step, round(self.step / self.progress)) if self.progress > 0 else self._steps_planned

    @property
    def seconds_left(self) -> float | None:
        """Training seconds left at the rate so far; None before the first step."""
        if self.step == 0 or self.progress == 0:
            return None
        return self.seconds * (1 - self.progress) / self.progress

    def state_dict(self) -> dict[str, float]:
        """Return what a resumed run needs."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Go on from a saved state."""
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
