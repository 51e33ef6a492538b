import math

import pytest

from cvrl_napari.losses.ramp_up import ramp_up


@pytest.mark.parametrize(("progress", "expected"), [(0, math.exp(-5)), (0.5, math.exp(-1.25)), (1, 1)])
def test_the_papers_curve(progress, expected):
    assert ramp_up(progress) == pytest.approx(expected)


def test_warm_up_is_silent_and_a_short_ramp_stays_up():
    assert ramp_up(0.19, warm_up=0.2, length=0.4) == 0
    assert ramp_up(0.2, warm_up=0.2, length=0.4) == pytest.approx(math.exp(-5))
    assert ramp_up(0.4, warm_up=0.2, length=0.4) == pytest.approx(math.exp(-1.25))
    assert ramp_up(0.7, warm_up=0.2, length=0.4) == 1


def test_a_ramp_that_would_outlast_the_run_ends_with_it():
    assert ramp_up(1, warm_up=0.5, length=1) == 1
    assert ramp_up(0.75, warm_up=0.5, length=1) == pytest.approx(math.exp(-1.25))
