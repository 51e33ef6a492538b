"""From the scan's grid to the network's grid and back, without a shift.

Both grids span the same box: voxel i of n covers [i / n, (i + 1) / n] of an axis, so that index j of an axis of m voxels
lies at (j + 0.5) * n / m - 0.5 of an axis of n. A map taken down and up again therefore stays where it was.
Making coarser averages (a triangle as wide as two new voxels); making finer interpolates linearly.
"""

from collections.abc import Iterator

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cvrl_napari.config import Spacing, Triple
from cvrl_napari.study.labels import IGNORE

SAME_SPACING = 0.05
"""Relative difference below which an axis keeps its voxels: resampling would only blur it."""

_SLAB_VALUES = 16_000_000  # float32 values held at once when going back to the scan's grid: 64 MB


def network_shape(scan_shape: Triple, scan_spacing: Spacing, spacing: Spacing) -> Triple:
    """Return the voxels (z, y, x) of the grid that covers the scan at `spacing` (mm), as closely as whole voxels allow."""
    z, y, x = (
        size if abs(own / wanted - 1) <= SAME_SPACING else max(1, round(size * own / wanted))
        for size, own, wanted in zip(scan_shape, scan_spacing, spacing, strict=True)
    )
    return z, y, x


def resample(image: Tensor, shape: Triple) -> Tensor:
    """Bring (C, z, y, x) to (C, *shape), as float32."""
    image = image.float()
    if image.shape[2:] != shape[1:]:
        image = F.interpolate(image, shape[1:], mode="bilinear", antialias=True, align_corners=False)
    if image.shape[1] != shape[0]:
        image = _along_z(image, _weights(image.shape[1], shape[0]))
    return image


def resample_labels(labels: np.ndarray, shape: Triple) -> np.ndarray:
    """Bring uint8 labels (z, y, x) to `shape`: each new voxel takes the class with the largest share of it.

    A new voxel is known (not IGNORE) as soon as one known voxel of the scan lies in it, so that a stroke painted on
    one thin slice does not vanish from a coarser grid.
    """
    if labels.shape == shape:
        return labels
    known = labels != IGNORE
    best = torch.zeros(shape)
    result = np.full(shape, IGNORE, np.uint8)
    for value in np.unique(labels[known]):
        share = resample(torch.from_numpy(labels == value)[None], shape)[0]
        larger = share > best
        result[larger.numpy()] = value
        best = torch.where(larger, share, best)
    if not known.all():
        for axis, size in enumerate(shape):
            known = _any_within(known, axis, size)
        result[~known] = IGNORE
    return result


def slab_places(classes: int, shape: Triple) -> list[slice]:
    """Return the slabs along z in which probabilities are brought to a scan's grid `shape`, so that memory stays bounded."""
    thickness = max(1, _SLAB_VALUES // (classes * shape[1] * shape[2]))
    return [slice(start, min(start + thickness, shape[0])) for start in range(0, shape[0], thickness)]


def scan_grid_slab(probabilities: Tensor, shape: Triple, place: slice) -> Tensor:
    """Bring probabilities (K, z, y, x) to the slab `place` along z of the scan's grid `shape`: (K, slab, *shape[1:])."""
    rows = _weights(probabilities.shape[1], shape[0])[place]
    used = rows.any(dim=0).nonzero()
    first, last = int(used[0]), int(used[-1]) + 1
    slab = _along_z(probabilities[:, first:last].float().cpu(), rows[:, first:last])
    return resample(slab, (len(rows), shape[1], shape[2]))


def scan_grid_slabs(probabilities: Tensor, shape: Triple) -> Iterator[tuple[slice, Tensor]]:
    """Bring (K, z, y, x) to the scan's grid `shape` slab by slab along z.

    Yields
    ------
    slice, Tensor of shape (K, slab, *shape[1:])
        The slab's place along z, and its values.
    """
    for place in slab_places(len(probabilities), shape):
        yield place, scan_grid_slab(probabilities, shape, place)


def to_scan_grid(probabilities: Tensor, shape: Triple) -> Tensor:
    """Bring (K, z, y, x) to (K, *shape), the scan's own grid, as float32 on the CPU."""
    return torch.cat([slab for _, slab in scan_grid_slabs(probabilities, shape)], dim=1)


def _weights(old: int, new: int) -> Tensor:
    """Return the (new, old) matrix that resamples one axis."""
    if old == new:
        return torch.eye(old)
    return F.interpolate(torch.eye(old)[None, None], (new, old), mode="bilinear", antialias=True, align_corners=False)[0, 0]


def _along_z(image: Tensor, weights: Tensor) -> Tensor:
    channels, _, y, x = image.shape
    return torch.matmul(weights, image.flatten(2)).reshape(channels, len(weights), y, x)


def _any_within(mask: np.ndarray, axis: int, size: int) -> np.ndarray:
    """Tell for each of `size` new voxels along `axis` whether an old one whose centre lies in it is set."""
    old = mask.shape[axis]
    if size >= old:
        nearest = ((np.arange(size) + 0.5) * old / size).astype(int)
        taken: np.ndarray = mask.take(nearest, axis)
        return taken
    first_inside = np.ceil(np.arange(size) * old / size - 0.5).astype(int)
    found: np.ndarray = np.logical_or.reduceat(mask, first_inside, axis)
    return found
