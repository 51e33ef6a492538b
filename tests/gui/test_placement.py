"""Where a volume is drawn, and back."""

import numpy as np
import pytest

from cvrl_napari.gui.placement import placed_affine, placement
from cvrl_napari.volumes.volume import Volume


def test_a_volume_is_drawn_towards_superior_posterior_and_left():
    affine = np.array([[0, 0, -0.5, 7], [0, -2, 0, 5], [3, 0, 0, -40], [0, 0, 0, 1.0]])
    place = placement(Volume(np.zeros((2, 3, 4)), affine))
    assert place["scale"] == (3, 2, 0.5)
    assert place["translate"] == (-40, -5, -7)
    np.testing.assert_allclose(placed_affine(place["scale"], place["translate"]), affine)


def test_an_oblique_volume_is_drawn_along_its_own_axes():
    turn = np.deg2rad(10)
    affine = np.diag([1.0, 1.0, 1.0, 1.0])
    affine[:3, :3] = [[0, -np.sin(turn), -np.cos(turn)], [0, -np.cos(turn), np.sin(turn)], [1, 0, 0]]
    place = placement(Volume(np.zeros((2, 3, 4)), affine))
    assert set(place) == {"scale", "translate", "units"}
    assert place["scale"] == pytest.approx((1, 1, 1))
