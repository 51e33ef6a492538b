"""Structures that may overlap, as one label map: where several claim a voxel, the smallest of them has it."""

import numpy as np
import numpy.typing as npt

from cvrl_napari.volumes.axis_order import Array


class Structures:
    """Collects the masks of structures, plane by plane, a bit for a pixel.

    Contours of a body enclose all others, and a lesion lies in its organ: the smaller structure is the one that was meant.

    Parameters
    ----------
    shape
        Planes, rows and columns.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self._shape = shape
        self._pieces: list[tuple[int, int, npt.NDArray[np.uint8]]] = []
        self._sizes = np.zeros(256, np.int64)

    def add(self, value: int, plane: int, mask: Array) -> None:
        """Add what is not 0 in `mask`, of shape (rows, columns), to the structure with this value, 1 to 255."""
        size = int(np.count_nonzero(mask))
        if size:
            self._sizes[value] += size
            self._pieces.append((value, plane, np.packbits(mask != 0)))

    def merge(self) -> tuple[npt.NDArray[np.uint8], int]:
        """Return the label map (plane, row, column), and how many voxels several structures claimed."""
        _, rows, columns = self._shape
        merged = np.zeros(self._shape, np.uint8)
        sizes = self._sizes.copy()
        sizes[0] = np.iinfo(np.int64).max
        claimed_again = 0
        for value, plane, packed in self._pieces:
            mask = np.unpackbits(packed, count=rows * columns).reshape(rows, columns).view(np.bool_)
            before = merged[plane][mask]
            claimed_again += int(np.count_nonzero((before != 0) & (before != value)))
            merged[plane][mask] = np.where(sizes[before] > sizes[value], np.uint8(value), before)
        return merged, claimed_again


def overlap_notice(voxels: int) -> str:
    """Say that voxels were claimed by several structures, empty if none was."""
    return f"Structures overlap ({voxels:,} voxels): where they do, the smaller one was taken." if voxels else ""
