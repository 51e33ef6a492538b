"""Slices in colours: the right voxels, the right way up, in the layers' own colours."""

import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap

from cvrl_napari.gui.views.followed_layers import can_draw
from cvrl_napari.gui.views.layer_space import extent_mm
from cvrl_napari.gui.views.planes import AXIAL, CORONAL, SAGITTAL
from cvrl_napari.gui.views.slice_pictures import contours, picture_of, plane_slice

SCAN = np.arange(2 * 3 * 4).reshape(2, 3, 4)


def test_planes_are_cut_and_turned_as_they_lie_on_the_screen():
    np.testing.assert_array_equal(plane_slice(SCAN, AXIAL, 1), SCAN[1])
    np.testing.assert_array_equal(plane_slice(SCAN, CORONAL, 2), SCAN[::-1, 2])
    np.testing.assert_array_equal(plane_slice(SCAN, SAGITTAL, 3), SCAN[::-1, :, 3])


def test_what_is_in_colours_is_drawn_in_them():
    colors = np.random.default_rng(0).integers(0, 256, (2, 3, 4, 3)).astype(np.uint8)
    layer = Image(colors, rgb=True)
    assert can_draw(layer)
    np.testing.assert_array_equal(extent_mm(layer), [[-0.5] * 3, [1.5, 2.5, 3.5]])
    picture = picture_of(layer, CORONAL, 2)
    np.testing.assert_array_equal(picture[..., 2::-1], colors[::-1, 2])
    assert (picture[..., 3] == 255).all()
    np.testing.assert_array_equal(picture_of(layer, SAGITTAL, 1)[..., 2::-1], colors[::-1, :, 1])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_grey_values_run_from_black_to_white_between_the_limits(dtype):
    scan = np.array([[[0, 50, 100, 200]]], dtype)
    picture = picture_of(Image(scan, contrast_limits=(50, 150)), AXIAL, 0)
    np.testing.assert_allclose(picture[0, :, :3], [[value] * 3 for value in (0, 0, 127, 255)], atol=1)
    assert (picture[..., 3] == 255).all()


def test_gamma_and_what_is_no_number():
    scan = np.array([[[0.5, np.nan]]], np.float32)
    picture = picture_of(Image(scan, contrast_limits=(0, 1), gamma=2.0), AXIAL, 0)
    assert abs(int(picture[0, 0, 0]) - 64) <= 1
    assert picture[0, 1, 0] == 0


def test_labels_have_the_colour_of_their_class_and_nothing_else_is_painted():
    colors = DirectLabelColormap(color_dict={None: "transparent", 0: "transparent", 1: "#ff8000"})
    layer = Labels(np.array([[[0, 1, 2]]], np.uint8), colormap=colors)
    # Blue, green, red, opacity.
    assert picture_of(layer, AXIAL, 0)[0].tolist() == [[0, 0, 0, 0], [0, 128, 255, 255], [0, 0, 0, 0]]


def test_labels_of_another_program_with_large_numbers_are_drawn_too():
    layer = Labels(np.array([[[0, 70_000]]], np.int32))
    picture = picture_of(layer, AXIAL, 0)
    assert picture[0, 0, 3] == 0
    assert picture[0, 1, 3] == 255


def test_a_contour_is_the_rim_of_a_structure():
    cut = np.zeros((9, 9), np.uint8)
    cut[2:7, 2:7] = 3
    rim = contours(cut, 1)
    assert (rim[3:6, 3:6] == 0).all()
    assert np.count_nonzero(rim) == 16
    assert np.count_nonzero(contours(cut, 2)) == 24
    assert (contours(cut, 5) == cut).all()
