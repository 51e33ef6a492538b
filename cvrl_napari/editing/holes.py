"""Holes in a structure, slice by slice or in 3D."""

import numpy as np
from scipy.ndimage import binary_fill_holes

from cvrl_napari.editing.edit import Labels, box_of


def fill_holes(labels: Labels, class_id: int, *, axis: int | None = None) -> Labels:
    """Give a class what it encloses and nobody painted; other classes and painted background inside it stay.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 not painted, 1..K classes, 255 painted background.
    axis : int, optional
        Look at each slice along this axis by itself; otherwise a hole must be closed on all sides.

    Returns
    -------
    uint8 array of shape (z, y, x)
    """
    result = labels.copy()
    box = box_of(labels == class_id)
    if box is None:
        return result
    part = result[box]
    mask = part == class_id
    if axis is None:
        filled = binary_fill_holes(mask)
    else:
        filled = np.zeros_like(mask)
        for index in range(mask.shape[axis]):
            plane = (slice(None),) * axis + (index,)
            filled[plane] = binary_fill_holes(mask[plane])
    part[filled & (part == 0)] = class_id
    return result
