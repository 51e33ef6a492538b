"""The next batch, made while the present one is learned from.

A thread cuts and augments it; nearly all of that is done in libraries that let the training compute meanwhile. What a run
learns does not depend on it: a batch that was made for something else than what is then asked for is thrown away and the
loader put back to where it was before, and `state_dict` is always that of the batches taken.
"""

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from cvrl_napari.config import Plan
from cvrl_napari.data.batch import Batch
from cvrl_napari.data.streams import TwoStreamLoader
from cvrl_napari.data.workers import quiet_threads


@dataclass(frozen=True)
class _Made:
    """A batch in the making, whether it has unlabeled patches, and the loader's state before it was drawn."""

    batch: Future[Batch]
    with_unlabeled: bool
    before: dict[str, Any]


class BatchAhead:
    """Takes batches from a loader, one ahead where `start` asks for it.

    Whoever changes a target of the loader's cases calls `drop` first.
    """

    def __init__(self, loader: TwoStreamLoader) -> None:
        self._loader = loader
        self._thread = quiet_threads(1, name="batches")
        self._made: _Made | None = None

    def start(self, *, with_unlabeled: bool) -> None:
        """Have the next batch made, unless that is under way; its cases must be prepared."""
        if self._made is None:
            before = self._loader.state_dict()
            self._made = _Made(self._thread.submit(self._loader.next, with_unlabeled=with_unlabeled), with_unlabeled, before)

    def next(self, *, with_unlabeled: bool = True) -> Batch:
        """Return the next batch, waiting for it where it is being made."""
        if self._made is None or self._made.with_unlabeled != with_unlabeled:
            self.drop()
            return self._loader.next(with_unlabeled=with_unlabeled)
        made, self._made = self._made, None
        return made.batch.result()

    def drop(self) -> None:
        """Put the loader back to where it was before the batch that nobody has taken."""
        if self._made is not None:
            self._made.batch.exception()  # waits, and whatever went wrong will again
            self._loader.load_state_dict(self._made.before)
            self._made = None

    def upcoming(self, *, with_unlabeled: bool = True) -> list[str]:
        """Return the cases that have to be prepared before the next batch can be taken: none when it is in the making."""
        if self._made is not None and self._made.with_unlabeled == with_unlabeled:
            return []
        self.drop()
        return self._loader.upcoming(with_unlabeled=with_unlabeled)

    def follow(self, plan: Plan) -> None:
        """Cut by this plan from now on."""
        self.drop()
        self._loader.follow(plan)

    def replace(self, labeled: Sequence[str], unlabeled: Sequence[str]) -> None:
        """Go on with these cases."""
        self.drop()
        self._loader.replace(labeled, unlabeled)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`."""
        self.drop()
        self._loader.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """Return the loader's state after the batches taken."""
        return self._loader.state_dict() if self._made is None else self._made.before

    def close(self) -> None:
        """End the thread."""
        self.drop()
        self._thread.shutdown(wait=False)
