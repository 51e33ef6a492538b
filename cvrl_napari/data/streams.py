"""Two endless streams of patches, labeled and unlabeled, that can be stopped and go on exactly where they were."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cvrl_napari.config import Plan, Triple
from cvrl_napari.data.batch import Batch
from cvrl_napari.data.patches import PaintedVoxels, cut_image, cut_labels, draw_start
from cvrl_napari.data.prepare import PreparedCase
from cvrl_napari.data.views import (
    apply_geometry,
    apply_intensity,
    draw_geometry,
    draw_intensity,
    draw_weak_intensity,
    needed_size,
)


class TwoStreamLoader:
    """Makes the batches of a run.

    Each stream goes through its cases in a shuffled order, all of them before one comes again. Which cases come depends on
    their ids, their order and the seed alone, so that they may be prepared at any time before they are drawn.

    Parameters
    ----------
    labeled, unlabeled : sequence of str
        Ids of the cases of each stream. A partly painted case belongs in both: most of its voxels are unlabeled. Without any
        case for it, the unlabeled stream is empty.
    cases : mapping of str to PreparedCase
        Looked into when a batch is cut; what `upcoming` names must be there by then, labeled ones with a target.
    plan : Plan
        Patch size, patches of each kind in a batch, augmentation.
    seed : int
        Same seed and same cases, same batches.
    """

    def __init__(
        self, labeled: Sequence[str], unlabeled: Sequence[str], cases: Mapping[str, PreparedCase], plan: Plan, seed: int
    ) -> None:
        self._labeled, self._unlabeled = tuple(labeled), tuple(unlabeled)
        self._cases = cases
        self._plan = plan
        self._rng = np.random.default_rng(seed)
        self._painted: dict[str, tuple[Path | None, PaintedVoxels]] = {}
        self._labeled_turn: list[str] = []  # the cases still to come before the next shuffle
        self._unlabeled_turn: list[str] = []

    def follow(self, plan: Plan) -> None:
        """Cut by this plan from now on."""
        self._plan = plan

    def replace(self, labeled: Sequence[str], unlabeled: Sequence[str]) -> None:
        """Go on with these cases; a case new to a stream comes next in it, so that what was just painted is soon learned."""
        self._labeled_turn = _new_first(self._labeled_turn, labeled, self._labeled)
        self._unlabeled_turn = _new_first(self._unlabeled_turn, unlabeled, self._unlabeled)
        self._labeled, self._unlabeled = tuple(labeled), tuple(unlabeled)

    def upcoming(self, *, with_unlabeled: bool = True) -> list[str]:
        """Return the cases that the next batch will be cut from, without drawing it."""
        before = self.state_dict()
        labeled, unlabeled = self._draw(with_unlabeled)
        self.load_state_dict(before)
        return [*labeled, *unlabeled]

    def next(self, *, with_unlabeled: bool = True) -> Batch:
        """Draw a batch; without the unlabeled patches where nobody looks at them.

        Raises
        ------
        ValueError
            If there is no labeled case.
        """
        return self._cut(*self._draw(with_unlabeled))

    def state_dict(self) -> dict[str, Any]:
        """Return all that the next batches depend on, besides the cases and the plan; plain numbers and strings."""
        return {
            "generator": self._rng.bit_generator.state,
            "labeled_turn": list(self._labeled_turn),
            "unlabeled_turn": list(self._unlabeled_turn),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a `state_dict`; cases that are no longer there are passed over."""
        self._rng.bit_generator.state = state["generator"]
        self._labeled_turn = [case for case in state["labeled_turn"] if case in self._labeled]
        self._unlabeled_turn = [case for case in state["unlabeled_turn"] if case in self._unlabeled]

    def _draw(self, with_unlabeled: bool) -> tuple[list[str], list[str]]:
        if not self._labeled:
            raise ValueError("There is no labeled case to draw patches from: label at least one.")
        labeled = [self._take(self._labeled_turn, self._labeled) for _ in range(self._plan.labeled_batch)]
        count = self._plan.unlabeled_batch if with_unlabeled and self._unlabeled else 0
        return labeled, [self._take(self._unlabeled_turn, self._unlabeled) for _ in range(count)]

    def _take(self, turn: list[str], cases: Sequence[str]) -> str:
        if not turn:
            turn.extend(self._rng.permutation(cases).tolist())
        return turn.pop(0)

    def _voxels(self, case: PreparedCase) -> PaintedVoxels:
        """Return where the case is painted, found anew when its target was reloaded."""
        target = case.target
        assert target is not None, f"{case.case_id} is in the labeled stream without labels"
        known = self._painted.get(case.case_id)
        if known is None or known[0] != case.target_file:
            known = self._painted[case.case_id] = case.target_file, PaintedVoxels.of(target)
        return known[1]

    def _cut(self, labeled: list[str], unlabeled: list[str]) -> Batch:
        plan, rng, patch = self._plan, self._rng, self._plan.patch_size
        maps = draw_geometry(plan.augment, plan.spacing, len(labeled) + len(unlabeled), rng)
        size = needed_size(maps, patch)
        images, targets = [], []
        for case in map(self._cases.__getitem__, labeled):
            start = _around(draw_start(case.shape, patch, rng, self._voxels(case)), patch, size)
            images.append(cut_image(case.image, start, size))
            targets.append(cut_labels(np.asarray(case.target), start, size))
        for case in map(self._cases.__getitem__, unlabeled):
            images.append(cut_image(case.image, _around(draw_start(case.shape, patch, rng), patch, size), size))
        patches, labels = apply_geometry(torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(targets)), maps, patch)
        return Batch(
            student_images=torch.stack([apply_intensity(image, draw_intensity(plan.augment, rng)) for image in patches]),
            teacher_images=torch.stack([apply_intensity(image, draw_weak_intensity(plan.augment, rng)) for image in patches]),
            labels=labels,
        )


def _new_first(turn: list[str], cases: Collection[str], old: Collection[str]) -> list[str]:
    return [case for case in cases if case not in old] + [case for case in turn if case in cases and case in old]


def _around(start: Triple, patch: Triple, size: Triple) -> Triple:
    """Return the first voxel of a cut of `size` with the same middle as the patch."""
    z, y, x = (first - (large - small) // 2 for first, small, large in zip(start, patch, size, strict=True))
    return z, y, x
