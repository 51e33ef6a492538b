"""Previews rewrite only what changed, and come quickly at first."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cvrl_napari.engine.preview import changed_box, write_changes

masks = arrays.arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 2))


@given(masks, masks)
@settings(max_examples=50)
def test_the_box_is_the_smallest_that_holds_every_change(before, after):
    box = changed_box(before, after)
    where = np.argwhere(before != after)
    if not len(where):
        assert box is None
    else:
        assert box == tuple((int(a), int(b) + 1) for a, b in zip(where.min(0), where.max(0), strict=True))


def test_a_mask_that_is_mapped_already_sees_the_change(tmp_path):
    first = np.zeros((4, 5, 6), np.uint8)
    first[1, 2, 3] = 1
    assert write_changes(tmp_path / "case.npy", first) == ((1, 2), (2, 3), (3, 4))
    mapped = np.load(tmp_path / "case.npy", mmap_mode="r")
    second = first.copy()
    second[3, 4, 5] = 2
    assert write_changes(tmp_path / "case.npy", second) == ((3, 4), (4, 5), (5, 6))
    assert np.array_equal(mapped, second)
    assert write_changes(tmp_path / "case.npy", second) is None
