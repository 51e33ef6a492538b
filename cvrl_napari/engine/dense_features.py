"""The student's features of a whole scan, from overlapping windows that leave no seams, in bounded memory.

The windows are those of the training: a network that norms over its window (`nets/compact.py`) sees what it was trained on.
Neighbours overlap by half, and their features are averaged, the middle of a window counting most and its border next to
nothing (the weights of `windows`, normalised along each axis). A network without such norms gives the same as at once, away
from the border of the scan.

Low-level features are smoothed by a voxel: transposed convolutions of stride two leave a checkerboard in them, which would be
a grid of holes in what a lasso marks.
"""

import math
from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cvrl_napari.config import Triple
from cvrl_napari.engine.embedding_cache import LEVELS, Level
from cvrl_napari.engine.model_file import Model
from cvrl_napari.engine.predict import normalized_entropy
from cvrl_napari.engine.windows import bell, evaluating, window_starts
from cvrl_napari.nets.for_prediction import for_prediction
from cvrl_napari.nets.output import NetOutput

OVERLAP = 0.5
"""Of neighbouring windows: more than masks need, since the seams between windows would be seen in a map of features."""
_LARGEST = 6e4  # fits float16
LARGEST_LOW_BYTES = 600 * 10**6
"""Low-level features of a scan, beyond which a cell is 2 x 2 x 2 voxels of the network's grid."""


class Grid(NamedTuple):
    """The cells of a level.

    Attributes
    ----------
    shape : tuple of int
        Cells (z, y, x) that cover the scan.
    edge : int
        Voxels of the network's grid along the edge of a cell.
    channels : int
    """

    shape: Triple
    edge: int
    channels: int

    def scale(self, scan_shape: Triple, size: Triple) -> tuple[float, float, float]:
        """Return the voxels (z, y, x) of a scan for one cell; the scan and the network's grid of `size` span the same box."""
        z, y, x = (self.edge * voxels / length for voxels, length in zip(scan_shape, size, strict=True))
        return z, y, x

    def layout(self) -> tuple[tuple[type[np.generic], tuple[int, ...]], ...]:
        """Return number type and shape of each of the `CellArrays` on this grid."""
        return (np.float16, (*self.shape, self.channels)), (np.uint8, self.shape), (np.float16, self.shape)


class CellArrays(NamedTuple):
    """Where the results of a level go; see `CaseEmbeddings`."""

    features: np.ndarray
    predicted: np.ndarray
    uncertainty: np.ndarray


def grids_of(student: Model, size: Triple) -> dict[Level, Grid]:
    """Return the grids of both levels for an image of `size` voxels; low cells are larger where they would be too many."""
    net = student.net
    is_thin = 2 * net.low_channels * math.prod(size) > LARGEST_LOW_BYTES
    edges = {"low": 2 if is_thin else 1, "high": net.stride}
    channels = {"low": net.low_channels, "high": net.high_channels}
    return {level: Grid(_cells(size, edges[level]), edges[level], channels[level]) for level in LEVELS}


def write_features(
    student: Model, image: Tensor, grids: Mapping[Level, Grid], into: Mapping[Level, CellArrays]
) -> Iterator[tuple[int, int]]:
    """Compute the features of a prepared image (C, z, y, x) and write them.

    Only as many planes as a window is deep are held in memory. A cell of several voxels has the mean of their features, or the
    class of their mean probabilities.

    Yields
    ------
    done, total
        Windows.
    """
    patch, stride = student.card.patch_size, student.net.stride
    image, before = _padded(image, patch, stride)
    _, *size = image.shape
    starts = [_starts(*axis, stride, OVERLAP) for axis in zip(size, patch, strict=True)]
    sums = {level: _Sums(grid, patch, size, before, starts) for level, grid in grids.items()}
    total, done = int(np.prod([len(axis) for axis in starts])), 0
    net = for_prediction(student.net)
    for row, z in enumerate(starts[0]):
        for y, x in product(*starts[1:]):
            with evaluating(net) as device:  # nothing is yielded inside: whoever listens would be without gradients
                found = net(image[None, :, z : z + patch[0], y : y + patch[1], x : x + patch[2]].to(device))
                for level in grids:
                    sums[level].add(_maps(found, level, grids[level].edge), (z, y, x))
            done += 1
            yield done, total
        end = starts[0][row + 1] if row + 1 < len(starts[0]) else size[0]
        for level in grids:
            sums[level].write_until(end, into[level])


