"""Whether a run still gets better, in plain words. No torch: the viewer looks at the events too."""

from cvrl_napari.config import Plan
from cvrl_napari.engine.embedding_cache import LEVELS
from cvrl_napari.engine.events import Diagnosed, Planned, StepDone, Validated
from cvrl_napari.engine.health import judge, possible_rank

PATIENCE_S = 600.0
"""Training seconds without a better Dice after which a run is said to be on a plateau."""
BETTER = 0.005
"""Dice, mean over the classes: less is noise from one measurement to the next."""
FEWEST_LOOKS = 4
"""Measurements without a better one, at least."""
LONGEST_GAP_S = 60.0
"""Between two events that counts as training; longer ones were pauses."""
CERTAIN_AFTER = 2
"""Diagnoses in a row, as `engine/health.py` judges them, after which a run is interrupted with a warning of a collapse."""
PLATEAU = "No better for {minutes:.0f} minutes on the held-out cases: paint more, or stop."
COLLAPSE = "The network tells the parts of a scan less and less apart: stop, and train again with another seed or more labels."
NOT_FOUND = "Not found in any held-out case yet: {names}."


class Watch:
    """Follows the events of one run."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._seconds, self._last = 0.0, 0.0
        self._best, self._best_at, self._looks = -1.0, 0.0, 0
        self._highest: dict[str, float] = {}
        self._collapsing: dict[str, int] = {}
        self._plan: Plan | None = None
        self._dice: dict[int, float] = {}

    def take(self, event: object, now: float) -> None:
        """Take in an event that came `now`, in seconds from any beginning; those that say nothing of this are passed over."""
        match event:
            case Planned(plan=plan):
                self._forget()
                self._plan = plan
            case StepDone():
                self._seconds += min(now - self._last, LONGEST_GAP_S) if self._last else 0.0
                self._last = now
            case Validated(dice=dice) if dice:
                self._dice = dice
                mean = sum(dice.values()) / len(dice)
                self._looks += 1
                if mean > self._best + BETTER:
                    self._best, self._best_at, self._looks = mean, self._seconds, 0
            case Diagnosed(levels=levels) if self._plan is not None:
                for name in LEVELS:
                    if name not in levels:
                        continue
                    rank, possible = levels[name].effective_rank, possible_rank(self._plan, name)
                    self._highest[name] = max(self._highest.get(name, 0.0), rank)
                    fallen = judge(rank, highest=self._highest[name], possible=possible) == "collapsing"
                    self._collapsing[name] = self._collapsing.get(name, 0) + 1 if fallen else 0

    def warnings(self, names: dict[int, str]) -> list[str]:
        """Return what should worry the person, a sentence each; `names` of the structures by class id."""
        found = []
        since = self._seconds - self._best_at
        if self._best >= 0 and since >= PATIENCE_S and self._looks >= FEWEST_LOOKS:
            found.append(PLATEAU.format(minutes=since / 60))
        missed = [names.get(i, f"class {i}") for i, value in self._dice.items() if value == 0]
        if missed:
            found.append(NOT_FOUND.format(names=", ".join(missed)))
        if max(self._collapsing.values(), default=0) >= CERTAIN_AFTER:
            found.append(COLLAPSE)
        return found
