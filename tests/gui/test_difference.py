"""Every pair of label and mask value has one answer."""

import numpy as np
import pytest

from cvrl_napari.gui.difference import ONLY_LABELS, ONLY_MASK, OTHER_CLASS, compare


@pytest.mark.parametrize(
    ("label", "mask", "partial", "complete"),
    [
        (0, 0, 0, 0),
        (0, 1, 0, ONLY_MASK),  # not painted: unknown in a partial case, background in a complete one
        (255, 0, 0, 0),
        (255, 1, ONLY_MASK, ONLY_MASK),
        (1, 0, ONLY_LABELS, ONLY_LABELS),
        (1, 1, 0, 0),
        (1, 2, OTHER_CLASS, OTHER_CLASS),
    ],
)
def test_difference(label: int, mask: int, partial: int, complete: int):
    pair = np.uint8([label]), np.uint8([mask])
    assert compare(*pair, complete=False).tolist() == [partial]
    assert compare(*pair, complete=True).tolist() == [complete]
