"""The brush of the views is napari's: the same voxels, one step to undo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from napari.layers import Labels

from cvrl_napari.gui.views.planes import AXIAL, CORONAL, PLANES, SAGITTAL
from cvrl_napari.gui.views.stroke import Stroke, fill, swept

SHAPE, SCALE = (20, 30, 25), (3.0, 1.0, 1.5)


def layer(**look) -> Labels:
    made = Labels(np.zeros(SHAPE, np.uint8), scale=SCALE, **look)
    made.mode = "paint"
    made.selected_label = 2
    return made


@settings(max_examples=40, deadline=None)
@given(
    voxel=st.tuples(st.integers(0, 19), st.integers(0, 29), st.integers(0, 24)),
    size=st.integers(1, 24),
    axes=st.sampled_from((2, 3)),
)
def test_a_dab_paints_the_voxels_that_napari_would(voxel, size, axes):
    theirs, ours = layer(), layer()
    for one in (theirs, ours):
        one.brush_size, one.n_edit_dimensions = size, axes
    theirs.paint(voxel, 2)
    stroke = Stroke(ours, AXIAL)
    stroke.to(voxel)
    stroke.end()
    np.testing.assert_array_equal(ours.data, theirs.data)


@pytest.mark.parametrize("plane", PLANES)
def test_a_stroke_stays_in_its_plane_and_has_no_gaps(plane):
    labels = layer()
    labels.brush_size = 3
    stroke = Stroke(labels, plane)
    start, end = np.array((10, 10, 10)), np.array((10, 10, 10))
    start[plane.vertical], end[plane.vertical] = 4, 16
    start[plane.horizontal], end[plane.horizontal] = 5, 18
    stroke.to(start)
    stroke.to(end)
    stroke.end()
    painted = np.argwhere(labels.data)
    assert set(painted[:, plane.normal]) == {10}
    assert set(painted[:, plane.vertical]) >= set(range(4, 17))
    assert set(painted[:, plane.horizontal]) >= set(range(5, 19))


def test_a_stroke_is_one_step_and_undo_and_redo_return_the_very_array():
    labels = layer()
    labels.data[3:6] = 1
    before = labels.data.copy()
    stroke = Stroke(labels, CORONAL)
    for voxel in ((2, 12, 3), (9, 12, 9), (15, 12, 20)):
        stroke.to(voxel)
    stroke.end()
    after = labels.data.copy()
    assert (after != before).any()
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)
    labels.redo()
    np.testing.assert_array_equal(labels.data, after)


def test_the_eraser_and_preserved_labels():
    labels = layer()
    labels.data[:, 12] = 1
    labels.preserve_labels = True
    stroke = Stroke(labels, CORONAL)
    stroke.to((10, 12, 10))
    stroke.end()
    assert not (labels.data == 2).any()
    labels.preserve_labels, labels.mode = False, "erase"
    stroke = Stroke(labels, CORONAL)
    stroke.to((10, 12, 10))
    stroke.end()
    assert labels.data[10, 12, 10] == 0
    assert labels.data[10, 12, 20] == 1


def test_nothing_is_painted_from_outside_the_scan():
    labels = layer()
    stroke = Stroke(labels, SAGITTAL)
    stroke.to((5, 5, 40))
    stroke.to((-30, -30, 40))
    stroke.end()
    assert not labels.data.any()


def test_a_swept_brush_is_as_wide_as_it_says():
    box, inside = swept((10, 10), (10, 20), size=5, scale=(1.0, 1.0), shape=(40, 40))
    assert box == (slice(8, 13), slice(8, 23))
    assert inside[2].all()
    assert inside[:, 5].all()
    assert not inside[0, 0]


def test_filling_stops_at_other_labels_and_stays_in_the_slice():
    labels = layer()
    labels.data[:, 12, 8] = 1
    labels.data[8, 12, :] = 1
    fill(labels, CORONAL, (3, 12, 3))
    assert (labels.data == 2).sum() == 8 * 8
    assert (labels.data[:8, 12, :8] == 2).all()
    labels.undo()
    assert not (labels.data == 2).any()
    fill(labels, CORONAL, (3, 12, 99))
    assert not (labels.data == 2).any()
