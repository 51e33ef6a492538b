"""A slice taken over from the one beside it."""

from collections.abc import Sequence

import numpy as np

from cvrl_napari.editing.edit import Labels


def copy_slice(labels: Labels, *, axis: int, source: int, target: int, classes: Sequence[int]) -> Labels:
    """Let a slice hold what another one holds of some classes.

    What the slice had of these classes goes; other classes and painted background stay.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 not painted, 1..K classes, 255 painted background.
    axis : int
        The slices follow each other along this axis.
    source, target : int
        Indices along it.

    Returns
    -------
    uint8 array of shape (z, y, x)
    """
    result = labels.copy()
    planes = np.moveaxis(result, axis, 0)
    there = planes[target]
    there[np.isin(there, list(classes))] = 0
    comes = np.isin(planes[source], list(classes)) & (there == 0)
    there[comes] = planes[source][comes]
    return result
