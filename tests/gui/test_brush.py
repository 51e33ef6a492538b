"""Painting by rules: only some grey values, or what the mask says; undone stroke by stroke."""

import numpy as np
import pytest
from napari.components import ViewerModel
from scipy import ndimage

from cvrl_napari.gui.brush import fill_from, paint_voxels
from cvrl_napari.gui.layers import Layers
from cvrl_napari.study.labels import BACKGROUND

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:Contours are not displayed")]


@pytest.fixture
def layers(qapp, ball_study):
    made = Layers(ViewerModel())
    made.show_case(ball_study, "c")
    made.shown.labels.brush_size = 9
    yield made
    made.close()


def stroke(layer, *points, value: int = 1) -> None:
    """Paint a stroke as napari does while the mouse is dragged."""
    with layer.block_history():
        for point in points:
            layer.paint(point, value, refresh=False)


def test_only_voxels_of_the_grey_range_are_painted(layers):
    layer, scan = layers.shown.labels, layers.scan_array()
    stroke(layer, (6, 10, 8))
    anything = layer.data.copy()
    layer.undo()
    layers.brush.grey_range = (200, 1000)
    stroke(layer, (6, 10, 8))
    np.testing.assert_array_equal(layer.data == 1, (anything == 1) & (scan >= 200) & (scan <= 1000))
    assert 0 < layer.data.sum() < anything.sum()


def test_strokes_in_a_range_are_undone_and_redone_one_by_one(layers):
    layer = layers.shown.labels
    layers.brush.grey_range = (200, 1000)
    stroke(layer, (6, 10, 6), (6, 10, 8), (6, 10, 9))
    first = layer.data.copy()
    stroke(layer, (7, 10, 8), (7, 11, 8), value=2)
    second = layer.data.copy()
    layer.undo()
    np.testing.assert_array_equal(layer.data, first)
    layer.undo()
    assert not layer.data.any()
    layer.redo()
    layer.redo()
    np.testing.assert_array_equal(layer.data, second)


def test_the_eraser_and_a_brush_without_rules_are_napari_s_own(layers):
    layer = layers.shown.labels
    stroke(layer, (6, 10, 8))
    layers.brush.grey_range = (1e6, 2e6)
    before = layer.data.copy()
    stroke(layer, (6, 10, 8), value=2)
    np.testing.assert_array_equal(layer.data, before)
    stroke(layer, (6, 10, 8), value=0)
    assert not layer.data.any()


def test_an_encircled_area_keeps_to_the_range_too(layers):
    layer, scan = layers.shown.labels, layers.scan_array()
    layers.brush.grey_range = (200, 1000)
    layer.paint_polygon([(6, 2, 2), (6, 2, 13), (6, 17, 13), (6, 17, 2)], 1)
    inside = np.zeros(scan.shape, bool)
    inside[6, 2:18, 2:14] = True
    np.testing.assert_array_equal(layer.data == 1, inside & (scan >= 200) & (scan <= 1000))


def test_preserved_labels_are_preserved(layers):
    layer = layers.shown.labels
    layer.data[6, 10, 8] = 2
    layer.preserve_labels = True
    layers.brush.grey_range = (-1e6, 1e6)
    stroke(layer, (6, 10, 8))
    assert layer.data[6, 10, 8] == 2
    assert layer.data[6, 10, 9] == 1


def test_the_brush_brings_the_mask_and_nothing_outside_of_it(layers):
    layer = layers.shown.labels
    mask = np.zeros(layer.data.shape, np.uint8)
    mask[6, 8:12, 6:9], mask[6, 8:12, 9:12] = 1, 2
    layers.set_mask(mask)
    layer.data[6, 10, 8] = layer.data[6, 7, 8] = 2
    layer.data[6, 13, 8] = BACKGROUND
    before = layer.data.copy()
    layers.brush.brings_mask = True
    stroke(layer, (6, 10, 8))
    touched = layer.data != before
    assert layer.data[6, 10, 8] == 1
    assert layer.data[6, 10, 9] == 2
    assert layer.data[6, 7, 8] == 0  # the mask is background there
    assert layer.data[6, 13, 8] == BACKGROUND
    assert touched.sum() > 5
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_other_views_paint_by_the_same_rules(layers):
    layer, scan = layers.shown.labels, layers.scan_array()
    everywhere = np.nonzero(np.ones(scan.shape, bool))
    layers.brush.grey_range = (200, 1000)
    paint_voxels(layer, everywhere, 1)
    np.testing.assert_array_equal(layer.data == 1, (scan >= 200) & (scan <= 1000))
    paint_voxels(layer, everywhere, 0)
    assert not layer.data.any()


def test_the_fill_bucket_stops_where_the_grey_range_ends(layers):
    layer, scan = layers.shown.labels, layers.scan_array()
    inside = (scan >= 200) & (scan <= 1000)
    start = tuple(int(index) for index in np.argwhere(inside[6])[0])
    together = ndimage.label(inside[6])[0]
    layers.brush.grey_range = (200, 1000)
    layer.fill((6, *start), 1)
    np.testing.assert_array_equal(layer.data[6] == 1, together == together[start])
    assert not np.delete(layer.data, 6, 0).any()
    assert 0 < layer.data[6].sum() < inside[6].size / 2
    layer.undo()
    assert not layer.data.any()
    dark = tuple(int(index) for index in np.argwhere(~inside[6])[0])
    layer.fill((6, *dark), 1)
    assert not layer.data.any()
    layers.brush.grey_range = None
    layer.fill((6, *dark), 1)
    assert layer.data[6].all()


def test_a_linked_view_fills_within_the_range_too(layers):
    layer, scan = layers.shown.labels, layers.scan_array()
    layers.brush.grey_range = (200, 1000)
    y, start = 10, np.argwhere((scan[:, 10] >= 200) & (scan[:, 10] <= 1000))[0]
    fill_from(layer, (start[0], y, start[1]), (0, 2), 1)
    assert layer.data[start[0], y, start[1]] == 1
    assert scan[layer.data == 1].min() >= 200
    assert not np.delete(layer.data, y, 1).any()
