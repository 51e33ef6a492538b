"""The lasso holds exactly the points that a test point by point would hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import points_in_poly

from cvrl_napari.gui.embeddings.lasso import inside

corners = arrays(np.float64, st.tuples(st.integers(3, 12), st.just(2)), elements=st.floats(-2, 2, width=16))


@settings(max_examples=60, deadline=None)
@given(polygon=corners, seed=st.integers(0, 2**16), scale=st.sampled_from([1e-3, 1.0, 1e4]))
def test_any_polygon_holds_what_a_test_of_every_point_says(polygon: np.ndarray, seed: int, scale: float):
    rng = np.random.default_rng(seed)
    near_corners = polygon[rng.integers(0, len(polygon), 200)] + rng.normal(0, 1e-3, (200, 2))
    points = np.concatenate([rng.uniform(-2.5, 2.5, (2_000, 2)), near_corners]) * scale
    flat = np.ptp(polygon, axis=0).min() == 0
    expected = np.zeros(len(points), bool) if flat else points_in_poly(points, polygon * scale)
    np.testing.assert_array_equal(inside(points, polygon * scale), expected)


def test_a_ring_drawn_twice_round_is_empty_where_it_overlaps_itself():
    square = np.array([(0, 0), (4, 0), (4, 4), (0, 4)], float)
    hole = np.array([(1, 1), (3, 1), (3, 3), (1, 3)], float)
    both = np.concatenate([square, square[:1], hole, hole[:1]])
    np.testing.assert_array_equal(inside(np.array([(0.5, 2.5), (2.0, 2.5), (5.0, 5.0)]), both), [True, False, False])


@pytest.mark.parametrize("polygon", [np.zeros((0, 2)), np.zeros((2, 2)), np.ones((5, 2))])
def test_what_has_no_area_holds_nothing(polygon: np.ndarray):
    assert not inside(np.ones((3, 2)), polygon).any()


def test_without_points_there_is_nothing_to_hold():
    assert inside(np.zeros((0, 2)), np.array([(0, 0), (1, 0), (0, 1)])).shape == (0,)
