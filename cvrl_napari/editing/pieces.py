"""Separate pieces of a structure."""

import numpy as np
from scipy.ndimage import label

from cvrl_napari.editing.edit import Labels, box_of


def keep_largest(labels: Labels, class_id: int) -> Labels:
    """Erase all of a class but its largest piece; voxels that touch at a corner hang together.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 not painted, 1..K classes, 255 painted background.

    Returns
    -------
    uint8 array of shape (z, y, x)
    """
    result = labels.copy()
    box = box_of(labels == class_id)
    if box is None:
        return result
    part = result[box]
    pieces, count = label(part == class_id, structure=np.ones((3, 3, 3)))
    if count > 1:
        sizes = np.bincount(pieces.ravel())
        sizes[0] = 0
        part[(pieces > 0) & (pieces != sizes.argmax())] = 0
    return result
