"""A change of labels: which voxels, what they were and what they become."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Labels = npt.NDArray[np.uint8]
Box = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class Edit:
    """Voxels that change, N of them.

    Parameters
    ----------
    indices : tuple of integer arrays of shape (N,)
        One array an axis, in (z, y, x).
    before, after : uint8 arrays of shape (N,)
        Never equal at any voxel.
    """

    indices: tuple[npt.NDArray[np.intp], ...]
    before: Labels
    after: Labels

    def __len__(self) -> int:
        return len(self.after)

    @classmethod
    def between(cls, before: Labels, after: Labels, inside: Box | None = None) -> "Edit":
        """Return what turns one array into the other.

        Parameters
        ----------
        before, after : uint8 arrays of the same shape
        inside : tuple of slices, optional
            Where the arrays lie in the labels that are edited, when they are a part of them.
        """
        changed = np.nonzero(before != after)
        starts = [part.start or 0 for part in inside] if inside is not None else [0] * before.ndim
        indices = tuple(axis + start for axis, start in zip(changed, starts, strict=True))
        return cls(indices, before[changed], after[changed])

    def still_due(self, labels: Labels) -> "Edit":
        """Return the part whose voxels are still what they were: what was painted since then stays."""
        return self._only(labels[self.indices] == self.before)

    def changing(self) -> "Edit":
        """Return the part whose voxels become something else than they were."""
        return self._only(self.before != self.after)

    def _only(self, kept: npt.NDArray[np.bool_]) -> "Edit":
        return Edit(tuple(axis[kept] for axis in self.indices), self.before[kept], self.after[kept])


def box_of(mask: npt.NDArray[np.bool_], margin: tuple[int, ...] | None = None) -> Box | None:
    """Return the smallest box that holds every voxel of a mask, None for an empty one.

    Parameters
    ----------
    margin : tuple of int, optional
        Voxels more on both sides, an axis each, as far as the array goes.
    """
    parts = []
    for axis, more in enumerate(margin or (0,) * mask.ndim):
        found = np.flatnonzero(mask.any(axis=tuple(other for other in range(mask.ndim) if other != axis)))
        if not found.size:
            return None
        parts.append(slice(max(0, int(found[0]) - more), min(mask.shape[axis], int(found[-1]) + 1 + more)))
    return tuple(parts)


def voxels_of(mm: float, spacing: tuple[float, ...]) -> tuple[int, ...]:
    """Return how many voxels along each axis reach `mm` millimetres, and one more."""
    return tuple(int(np.ceil(mm / size)) + 1 for size in spacing)
