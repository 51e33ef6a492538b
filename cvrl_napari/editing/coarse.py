"""Boxes of voxels made coarser block by block, and brought back."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Blocks = tuple[int, ...]


def blocks_for(shape: Sequence[int], spacing: Sequence[float], voxels: int) -> Blocks:
    """Return how many voxels along each axis make a block, so that about `voxels` blocks of nearly equal edges are left."""
    volume = float(np.prod(shape) * np.prod(spacing))
    if np.prod(shape) <= voxels:
        return (1,) * len(shape)
    edge = (volume / voxels) ** (1 / 3)
    return tuple(max(1, round(edge / size)) for size in spacing)


def coarse_mean(array: npt.NDArray[np.float32], blocks: Blocks) -> npt.NDArray[np.float32]:
    """Return the mean of each block; at the end of an axis the last voxels count again."""
    parts = [(0, -size % count) for size, count in zip(array.shape, blocks, strict=True)]
    padded = np.pad(array, parts, mode="edge")
    split = [length for size, count in zip(padded.shape, blocks, strict=True) for length in (size // count, count)]
    mean: npt.NDArray[np.float32] = padded.reshape(split).mean(axis=tuple(range(1, 2 * array.ndim, 2)), dtype=np.float32)
    return mean


def coarse_seeds(seeds: npt.NDArray[np.uint8], blocks: Blocks) -> npt.NDArray[np.uint8]:
    """Return the smallest value that occurs in each block besides 0: a thin stroke is not lost."""
    shape = [-(-size // count) for size, count in zip(seeds.shape, blocks, strict=True)]
    result = np.zeros(shape, np.uint8)
    for value in sorted({int(one) for one in np.unique(seeds)} - {0}, reverse=True):
        where = np.nonzero(seeds == value)
        result[tuple(index // count for index, count in zip(where, blocks, strict=True))] = value
    return result


def fine(array: npt.NDArray[np.float32], blocks: Blocks, shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """Bring blocks back to voxels, linear between the middles of the blocks."""
    for axis, (count, size) in enumerate(zip(blocks, shape, strict=True)):
        if count == 1:
            continue
        place = np.clip((np.arange(size) + 0.5) / count - 0.5, 0, array.shape[axis] - 1)
        lower = np.minimum(place.astype(np.intp), array.shape[axis] - 1)
        upper = np.minimum(lower + 1, array.shape[axis] - 1)
        share = (place - lower).astype(np.float32).reshape([-1 if other == axis else 1 for other in range(array.ndim)])
        array = np.take(array, lower, axis) * (1 - share) + np.take(array, upper, axis) * share
    return array
