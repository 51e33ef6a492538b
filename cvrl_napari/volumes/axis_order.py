"""Between a file's axis order and the canonical one, by flips and permutations only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from nibabel.orientations import axcodes2ornt, io_orientation, ornt_transform

Array = npt.NDArray[Any]
Affine = npt.NDArray[np.float64]


@dataclass(frozen=True)
class AxisOrder:
    """How canonical axes (z, y, x) lie in a file's index axes (i, j, k).

    Parameters
    ----------
    axes
        The file axis of each canonical axis.
    flips
        Whether each canonical axis runs against its file axis.
    """

    axes: tuple[int, int, int]
    flips: tuple[bool, bool, bool]

    @classmethod
    def closest(cls, affine: Affine) -> "AxisOrder":
        """Return the order that brings z closest to Superior, y to Posterior and x to Left.

        Parameters
        ----------
        affine : array of shape (4, 4)
            File index (i, j, k, 1) to RAS mm; invertible.
        """
        to_lps = ornt_transform(io_orientation(affine), axcodes2ornt(("L", "P", "S"))).astype(int)
        file_axis = {int(x_y_z): (i, sign < 0) for i, (x_y_z, sign) in enumerate(to_lps)}
        (z, flip_z), (y, flip_y), (x, flip_x) = file_axis[2], file_axis[1], file_axis[0]
        return cls((z, y, x), (flip_z, flip_y, flip_x))

    def to_canonical(self, array: Array) -> Array:
        """Return a view of a file's array (i, j, k) as (z, y, x)."""
        return array.transpose(self.axes)[self._slices]

    def to_file(self, array: Array) -> Array:
        """Return a view of a canonical array (z, y, x) as the file's (i, j, k)."""
        return array[self._slices].transpose(np.argsort(self.axes))

    def canonical_affine(self, affine: Affine, shape: tuple[int, int, int]) -> Affine:
        """Return the affine of the canonical array.

        Parameters
        ----------
        affine : array of shape (4, 4)
            File index (i, j, k, 1) to RAS mm.
        shape
            The file's (i, j, k) shape.
        """
        canonical = np.eye(4)
        canonical[:3, 3] = affine[:3, 3]
        for column, (axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            canonical[:3, column] = -affine[:3, axis] if flip else affine[:3, axis]
            if flip:
                canonical[:3, 3] += (shape[axis] - 1) * affine[:3, axis]
        return canonical

    def canonical_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return the (z, y, x) shape of a file's (i, j, k) shape."""
        z, y, x = self.axes
        return shape[z], shape[y], shape[x]

    @property
    def _slices(self) -> tuple[slice, ...]:
        return tuple(slice(None, None, -1 if flip else None) for flip in self.flips)
