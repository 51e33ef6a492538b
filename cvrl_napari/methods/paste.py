"""A box of a labeled patch pasted into each unlabeled one, so that truth and guess meet in one image.

After bidirectional copy-paste (Bai et al., CVPR 2023) and CutMix for segmentation (French et al., BMVC 2020).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cvrl_napari.losses.supervised import IGNORE

SMALLEST, LARGEST = 0.4, 0.7
"""Sides of the box as shares of the patch: 6 to 34 % of its volume."""


@dataclass(frozen=True)
class Pasted:
    """Unlabeled patches with labeled boxes in them.

    Attributes
    ----------
    images : Tensor of shape (U, C, z, y, x)
    inside : Tensor of shape (U, z, y, x), bool
        Where the content is a labeled patch's.
    labels : Tensor of shape (U, z, y, x), uint8
        The labels of the pasted voxels, `IGNORE` where these are not known and outside the boxes.
    """

    images: Tensor
    inside: Tensor
    labels: Tensor


def paste_boxes(unlabeled: Tensor, labeled: Tensor, labels: Tensor) -> Pasted:
    """Paste a random box of a random labeled patch into each unlabeled one, at the same place.

    Parameters
    ----------
    unlabeled, labeled : Tensor of shape (U, C, z, y, x), (L, C, z, y, x)
        Neither is changed.
    labels : Tensor of shape (L, z, y, x)
        Of the labeled patches.
    """
    images = unlabeled.clone()
    inside = torch.zeros(unlabeled.shape[:1] + unlabeled.shape[2:], dtype=torch.bool, device=unlabeled.device)
    known = torch.full_like(inside, IGNORE, dtype=labels.dtype)
    for row in range(len(unlabeled)):
        source = int(torch.randint(len(labeled), ()))
        z, y, x = _random_box(unlabeled.shape[2:])
        images[row, :, z, y, x] = labeled[source, :, z, y, x]
        known[row, z, y, x] = labels[source, z, y, x]
        inside[row, z, y, x] = True
    return Pasted(images, inside, known)


def _random_box(size: torch.Size) -> tuple[slice, slice, slice]:
    """Draw a box with sides of `SMALLEST` to `LARGEST` of `size`, anywhere inside."""
    z, y, x = (_random_range(side) for side in size)
    return z, y, x


def _random_range(side: int) -> slice:
    share, place = torch.rand(2).tolist()
    length = max(1, round(side * (SMALLEST + (LARGEST - SMALLEST) * share)))
    start = round((side - length) * place)
    return slice(start, start + length)
