"""Where labels and mask differ, or a mask and the one before it, as label values with colours and words of their own."""

from typing import Literal

import numpy as np

from cvrl_napari.study.labels import BACKGROUND

ONLY_MASK, ONLY_LABELS, OTHER_CLASS = 1, 2, 3
COLORS = {ONLY_MASK: "#ff4fd8", ONLY_LABELS: "#7dff5a", OTHER_CLASS: "#ffffff"}
"""Loud, and unlike any colour of the class palette."""
Marked = Literal["difference", "changes"]
"""Labels against the mask, or the mask before against the mask."""
WORDS: dict[Marked, dict[int, str]] = {
    "difference": {ONLY_MASK: "only in the mask", ONLY_LABELS: "only in the labels", OTHER_CLASS: "another class in the mask"},
    "changes": {ONLY_MASK: "new in the mask", ONLY_LABELS: "no longer in the mask", OTHER_CLASS: "another class than before"},
}


def compare(labels: np.ndarray, mask: np.ndarray, *, complete: bool) -> np.ndarray:
    """Return 0 where labels and mask agree, else how they differ.

    Parameters
    ----------
    labels : uint8 array of any shape
        0 not painted, 1..K classes, 255 painted background.
    mask : uint8 array of the same shape
        0 background, 1..K classes.
    complete : bool
        Not painted means background; otherwise it means unknown, and the mask cannot be wrong there.

    Examples
    --------
    >>> compare(np.uint8([0, 255, 1, 1, 1]), np.uint8([1, 1, 0, 1, 2]), complete=False).tolist()
    [0, 1, 2, 0, 3]
    """
    in_labels = (labels != 0) & (labels != BACKGROUND)
    known = (labels != 0) | complete
    result = np.zeros(labels.shape, np.uint8)
    result[~in_labels & known & (mask != 0)] = ONLY_MASK
    result[in_labels & (mask == 0)] = ONLY_LABELS
    result[in_labels & (mask != 0) & (mask != labels)] = OTHER_CLASS
    return result
