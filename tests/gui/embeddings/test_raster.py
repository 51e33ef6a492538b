"""Points land on the pixels they belong to, later ones above earlier ones."""

import numpy as np

from cvrl_napari.gui.embeddings.raster import argb, dim, draw_points

RED, BLUE = argb("#ff0000"), argb("#0000ff")


def test_up_is_up_and_right_is_right():
    picture = draw_points(
        np.array([(0.5, 0.5), (9.5, 4.5)], np.float32), np.array([RED, BLUE], np.uint32), (0, 0, 10, 5), (10, 5), diameter=1
    )
    assert picture.shape == (5, 10)
    assert picture[4, 0] == RED, "the lowest point is in the last row"
    assert picture[0, 9] == BLUE
    assert np.count_nonzero(picture) == 2


def test_a_point_is_a_square_cut_off_at_the_border():
    picture = draw_points(np.array([(0.0, 2.5)], np.float32), np.array([RED], np.uint32), (0, 0, 10, 5), (10, 5), diameter=3)
    assert np.argwhere(picture).tolist() == [[1, 0], [1, 1], [2, 0], [2, 1], [3, 0], [3, 1]]


def test_what_is_outside_the_view_is_not_drawn_and_later_points_cover_earlier_ones():
    points = np.array([(5, 2), (5, 2), (11, 2), (-1, 2), (5, 6)], np.float32)
    colors = np.array([RED, BLUE, RED, RED, RED], np.uint32)
    picture = draw_points(points, colors, (0, 0, 10, 5), (10, 5), diameter=1)
    assert np.count_nonzero(picture) == 1
    assert picture[2, 5] == BLUE or picture[3, 5] == BLUE


def test_dimming_goes_all_the_way_to_the_other_color():
    colors = np.array([RED, BLUE], np.uint32)
    np.testing.assert_array_equal(dim(colors, BLUE, 0.0), colors)
    np.testing.assert_array_equal(dim(colors, BLUE, 1.0), [BLUE, BLUE])
    assert dim(colors[:1], BLUE, 0.5)[0] == 0xFF800080
