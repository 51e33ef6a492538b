"""What a run gives up, one thing after the other, when the memory does not suffice: first time, then sight."""

from typing import NamedTuple

from cvrl_napari.config import Plan, Triple

SHRINK = 0.75
"""Of each side of a patch; a step down then takes less than half the memory."""
FEWEST_CELLS = 2
"""Cells of the bottleneck along a side of the smallest patch; less is no context."""


class Rung(NamedTuple):
    """A plan that needs less memory, and what it gives up, as the end of a sentence."""

    plan: Plan
    words: str


def next_rung(plan: Plan) -> Rung | None:
    """Return the next cheaper plan; None when there is nothing left to give up.

    The patches of a batch one after the other; on a graphics card numbers of half the length; maps computed twice instead of
    kept; smaller patches. The weights fit before and after each of them.
    """
    if plan.micro_batches < plan.labeled_batch:
        words = "the patches of a step are computed one after the other, which takes a little longer"
        return Rung(plan.model_copy(update={"micro_batches": plan.labeled_batch}), words)
    if plan.device == "cuda" and plan.precision == "float32":
        return Rung(plan.model_copy(update={"precision": "bfloat16"}), "it goes on with numbers of half the length (bfloat16)")
    if not plan.net.recompute:
        net = plan.net.model_copy(update={"recompute": True})
        words = "less is kept in memory and computed twice instead, which takes about a third longer"
        return Rung(plan.model_copy(update={"net": net}), words)
    patch = _smaller(plan.patch_size, 2 ** (plan.net.levels - 1))
    if patch == plan.patch_size:
        return None
    words = f"it goes on with smaller patches, {' x '.join(map(str, patch))} voxels, and sees less of the surroundings"
    return Rung(plan.model_copy(update={"patch_size": patch}), words)


def _smaller(patch: Triple, cell: int) -> Triple:
    z, y, x = (max(min(side, FEWEST_CELLS * cell), int(SHRINK * side) // cell * cell) for side in patch)
    return z, y, x
