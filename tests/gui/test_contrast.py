"""Window and level."""

import numpy as np
import pytest
from napari.components import ViewerModel

from cvrl_napari.gui.contrast import CT_WINDOWS, Contrast, dragged, percentile_limits
from cvrl_napari.gui.layers import Layers


def test_the_windows_are_those_of_the_textbooks():
    assert {window.name: window.limits for window in CT_WINDOWS} == {
        "Brain": (0, 80),
        "Abdomen": (-150, 250),
        "Lung": (-1350, 150),
        "Bone": (-500, 1300),
    }


def test_a_drag_to_the_right_widens_and_up_brightens():
    wide = dragged((0.0, 100.0), 30, 0)
    assert sum(wide) / 2 == pytest.approx(50)
    assert wide[1] - wide[0] > 100
    bright = dragged((0.0, 100.0), 0, -30)
    assert bright[1] - bright[0] == pytest.approx(100)
    assert bright[0] < 0
    back = dragged(dragged((3.0, 90.0), 40, 0), -40, 0)
    assert back == pytest.approx((3, 90))


def test_percentiles_of_a_scan():
    scan = np.arange(1000, dtype=np.float32).reshape(10, 10, 10)
    assert percentile_limits(scan, 0, 100) == (0, 999)
    assert percentile_limits(scan, 1, 99) == pytest.approx((9.99, 989.01))
    assert percentile_limits(np.full((3, 3, 3), 7.0), 1, 99) == (7, 8)


def test_each_case_keeps_its_own(ball_study):
    layers = Layers(ViewerModel())
    contrast = Contrast(layers)
    contrast.use_window(CT_WINDOWS[0])  # nothing on view: nothing happens
    layers.show_case(ball_study, "a")
    contrast.use_window(CT_WINDOWS[3])
    layers.show_case(ball_study, "b")
    assert tuple(layers.shown.image.contrast_limits) != (-500, 1300)
    contrast.use_percentiles(0, 100)
    array = layers.shown.image.data
    assert tuple(layers.shown.image.contrast_limits) == pytest.approx((array.min(), array.max()))
    layers.show_case(ball_study, "a")
    assert tuple(layers.shown.image.contrast_limits) == (-500, 1300)
    low, high = layers.shown.image.contrast_limits_range
    assert (low, high) == (-500, 1300)
    layers.close()
