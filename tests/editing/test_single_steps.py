"""Holes, pieces, margins, smoothing, copied slices, statistics, accepting and edits: hand-made arrays."""

import numpy as np
import pytest

from cvrl_napari.editing.accepting import accepted
from cvrl_napari.editing.edit import Edit, box_of
from cvrl_napari.editing.holes import fill_holes
from cvrl_napari.editing.margins import enlarge, shrink, smooth
from cvrl_napari.editing.neighbors import copy_slice
from cvrl_napari.editing.pieces import keep_largest
from cvrl_napari.editing.statistics import label_statistics
from cvrl_napari.study.labels import BACKGROUND

SPACING = (3.0, 1.0, 0.5)


@pytest.fixture
def block() -> np.ndarray:
    """A block of class 1 in the middle of nothing."""
    labels = np.zeros((9, 15, 21), np.uint8)
    labels[2:7, 4:11, 6:15] = 1
    return labels


def test_a_hole_is_filled_in_its_slice_or_only_when_closed_all_around(block):
    block[3, 6, 8] = 0  # closed in 3D
    block[:, 8, 11] = 0  # a channel: closed in each slice along z alone
    solid = fill_holes(block, 1)
    assert solid[3, 6, 8] == 1
    assert solid[4, 8, 11] == 0
    assert (fill_holes(block, 1, axis=0)[2:7, 4:11, 6:15] == 1).all()


def test_what_others_painted_inside_a_hole_stays(block):
    block[4, 6, 8], block[4, 6, 9], block[4, 6, 10] = 2, BACKGROUND, 0
    filled = fill_holes(block, 1)
    assert filled[4, 6, 8:11].tolist() == [2, BACKGROUND, 1]


def test_only_the_largest_piece_is_kept(block):
    block[0, 0, :5] = 1
    block[7, 11, 15] = 1  # hangs on at a corner
    block[0, 5, 0] = 2
    kept = keep_largest(block, 1)
    assert not (kept[0] == 1).any()
    assert kept[7, 11, 15] == 1
    assert kept[0, 5, 0] == 2
    assert (kept == 1).sum() == 5 * 7 * 9 + 1


def test_a_margin_is_the_same_in_millimeters_whatever_the_voxels(block):
    grown = enlarge(block, SPACING, 1, 1.0)
    assert box_of(grown == 1) == (slice(2, 7), slice(3, 12), slice(4, 17))
    assert box_of(enlarge(block, SPACING, 1, 3.0) == 1) == (slice(1, 8), slice(1, 14), slice(0, 21))
    less = shrink(block, SPACING, 1, 1.0)
    assert box_of(less == 1) == (slice(2, 7), slice(5, 10), slice(8, 13))  # a slice is thicker than 1 mm
    assert box_of(shrink(block, SPACING, 1, 3.0) == 1) is None


def test_a_margin_does_not_reach_over_others(block):
    block[4, 2:4, 6:15], block[4, 11, 6:15] = 2, BACKGROUND
    grown = enlarge(block, SPACING, 1, 3.0)
    assert (grown[4, 2:4, 6:15] == 2).all()
    assert (grown[4, 11, 6:15] == BACKGROUND).all()


def test_the_edge_of_the_scan_is_no_outside():
    labels = np.zeros((4, 6, 8), np.uint8)
    labels[:, :, :5] = 1
    assert (shrink(labels, (1, 1, 1), 1, 1.0)[:, :, :4] == 1).all()
    assert (shrink(np.ones((3, 3, 3), np.uint8), (1, 1, 1), 1, 1.0) == 1).all()


def test_smoothing_takes_a_spike_off_and_keeps_the_volume():
    labels = np.zeros((20, 30, 30), np.uint8)
    labels[5:15, 8:22, 8:22] = 1
    labels[10, 15, 22:28] = 1
    labels[10, 8:22, 7] = 2
    smoothed = smooth(labels, (1.0, 1.0, 1.0), 1, 1.5)
    assert not (smoothed[10, 15, 25:] == 1).any()
    assert (smoothed[10, 8:22, 7] == 2).all()
    assert abs(int((smoothed == 1).sum()) - int((labels == 1).sum())) < 0.01 * (labels == 1).sum()


def test_a_slice_is_copied_along_any_axis_between_what_others_painted(block):
    block[8, 5, 7], block[8, 0, 0] = 2, 1
    copied = copy_slice(block, axis=0, source=5, target=8, classes=[1])
    assert copied[8, 5, 7] == 2
    assert copied[8, 0, 0] == 0  # what was there of the class goes
    assert (copied[8] == 1).sum() == 7 * 9 - 1
    np.testing.assert_array_equal(copy_slice(block, axis=2, source=7, target=3, classes=[1])[:8, :, 3], block[:8, :, 7])


def test_statistics_of_known_voxels():
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[1, 2, 3:6] = labels[2, 2, 3] = 7
    scan = np.zeros(labels.shape, np.int16)
    scan[1, 2, 3:6], scan[2, 2, 3] = (1, 2, 3), 6
    found = label_statistics(labels, scan, SPACING, 7)
    assert found is not None
    assert (found.voxels, found.ml) == (4, pytest.approx(4 * 1.5 / 1000))
    assert (found.mean, found.sd) == (3.0, pytest.approx(np.sqrt(3.5)))
    assert (found.minimum, found.maximum) == (1, 6)
    assert found.extent_mm == (6.0, 1.0, 1.5)
    assert found.slices == (2, 1, 3)
    assert label_statistics(labels, scan, SPACING, 1) is None


def test_an_edit_turns_one_array_into_the_other_and_leaves_what_was_painted_since(block):
    after = block.copy()
    after[0, 0, :4] = 3
    after[4, 6, 8] = 0
    edit = Edit.between(block[:5], after[:5], (slice(0, 5), slice(None), slice(None)))
    assert len(edit) == 5
    now = block.copy()
    now[0, 0, 0] = 2
    due = edit.still_due(now)
    now[due.indices] = due.after
    assert now[0, 0, :5].tolist() == [2, 3, 3, 3, 0]
    assert now[4, 6, 8] == 0


def test_a_mask_is_accepted_whole_by_class_or_where_nothing_is_painted():
    labels = np.uint8([0, 0, 1, 1, 2, 2, BACKGROUND, BACKGROUND])
    mask = np.uint8([0, 2, 0, 2, 1, 2, 0, 1])
    assert accepted(labels, mask).tolist() == [0, 2, 0, 2, 1, 2, BACKGROUND, 1]
    assert accepted(labels, mask, 2).tolist() == [0, 2, 1, 2, 0, 2, BACKGROUND, BACKGROUND]
    assert accepted(labels, mask, only_unpainted=True).tolist() == [0, 2, 1, 1, 2, 2, BACKGROUND, BACKGROUND]


def test_no_tool_writes_into_the_labels_it_is_given(block):
    before = block.copy()
    for tool in (
        lambda: fill_holes(block, 1),
        lambda: keep_largest(block, 1),
        lambda: enlarge(block, SPACING, 1, 2.0),
        lambda: shrink(block, SPACING, 1, 2.0),
        lambda: smooth(block, SPACING, 1, 2.0),
        lambda: copy_slice(block, axis=0, source=3, target=0, classes=[1]),
    ):
        assert tool() is not block
        np.testing.assert_array_equal(block, before)
