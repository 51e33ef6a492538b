"""The supervised loss on labeled voxels: L_sup = (cross entropy + Dice) / 2, method equation (a)."""

import torch
from torch import Tensor
from torch.nn import functional as F

IGNORE = 255
SMOOTH = 1e-5


def supervised_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return (cross entropy + Dice) / 2 over the voxels whose class is known.

    Parameters
    ----------
    logits : Tensor of shape (B, K, z, y, x)
        Before the softmax; taken to float32.
    labels : Tensor of shape (B, z, y, x), integer
        0 background, 1..K - 1 classes, 255 (IGNORE) where not known. Where nothing at all is known the loss and its
        gradient are exactly 0.
    """
    logits, labels = logits.float(), labels.long()
    known = labels != IGNORE
    cross_entropy = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum") / known.sum().clamp(min=1)
    return (cross_entropy + dice_loss(logits.softmax(dim=1), labels)) / 2


def dice_loss(probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return 1 - Dice, the denominator squared, mean over the structures present in the batch; 0 when there is none.

    Per class, over the known voxels of all patches together: 1 - (2 sum p y + s) / (sum p^2 + sum y^2 + s), s = 1e-5.
    Background is left out as in V-Net (Milletari et al., 2016): it would drown the structures. A structure of which no voxel is
    labeled in this batch is left to the cross entropy: on partly painted scans its absence says nothing.

    Parameters
    ----------
    probabilities : Tensor of shape (B, K, z, y, x)
        After the softmax.
    labels : Tensor of shape (B, z, y, x), int64
        As for `supervised_loss`.
    """
    classes = torch.arange(1, probabilities.shape[1], device=labels.device).view(1, -1, 1, 1, 1)
    truth = (labels.unsqueeze(1) == classes).to(probabilities.dtype)  # (B, K - 1, z, y, x); IGNORE is no class
    guess = probabilities[:, 1:] * (labels != IGNORE).unsqueeze(1)
    voxels = (0, 2, 3, 4)
    overlap, size = (guess * truth).sum(voxels), truth.sum(voxels)  # (K - 1,); y^2 = y
    dice = (2 * overlap + SMOOTH) / ((guess**2).sum(voxels) + size + SMOOTH)
    present = size > 0
    return ((1 - dice) * present).sum() / present.sum().clamp(min=1)
