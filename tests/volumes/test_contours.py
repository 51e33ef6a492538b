import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage.draw import polygon2mask
from skimage.measure import points_in_poly

from cvrl_napari.volumes.contours import filled, outlines

RING = np.array([[1, 1, 1, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 0, 1], [1, 1, 1, 1, 1]], bool)


def random_mask(seed, shape, blur, level):
    noise = np.random.default_rng(seed).normal(size=shape)
    return ndimage.gaussian_filter(noise, blur) > level * 0.3


masks = st.builds(
    random_mask,
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(st.integers(1, 30), st.integers(1, 30)),
    blur=st.sampled_from([0.0, 0.6, 1.2, 3.0]),
    level=st.floats(-1, 1),
)


def centres_inside(contour, shape):
    """By an independent rule: winding and crossing numbers of scikit-image, one contour at a time."""
    return points_in_poly(list(np.ndindex(shape)), contour).reshape(shape)


@settings(max_examples=80, deadline=None)
@given(masks)
def test_what_is_outlined_is_filled_again(mask):
    contours = outlines(mask)
    assert np.array_equal(filled(contours, mask.shape), mask)
    assert len(contours) == ndimage.label(mask)[1]


@settings(max_examples=25, deadline=None)
@given(masks)
def test_other_programs_fill_the_same_pixels(mask):
    union, parity = np.zeros_like(mask), np.zeros_like(mask)
    for contour in outlines(mask):
        piece = centres_inside(contour, mask.shape)
        union |= piece
        parity ^= piece
    assert np.array_equal(union, mask)
    assert np.array_equal(parity, mask)


@settings(max_examples=25, deadline=None)
@given(masks, st.integers(0, 2**32 - 1))
def test_small_errors_of_the_numbers_change_no_pixel(mask, seed):
    generator = np.random.default_rng(seed)
    moved = [contour + generator.uniform(-1e-3, 1e-3, contour.shape) for contour in outlines(mask)]
    assert np.array_equal(filled(moved, mask.shape), mask)


def test_a_ring_is_one_contour_and_what_lies_in_its_hole_another():
    contours = outlines(RING)
    assert len(contours) == 2
    assert np.array_equal(filled(contours, RING.shape), RING)
    assert filled(contours[:1], RING.shape)[2, 2] != filled(contours[1:], RING.shape)[2, 2]


def test_a_contour_lies_half_way_between_pixels_and_has_no_needless_corners():
    mask = np.zeros((9, 12), bool)
    mask[2:6, 3:10] = True
    (contour,) = outlines(mask)
    assert len(contour) == 8
    assert sorted(map(tuple, contour)) == sorted(
        [(1.5, 3), (1.5, 9), (2, 2.5), (5, 2.5), (2, 9.5), (5, 9.5), (5.5, 3), (5.5, 9)]
    )


def test_nothing_has_no_contours():
    assert outlines(np.zeros((4, 5), bool)) == []
    assert not filled([], (4, 5)).any()


@pytest.mark.parametrize("turned", [False, True])
def test_inner_contours_are_holes_whichever_way_they_run(turned):
    outer = np.array([(0.5, 0.5), (0.5, 8.5), (8.5, 8.5), (8.5, 0.5)])
    inner = np.array([(2.5, 2.5), (2.5, 5.5), (5.5, 5.5), (5.5, 2.5)])
    expected = np.zeros((10, 10), bool)
    expected[1:9, 1:9] = True
    expected[3:6, 3:6] = False
    assert np.array_equal(filled([outer, inner[::-1] if turned else inner], (10, 10)), expected)


def test_contours_drawn_through_the_outermost_pixels_mean_these_too():
    through = np.array([(2.0, 3), (2, 7), (5, 7), (5, 3)])
    expected = np.zeros((8, 10), bool)
    expected[2:6, 3:8] = True
    assert np.array_equal(filled([through], expected.shape), expected)
    assert np.array_equal(filled([through + 2e-4], expected.shape), expected)
    diamond = np.array([(4.0, 1), (1, 4), (4, 7), (7, 4)])
    row, column = np.indices((9, 9))
    assert np.array_equal(filled([diamond], (9, 9)), abs(row - 4) + abs(column - 4) <= 3)


def test_contours_beyond_the_image_are_cut_at_its_border():
    beyond = np.array([(-50.5, -50.5), (-50.5, 3.5), (60.5, 3.5), (60.5, -50.5)])
    expected = np.zeros((6, 7), bool)
    expected[:, :4] = True
    assert np.array_equal(filled([beyond], (6, 7)), expected)
    assert not filled([beyond + 200.0], (6, 7)).any()


def test_smooth_contours_agree_with_scikit_image():
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    wavy = np.stack([30 + (20 + 5 * np.cos(5 * angle)) * np.sin(angle), 32 + 22.3 * np.cos(angle)], axis=1)
    ours, theirs = filled([wavy], (64, 66)), polygon2mask((64, 66), wavy)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("corners", [np.zeros((1, 2)), np.array([(1.2, 1.2), (5.7, 3.3)]), np.full((4, 2), 2.5)])
def test_contours_without_an_inside(corners):
    assert filled([corners], (8, 8)).sum() <= 1
