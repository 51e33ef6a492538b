"""Whether a run still gets better, in plain words. No torch: the viewer looks at the events too."""

from cvrl_napari.engine.events import Diagnosed, Planned, StepDone, Validated

PATIENCE_S = 600.0
"""Training seconds without a better Dice after which a run is said to be on a plateau."""
BETTER = 0.005
"""Dice, mean over the classes: less is noise from one measurement to the next."""
FEWEST_LOOKS = 4
"""Measurements without a better one, at least."""
LONGEST_GAP_S = 60.0
"""Between two events that counts as training; longer ones were pauses."""
COLLAPSED_RANK, COLLAPSED_SHARE = 2.0, 0.25
"""Effective rank of the embeddings, by itself and of the largest one so far, below which a run is interrupted with a warning.

Stricter than `engine/health.py`, where a person looks at the curves for its own sake.
"""
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
        self._rank: dict[str, float] = {}
        self._dice: dict[int, float] = {}

    def take(self, event: object, now: float) -> None:
        """Take in an event that came `now`, in seconds from any beginning; those that say nothing of this are passed over."""
        match event:
            case Planned():
                self._forget()
            case StepDone():
                self._seconds += min(now - self._last, LONGEST_GAP_S) if self._last else 0.0
                self._last = now
            case Validated(dice=dice) if dice:
                self._dice = dice
                mean = sum(dice.values()) / len(dice)
                self._looks += 1
                if mean > self._best + BETTER:
                    self._best, self._best_at, self._looks = mean, self._seconds, 0
            case Diagnosed(levels=levels):
                for name, level in levels.items():
                    self._rank[name] = level.effective_rank
                    self._highest[name] = max(self._highest.get(name, 0.0), level.effective_rank)

    def warnings(self, names: dict[int, str]) -> list[str]:
        """Return what should worry the person, a sentence each; `names` of the structures by class id."""
        found = []
        since = self._seconds - self._best_at
        if self._best >= 0 and since >= PATIENCE_S and self._looks >= FEWEST_LOOKS:
            found.append(PLATEAU.format(minutes=since / 60))
        missed = [names.get(i, f"class {i}") for i, value in self._dice.items() if value == 0]
        if missed:
            found.append(NOT_FOUND.format(names=", ".join(missed)))
        if any(r < COLLAPSED_RANK and r < COLLAPSED_SHARE * self._highest[name] for name, r in self._rank.items()):
            found.append(COLLAPSE)
        return found
