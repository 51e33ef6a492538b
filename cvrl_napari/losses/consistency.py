"""Agreement of student and teacher on voxels without labels, method equation (e)."""

from torch import Tensor


def sharpen(probabilities: Tensor) -> Tensor:
    """Return the probabilities (B, K, z, y, x) squared and renormalised over the classes: doubts shrink, ties stay ties."""
    squared = probabilities**2
    return squared / squared.sum(dim=1, keepdim=True)


def consistency_loss(logits: Tensor, target: Tensor, known: Tensor | None = None) -> Tensor:
    """Return the mean squared difference of the student's softmax and the target.

    Parameters
    ----------
    logits : Tensor of shape (B, K, z, y, x)
        Of the student, taken to float32.
    target : Tensor of shape (B, K, z, y, x)
        Probabilities; no gradient flows into them.
    known : Tensor of shape (B, z, y, x), bool, optional
        Voxels that have a target; the mean is over these. Without any the loss is exactly 0.
    """
    difference = (logits.float().softmax(dim=1) - target.detach().float()) ** 2
    per_voxel = difference.mean(dim=1)
    if known is None:
        return per_voxel.mean()
    return (per_voxel * known).sum() / known.sum().clamp(min=1)
