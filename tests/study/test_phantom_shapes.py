import numpy as np
import pytest

from cvrl_napari.study.phantom_shapes import FAR, blend, coverage, ellipsoid, smooth_field, tube


def points(*rows):
    return np.array(rows, dtype=float).T.reshape(3, -1, 1, 1)


def test_a_sphere_has_its_exact_distance():
    where = points((5, 0, 0), (0, 3, 0), (0, 0, -7))
    assert ellipsoid(where, (0, 0, 0), (4, 4, 4)).ravel() == pytest.approx([1, -1, 3])


def test_an_ellipsoid_ends_at_its_radii():
    where = points((2, 0, 0), (0, 3, 0), (0, 0, 4))
    assert ellipsoid(where, (0, 0, 0), (2, 3, 4)).ravel() == pytest.approx([0, 0, 0])


def test_a_tube_tapers_and_has_round_ends():
    where = points((0, 2, 0), (5, 2, 0), (10, 2, 0), (-4, 0, 0), (500, 0, 0))
    assert tube(where, [(0, 0, 0), (10, 0, 0)], [3, 1]).ravel() == pytest.approx([-1, 0, 1, 1, FAR])


def test_blending_keeps_the_union_and_only_adds():
    one, other = np.array([-3.0, 1.0, 0.5]), np.array([5.0, -4.0, 0.5])
    assert blend(one, other, 2.0) == pytest.approx([-3, -4, 0])


def test_partial_volume_is_half_at_the_surface():
    assert coverage(np.array([-9.0, 0.0, 9.0]), 2.0).tolist() == [1, 0.5, 0]


def test_a_field_is_smooth_and_of_unit_spread():
    field = smooth_field((40, 50, 60), (2.0, 1.0, 1.0), 4.0, np.random.Generator(np.random.PCG64(0)))
    assert field.shape == (40, 50, 60)
    assert field.std() == pytest.approx(1, abs=0.2)
    assert abs(field.mean()) < 0.2
    assert np.abs(np.diff(field, axis=2)).mean() < 0.4 * field.std()


def test_a_field_does_not_depend_on_the_resolution():
    coarse, fine = (
        smooth_field((n, n, n), (s, s, s), 6.0, np.random.Generator(np.random.PCG64(0))) for n, s in ((10, 2.0), (19, 1.0))
    )
    assert fine[::2, ::2, ::2] == pytest.approx(coarse)
