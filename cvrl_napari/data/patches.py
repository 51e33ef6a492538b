"""Where patches are taken from a scan, and how they are cut out.

A scan smaller than the patch is continued by its border voxels, not by a constant: a step of grey values at the border
would be an edge the network learns. What the continuation shows is not known, so its labels are IGNORE.
"""

from dataclasses import dataclass

import numpy as np

from cvrl_napari.config import Triple
from cvrl_napari.study.labels import IGNORE

PAINTED_SHARE = 0.5
"""Share of labeled patches that are drawn around a painted voxel."""

_REMEMBERED = 10_000  # voxels kept of each class: enough to draw from, small for any scan


@dataclass(frozen=True)
class PaintedVoxels:
    """Voxels of each class to draw patches around.

    Attributes
    ----------
    by_class : dict of int to array of shape (N, 3)
        Indices (z, y, x), evenly thinned out. Background (0) only where the labels are partial: elsewhere it is everywhere.
    is_partial : bool
        Whether some voxel is not known.
    """

    by_class: dict[int, np.ndarray]
    is_partial: bool

    @classmethod
    def of(cls, target: np.ndarray) -> "PaintedVoxels":
        """Find the painted voxels of a target (z, y, x), uint8."""
        flat = np.asarray(target).ravel()
        counts = np.bincount(flat, minlength=256)
        is_partial = bool(counts[IGNORE])
        by_class = {}
        for value in np.flatnonzero(counts[:IGNORE]):
            if value or is_partial:
                found = np.flatnonzero(flat == value)
                thinned = found[:: -(-len(found) // _REMEMBERED)]
                by_class[int(value)] = np.stack(np.unravel_index(thinned, target.shape), axis=1)
        return cls(by_class, is_partial)


def draw_start(shape: Triple, patch_size: Triple, rng: np.random.Generator, painted: PaintedVoxels | None = None) -> Triple:
    """Draw the first voxel (z, y, x) of a patch; negative where the scan is smaller than the patch and is continued.

    Half of the patches of a case with labels, and all of a partly painted one, lie around a painted voxel of a class drawn
    evenly among those present, so that small structures are seen as often as large ones. Where in the patch that voxel lies
    is drawn as well (within its middle half): the network must not learn that structures are in the middle.
    """
    size, patch = np.array(shape), np.array(patch_size)
    low, high = np.minimum(0, size - patch), np.maximum(0, size - patch)
    start = rng.integers(low, high, endpoint=True)
    if painted and painted.by_class and (painted.is_partial or rng.random() < PAINTED_SHARE):
        voxels = painted.by_class[int(rng.choice(list(painted.by_class)))]
        place = rng.integers(patch // 4, np.maximum(patch - patch // 4, patch // 4 + 1))
        start = np.clip(voxels[rng.integers(len(voxels))] - place, low, high)
    z, y, x = start.tolist()
    return z, y, x


def cut_image(image: np.ndarray, start: Triple, size: Triple) -> np.ndarray:
    """Cut (C, z, y, x) to (C, *size), float32, continued by its border voxels where `start` or `size` reach outside."""
    inside, padding = [], [(0, 0)]
    for length, first, count in zip(image.shape[1:], start, size, strict=True):
        a = min(max(first, 0), length - 1)
        b = max(min(first + count, length), a + 1)
        before = min(max(-first, 0), count - 1)
        inside.append(slice(a, b))
        padding.append((before, count - before - (b - a)))
    cut = image[:, *inside].astype(np.float32)
    return np.pad(cut, padding, mode="edge") if cut.shape[1:] != size else cut


def cut_labels(labels: np.ndarray, start: Triple, size: Triple) -> np.ndarray:
    """Cut (z, y, x) to `size`, IGNORE where `start` or `size` reach outside."""
    cut = np.full(size, IGNORE, np.uint8)
    inside = labels[tuple(slice(max(first, 0), max(first + count, 0)) for first, count in zip(start, size, strict=True))]
    cut[tuple(slice(max(-first, 0), max(-first, 0) + count) for first, count in zip(start, inside.shape, strict=True))] = inside
    return cut
