"""From a network that sees patches to the probabilities of a whole volume.

MONAI's sliding window does the same and importing it takes five seconds, more than the first masks may take;
a test compares the two.
"""

import math
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from cvrl_napari.config import Triple
from cvrl_napari.nets.for_prediction import for_prediction
from cvrl_napari.nets.output import Net

_SIGMA = 0.125  # of the importance within a window, as a share of its side (nnU-Net, MONAI)
_LEAST_IMPORTANCE = 1e-3
_GPU_WINDOWS = 4  # windows computed at once on a GPU
_GPU_SUM_BYTES = 2**31  # sums larger than this are kept in main memory


def predict_volume(net: Net, image: Tensor, *, patch_size: Triple, overlap: float, stride: Triple | None = None) -> Tensor:
    """Return the class probabilities of every voxel of a prepared image.

    An image that fits one patch is continued by its border voxels, as in training, and computed in one pass. A larger
    one is covered by overlapping windows whose middles count more than their borders (Gaussian importance).

    Parameters
    ----------
    net : Net
        Computes where its parameters lie; its training mode is off meanwhile and restored afterwards.
    image : Tensor of shape (C, z, y, x)
        On the network's grid, in standard deviations of the scan.
    patch_size : tuple of int
        Voxels of a window, (z, y, x), the network's training patch.
    overlap : float
        Share of a window's side that neighbouring windows have in common, in [0, 1).
    stride : tuple of int, optional
        Largest distance of neighbouring windows, voxels (z, y, x), in the place of `overlap`.

    Returns
    -------
    Tensor of shape (K, z, y, x), float32, on the CPU
        Sums to 1 over the classes.
    """
    windows = predict_windows(net, image, patch_size=patch_size, overlap=overlap, stride=stride)
    while True:
        try:
            next(windows)
        except StopIteration as end:
            probabilities: Tensor = end.value
            return probabilities


def predict_windows(
    net: Net, image: Tensor, *, patch_size: Triple, overlap: float, stride: Triple | None = None
) -> Generator[tuple[int, int], None, Tensor]:
    """Do what `predict_volume` does, some windows at a time; returns what that does.

    Yields
    ------
    done, total
        Windows.
    """
    size = image.shape[1:]
    image, before = _padded(image, patch_size)
    probabilities = yield from _blend(for_prediction(net), image, patch_size, stride or _stride(patch_size, overlap))
    inside = (slice(first, first + length) for first, length in zip(before, size, strict=True))
    return probabilities[:, *inside].cpu()


def window_starts(length: int, patch: int, stride: int) -> list[int]:
    """Return the first voxels of the windows along an axis: as few as keep within the stride, evenly spread, to the end."""
    if length <= patch:
        return [0]
    count = math.ceil((length - patch) / stride) + 1
    return [round(number * (length - patch) / (count - 1)) for number in range(count)]


@contextmanager
def evaluating(net: Net) -> Iterator[torch.device]:
    """Compute without gradients, dropout or batch statistics, on a GPU in 16 bits; gives the device of the network."""
    device = next(net.parameters()).device
    was_training = net.training
    net.eval()
    try:
        half = torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float16
        with torch.inference_mode(), torch.autocast(device.type, dtype=half, enabled=device.type == "cuda"):
            yield device
    finally:
        net.train(was_training)


def _padded(image: Tensor, patch_size: Triple) -> tuple[Tensor, list[int]]:
    """Continue the image on both sides until it holds one patch; returns also what was added before it."""
    missing = [max(0, patch - length) for patch, length in zip(patch_size, image.shape[1:], strict=True)]
    before = [count // 2 for count in missing]
    if not any(missing):
        return image, before
    sides = [side for count, first in zip(reversed(missing), reversed(before), strict=True) for side in (first, count - first)]
    return F.pad(image.float()[None], sides, mode="replicate")[0], before


def _stride(patch_size: Triple, overlap: float) -> Triple:
    z, y, x = (max(1, int(side * (1 - overlap))) for side in patch_size)
    return z, y, x


def _blend(net: Net, image: Tensor, patch_size: Triple, stride: Triple) -> Generator[tuple[int, int], None, Tensor]:
    starts = [window_starts(*axis) for axis in zip(image.shape[1:], patch_size, stride, strict=True)]
    windows = [tuple(map(slice, first, map(sum, zip(first, patch_size, strict=True)))) for first in product(*starts)]
    importance, sums = _importance(patch_size), _Sums()
    done = 0
    while done < len(windows):
        with evaluating(net) as device:  # nothing is yielded inside: whoever listens would be without gradients
            chosen = windows[done : done + (_GPU_WINDOWS if device.type == "cuda" else 1)]
            found = _probabilities(net, torch.stack([image[:, *window] for window in chosen]).to(device))
            if len(windows) == 1:
                return found[0]
            sums.add(found, importance, chosen, image.shape[1:])
        done += len(chosen)
        yield done, len(windows)
    return sums.mean()


class _Sums:
    """Weighted sums of the windows of a volume; where they are computed unless they are too large for that."""

    def __init__(self) -> None:
        self._values = self._weights = torch.empty(0)

    def add(self, found: Tensor, importance: Tensor, windows: Sequence[tuple[slice, ...]], size: Sequence[int]) -> None:
        """Add the probabilities (N, K, z, y, x) of windows of a volume of that size."""
        if not self._values.numel():
            classes, voxels = found.shape[1], math.prod(size)
            keep_on = found.device if 4 * classes * voxels <= _GPU_SUM_BYTES else torch.device("cpu")
            self._values, self._weights = (torch.zeros(*shape, device=keep_on) for shape in ((classes, *size), size))
        importance = importance.to(found.device)
        weighted, weights = (found * importance).to(self._values.device), importance.to(self._values.device)
        for window, values in zip(windows, weighted, strict=True):
            self._values[:, *window] += values
            self._weights[window] += weights

    def mean(self) -> Tensor:
        """Return the weighted mean (K, z, y, x)."""
        with torch.inference_mode():
            return self._values.div_(self._weights)


def _probabilities(net: Net, images: Tensor) -> Tensor:
    logits: Tensor = net(images.float()).logits
    return logits.float().softmax(dim=1)


def _importance(patch_size: Triple) -> Tensor:
    z, y, x = (bell(side) for side in patch_size)
    return (z[:, None, None] * y[:, None] * x).clamp_min(_LEAST_IMPORTANCE)


def bell(side: int) -> Tensor:
    """Return the Gaussian importance of the voxels along the side of a window, 1 in its middle."""
    place = (torch.arange(side) - (side - 1) / 2) / (_SIGMA * side)
    return torch.exp(-0.5 * place**2)
