"""What labels become when a mask is taken over."""

import numpy as np

from cvrl_napari.editing.edit import Labels
from cvrl_napari.study.labels import BACKGROUND


def accepted(labels: Labels, mask: Labels, class_id: int | None = None, *, only_unpainted: bool = False) -> Labels:
    """Return the labels with a mask, or one class of it, in their place.

    Parameters
    ----------
    labels : uint8 array of any shape
        0 not painted, 1..K classes, 255 painted background; the latter stays where the mask is background too.
    mask : uint8 array of the same shape
        0 background, 1..K classes.
    class_id : int, optional
        Only this class is taken over; labels of other classes stay where the mask is not of this class.
    only_unpainted : bool
        What is painted stays as it is.

    Examples
    --------
    >>> accepted(np.uint8([0, 255, 1, 1, 2]), np.uint8([1, 0, 0, 2, 1])).tolist()
    [1, 255, 0, 2, 1]
    """
    if class_id is None:
        wanted = np.where((mask == 0) & (labels == BACKGROUND), labels, mask)
    else:
        wanted = np.where(mask == class_id, mask, np.where(labels == class_id, 0, labels))
    return np.where(labels == 0, wanted, labels) if only_unpainted else wanted