class _Sums:
    """Weighted sums of the windows, of as many planes as a window is deep; planes that no later window reaches are written."""

    def __init__(self, grid: Grid, patch: Triple, size: list[int], before: Triple, starts: list[list[int]]) -> None:
        self._grid = grid
        self._skipped = [count // grid.edge for count in before]
        self._weights = [_weights(*axis, grid.edge) for axis in zip(starts, patch, size, strict=True)]
        depth, height, width = patch[0] // grid.edge, size[1] // grid.edge, size[2] // grid.edge
        self._planes = torch.zeros(depth, height, width, 0)
        self._first = 0  # plane of the padded image that `_planes` begins with

    def add(self, maps: Tensor, place: Triple) -> None:
        """Add a window (channels, z, y, x) of cells at a place of the padded image, in voxels."""
        if not self._planes.shape[3]:
            self._planes = torch.zeros(*self._planes.shape[:3], len(maps))
        weights = [by_start[first] for by_start, first in zip(self._weights, place, strict=True)]
        z, y, x = weights
        weighted = maps.float().cpu().movedim(0, -1) * (z[:, None, None] * y[:, None] * x)[..., None]
        low, left = place[1] // self._grid.edge, place[2] // self._grid.edge
        self._planes[:, low : low + len(y), left : left + len(x)] += weighted

    def write_until(self, end: int, into: CellArrays) -> None:
        """Write the planes before voxel `end` of the padded image, and make room for as many more."""
        count = end // self._grid.edge - self._first
        skip_z, skip_y, skip_x = self._skipped
        _, height, width = self._grid.shape
        for number in range(count):
            place = self._first + number - skip_z
            if 0 <= place < self._grid.shape[0]:
                plane = self._planes[number, skip_y : skip_y + height, skip_x : skip_x + width]
                features, probabilities = plane[..., : self._grid.channels], plane[..., self._grid.channels :]
                into.features[place] = features.clamp(-_LARGEST, _LARGEST).half().numpy()
                into.predicted[place] = probabilities.argmax(dim=-1).numpy()
                into.uncertainty[place] = normalized_entropy(probabilities.movedim(-1, 0)).half().numpy()
        self._planes = torch.cat([self._planes[count:], torch.zeros_like(self._planes[:count])])
        self._first += count


def _maps(found: NetOutput, level: Level, edge: int) -> Tensor:
    """Return features and probabilities of a window as channels on the level's grid, (C + K, z, y, x)."""
    probabilities = found.logits.float().softmax(dim=1)
    features = (found.high if level == "high" else found.low).float()
    if edge > 1:
        probabilities = F.avg_pool3d(probabilities, edge)
    if level == "low":
        features = F.avg_pool3d(features, edge) if edge > 1 else smoothed(features)  # pairs of voxels hold no checkerboard
    return torch.cat([features, probabilities], dim=1)[0]


def smoothed(maps: Tensor) -> Tensor:
    """Average each voxel of maps (B, C, z, y, x) with its neighbours by [1 2 1] / 4 along each axis, the border continued.

    A pattern that alternates from voxel to voxel vanishes in it, and nothing coarser than that suffers much.
    """
    maps = F.pad(maps, (1, 1, 1, 1, 1, 1), mode="replicate")
    for axis in (2, 3, 4):
        length = maps.shape[axis] - 2
        before, middle, after = (maps.narrow(axis, start, length) for start in range(3))
        maps = (before + after).add_(middle, alpha=2).div_(4)
    return maps


def _padded(image: Tensor, patch: Triple, stride: int) -> tuple[Tensor, Triple]:
    """Continue an image by its border to whole cells and at least a window; returns also what was added before it."""
    sides: list[int] = []
    before = []
    for length, side in zip(image.shape[1:], patch, strict=True):
        full = max(side, -(-length // stride) * stride)
        first = (full - length) // 2 // stride * stride
        sides = [first, full - length - first, *sides]
        before.append(first)
    z, y, x = before
    return F.pad(image.float()[None], sides, mode="replicate")[0], (z, y, x)


def _starts(length: int, side: int, stride: int, overlap: float) -> list[int]:
    """Return the first voxels of the windows along an axis, whole cells of the bottleneck."""
    cells = side // stride
    return [stride * start for start in window_starts(length // stride, cells, max(1, int(cells * (1 - overlap))))]


def _weights(starts: list[int], side: int, length: int, edge: int) -> dict[int, Tensor]:
    """Return the weights of the cells of each window along an axis, by its first voxel; they sum to 1 over the windows."""
    shape = bell(side // edge)
    total = torch.zeros(length // edge)
    for start in starts:
        total[start // edge : start // edge + len(shape)] += shape
    return {start: shape / total[start // edge : start // edge + len(shape)] for start in starts}


def _cells(size: Triple, edge: int) -> Triple:
    z, y, x = (-(-length // edge) for length in size)
    return z, y, x
