"""The cases of a run: in which stream each of them is, and each prepared when it is first needed, not before.

What is drawn depends on ids and the seed alone, never on what is prepared already, so that a run is the same with a warm and
with a cold cache. A case that cannot be read is named as soon as that is known, and left out from a step on that follows from
the plan as well: the one before which its turn to be prepared comes.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from cvrl_napari.config import Plan
from cvrl_napari.data.ahead import BatchAhead
from cvrl_napari.data.prepare import PreparedCase, prepare
from cvrl_napari.data.streams import TwoStreamLoader
from cvrl_napari.engine.device import spare_cores
from cvrl_napari.engine.disk_space import is_disk_full
from cvrl_napari.engine.events import Adjusted, Event, LabelsTaken, Progress
from cvrl_napari.engine.preparing import PreparingAhead
from cvrl_napari.engine.validation import MOST_CASES
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import IGNORE
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

STEPS_A_SCAN = 4
"""Steps after which one more scan is prepared ahead of its first use: seldom enough that the first masks come at once."""

NEW_CLASS = "is painted with a class that was added after this training began; train again to learn it."


Call = Callable[[Callable[[], PreparedCase]], PreparedCase]


class RunCases:
    """Labeled, unlabeled and held-out cases of one run, and the loader that draws from them.

    Parameters
    ----------
    during : callable
        Calls a function that takes a while: `Steering.during`, which lets a run be stopped meanwhile.

    Attributes
    ----------
    labeled, unlabeled : list of str
        Ids of the cases learned from with and without their labels; they change with what is painted.
    held_out : tuple of str
        Ids of the cases that are measured.
    """

    def __init__(self, study: Study, plan: Plan, during: Call = lambda function: function()) -> None:
        self._study, self._plan, self._during = study, plan, during
        self.labeled, self.unlabeled = list(plan.labeled_cases), list(plan.unlabeled_cases)
        self.held_out = plan.held_out_cases[:MOST_CASES]
        self._order = (*self.labeled, *self.held_out, *(self.unlabeled if plan.unlabeled_batch else ()))
        self._prepared: dict[str, PreparedCase] = {}
        self._unreadable: dict[str, VolumeError | StudyError] = {}
        self._spare_cores = spare_cores(plan)
        self._ahead = PreparingAhead(self._make, spare_cores=self._spare_cores)
        self.loader = BatchAhead(TwoStreamLoader(*self._streams(), self._prepared, plan, plan.seed))

    def follow(self, plan: Plan) -> None:
        """Cut by this plan from now on."""
        self._plan = plan
        self.loader.follow(plan)

    def prepared(self, cases: Iterable[str]) -> list[PreparedCase]:
        """Return those of the cases that are prepared."""
        return [self._prepared[case] for case in cases if case in self._prepared]

    def close(self) -> None:
        """End what goes on beside the training."""
        self._ahead.close()
        self.loader.close()

    def make_next_batch(self, *, with_unlabeled: bool) -> None:
        """Have the next batch made while the present one is learned from, where a core and all its cases are ready."""
        if self._spare_cores and all(case in self._prepared for case in self.loader.upcoming(with_unlabeled=with_unlabeled)):
            self.loader.start(with_unlabeled=with_unlabeled)

    def prepare_step(self, step: int, *, with_unlabeled: bool) -> Iterator[Event]:
        """Prepare what the step after `step` draws from, and one case in `STEPS_A_SCAN` steps ahead of its first use.

        Raises
        ------
        VolumeError, StudyError
            If no case with labels is left.
        """
        while True:
            learned = {*self.labeled, *self.unlabeled, *self.held_out}
            ahead = [case for case in self._order[: step // STEPS_A_SCAN] if case in learned]
            wanted = [*ahead, *self.loader.upcoming(with_unlabeled=with_unlabeled)]
            yield from self.prepare(wanted, step=step)
            unreadable = [case for case in wanted if case in self._unreadable and case in (*self.labeled, *self.unlabeled)]
            if not unreadable:
                break
            self._leave_out(unreadable)
        self._ahead.start(case for case in self._order if case not in self._prepared and case not in self._unreadable)

    def prepare(self, cases: Iterable[str], *, step: int) -> Iterator[Event]:
        """Prepare the cases, to look at or to learn from, and name those that cannot be read."""
        for case in cases:
            if case in self._prepared or case in self._unreadable:
                continue
            try:
                self._prepared[case] = self._during(partial(self._prepare, case))
            except (VolumeError, StudyError) as error:
                if is_disk_full(error):  # the scan is none the worse for it
                    raise
                self._unreadable[case] = error
                yield Adjusted(why=f"{case} is left out of this training: {error}", step=step)
            done = sum(one in self._prepared or one in self._unreadable for one in self._order)
            yield Progress(what="Preparing scans", done=done, total=len(self._order))

    def take_labels(self, changed: Iterable[str], *, step: int) -> Iterator[Event]:
        """Learn from what was painted since the run began: reload targets, move cases between the streams."""
        self._study = Study.open(self._study.folder, read_only=True)
        now_labeled, held_out = self._study.labeled_cases(), self._study.held_out_cases()
        taken = []
        for case in dict.fromkeys(changed):
            if case in held_out:
                continue
            if self._has_new_class(case):
                yield Adjusted(why=f"{case} {NEW_CLASS}", step=step)
                continue
            yield from self.prepare([case], step=step)
            if case not in self._prepared:
                continue
            self.loader.drop()
            self._prepared[case].reload_target(self._study)
            for stream in (self.labeled, self.unlabeled):
                if case in stream:
                    stream.remove(case)
            (self.labeled if case in now_labeled else self.unlabeled).append(case)
            taken.append(case)
        if not taken:
            return
        if self.labeled:  # with the last label rubbed out, the run keeps learning from what it had
            self.loader.replace(*self._streams())
        yield LabelsTaken(cases=tuple(taken), step=step)

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs."""
        return {
            "labeled": self.labeled,
            "unlabeled": self.unlabeled,
            "known": list(self._study.labeled_cases()),
            "loader": self.loader.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> list[str]:
        """Go on from a saved state.

        Returns
        -------
        list of str
            Cases that got their first label, or lost their last one, since the state was saved: they are to be taken in.
        """
        self.labeled, self.unlabeled = list(state["labeled"]), list(state["unlabeled"])
        self.loader.replace(*self._streams())
        self.loader.load_state_dict(state["loader"])
        now = self._study.labeled_cases()
        return sorted({*state.get("known", now)} ^ {*now})  # runs of earlier versions did not keep what was known

    def _prepare(self, case: str) -> PreparedCase:
        """Prepare one case; its labels may have changed since the run was planned."""
        prepared = self._ahead.take(case)
        if case in self.labeled:
            if self._has_new_class(case):
                raise StudyError(f"it {NEW_CLASS}")
            if prepared.target is None:
                raise StudyError("its labels were taken away.")
        return prepared

    def _make(self, case: str) -> PreparedCase:
        return prepare(self._study, case, spacing=self._plan.spacing)

    def _leave_out(self, cases: list[str]) -> None:
        """Go on without these cases, as long as one with labels is left."""
        for stream in (self.labeled, self.unlabeled):
            stream[:] = [case for case in stream if case not in cases]
        if not self.labeled:
            raise self._unreadable[cases[-1]]
        self.loader.replace(*self._streams())

    def _streams(self) -> tuple[list[str], list[str]]:
        """Partly painted cases are in both: most of their voxels are unlabeled."""
        partial = {case.id for case in self._study.cases if case.state == "partial"}
        return self.labeled, [*self.unlabeled, *(case for case in self.labeled if case in partial)]

    def _has_new_class(self, case: str) -> bool:
        """Whether a case shows a class that the network, made for those there were at the start, can't tell."""
        if len(self._study.classes) < self._plan.net.classes or self._study.case(case).state == "unlabeled":
            return False
        target = self._study.training_target(case)
        return bool(((target >= self._plan.net.classes) & (target != IGNORE)).any())
