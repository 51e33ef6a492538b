"""The voxels that a fill bucket reaches: what hangs together with the one that was clicked."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Indices = tuple[npt.NDArray[np.intp], ...]


def filled(
    labels: np.ndarray,
    start: Sequence[int],
    axes: Sequence[int],
    *,
    contiguous: bool = True,
    greys: np.ndarray | None = None,
    grey_range: tuple[float, float] | None = None,
) -> Indices:
    """Return the voxels of the label at `start` that a fill reaches from there.

    Parameters
    ----------
    labels : array of shape (z, y, x)
    start : (z, y, x)
        The voxel that was clicked; it may lie outside, then nothing is reached.
    axes : sequence of int
        The axes filled along: two of them stay on a slice.
    contiguous : bool
        Only what hangs together with `start`, face to face; else every voxel of that label.
    greys, grey_range : array of shape (z, y, x) and two floats, optional
        The fill does not pass a voxel whose grey value lies outside these two, both included; nor does it start there.

    Returns
    -------
    tuple of integer arrays of shape (N,), an axis each
    """
    from skimage.segmentation import flood

    if not all(0 <= index < size for index, size in zip(start, labels.shape, strict=True)):
        return (np.zeros(0, np.intp),) * 3
    where = tuple(slice(None) if axis in axes else slice(index, index + 1) for axis, index in enumerate(start))
    seed = tuple(index if axis in axes else 0 for axis, index in enumerate(start))
    region = labels[where] == labels[tuple(start)]
    if greys is not None and grey_range is not None:
        region &= (greys[where] >= grey_range[0]) & (greys[where] <= grey_range[1])
    if not region[seed]:
        region[...] = False
    elif contiguous:
        region = flood(region, seed, connectivity=1)
    return tuple(index + (part.start or 0) for index, part in zip(np.nonzero(region), where, strict=True))
