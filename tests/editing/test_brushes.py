"""Brush and outline cover exactly what napari's own tools cover."""

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from cvrl_napari.editing.brushes import inside_outline, under_brush

SHAPE, SCALE = (9, 30, 40), (3.0, 1.0, 0.7)


@pytest.fixture
def layer(qapp) -> Labels:
    return ViewerModel().add_labels(np.zeros(SHAPE, np.uint8), scale=SCALE)


@pytest.mark.parametrize("size", [1, 2, 5, 10, 21])
@pytest.mark.parametrize(("dimensions", "axes"), [(2, (1, 2)), (3, (0, 1, 2))])
@pytest.mark.parametrize("center", [(4, 15, 20), (0.4, 1.6, 38.5)])
def test_the_voxels_under_the_brush_are_those_that_napari_paints(layer, size, dimensions, axes, center):
    layer.brush_size, layer.n_edit_dimensions = size, dimensions
    layer.paint(center, 1)
    mine = np.zeros(SHAPE, np.uint8)
    mine[under_brush(center, size, axes, SHAPE, SCALE)] = 1
    np.testing.assert_array_equal(mine, layer.data)


def test_the_voxels_inside_an_outline_are_those_that_napari_paints(layer):
    layer.n_edit_dimensions = 2
    points = [(4, 5, 5), (4, 5, 25), (4, 20, 25), (4, 20, 5)]
    layer.paint_polygon(points, 1)
    mine = np.zeros(SHAPE, np.uint8)
    mine[inside_outline(points, (1, 2), SHAPE)] = 1
    np.testing.assert_array_equal(mine, layer.data)
