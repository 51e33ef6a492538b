"""Which voxels are contrasted: a balanced draw, because not all voxels of an image are equally telling."""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

MIXED = -1
"""Class of a bottleneck cell that holds voxels of more than one class: unlike any other cell."""


class Anchors(NamedTuple):
    """N places in a batch of maps.

    Attributes
    ----------
    patches : Tensor of shape (N,), int64
        Row of the batch.
    cells : Tensor of shape (N,), int64
        Place in the flattened (z, y, x) grid of the map.
    classes : Tensor of shape (N,), int64
        What is there: 0 background, 1..K - 1, or `MIXED`.
    """

    patches: Tensor
    cells: Tensor
    classes: Tensor

    def gather(self, features: Tensor, first: int = 0) -> Tensor:
        """Return the rows (N, C) of `features` (B, C, z, y, x) at these places, patches counted from the row `first`.

        Nothing dense is copied on the way, and the gradient is scattered in the memory layout of the features: to add it to
        theirs in another one takes as long as a tenth of the whole step.
        """
        _, channels, _, height, width = features.shape
        row, z, y, x = self.patches + first, self.cells // (height * width), self.cells // width % height, self.cells % width
        if features.is_contiguous():
            every = torch.arange(channels, device=features.device)
            return features[row[:, None], every, z[:, None], y[:, None], x[:, None]]
        return features.movedim(1, -1)[row, z, y, x]


def draw_anchors(classes: Tensor, eligible: Tensor, count: int) -> Anchors:
    """Draw up to `count` different places from each patch, each class present having the same chance.

    Drawn without replacement with weight 1 / (places of that class): a class with fewer places than its share is
    taken nearly whole, and the others fill up.

    Parameters
    ----------
    classes : Tensor of shape (B, z, y, x), int64
        0..K - 1, or `MIXED`.
    eligible : Tensor of shape (B, z, y, x), bool
        Where to draw from.
    count : int
        Places per patch; patches with fewer eligible places give those.
    """
    drawn = []
    for row in range(len(classes)):
        places = eligible[row].flatten().nonzero().squeeze(1)
        kinds = classes[row].flatten()[places]
        if len(places) > count:
            sizes = (kinds - MIXED).bincount().float()
            # The first of exponential waiting times of mean `size`: a weighted draw without replacement (Efraimidis, 2006).
            times = torch.empty(len(places), device=places.device).exponential_().mul_(sizes[kinds - MIXED])
            chosen = times.topk(count, largest=False, sorted=False).indices
            places, kinds = places[chosen], kinds[chosen]
        drawn.append(Anchors(torch.full_like(places, row), places, kinds))
    return Anchors(*(torch.cat(parts) for parts in zip(*drawn, strict=True)))


def cells_of(classes: Tensor, eligible: Tensor, size: torch.Size) -> tuple[Tensor, Tensor]:
    """Bring classes and eligibility (B, z, y, x) to a coarser grid `size` (z', y', x') that divides theirs.

    A cell has the class all its voxels have, or is `MIXED`; it is eligible if all its voxels are.
    """
    stride = [side // cells for side, cells in zip(classes.shape[1:], size, strict=True)]
    highest = F.max_pool3d(classes.float(), stride)
    lowest = -F.max_pool3d(-classes.float(), stride)
    cells = torch.where(highest == lowest, highest, MIXED).long()
    return cells, -F.max_pool3d(-eligible.float(), stride) == 1
