"""Where a run stands: by steps, by the clock, and what the learning rate makes of it."""

import time

import pytest

from cvrl_napari.config import OptimizerConfig
from cvrl_napari.engine.schedule import Clock, learning_rate


def test_one_cycle_rises_to_its_rate_and_falls_to_zero():
    config = OptimizerConfig(learning_rate=0.5)
    assert learning_rate(config, 0.0) == pytest.approx(0.005)
    assert learning_rate(config, 0.05) == pytest.approx(0.25)
    assert learning_rate(config, 0.1) == pytest.approx(0.5)
    assert learning_rate(config, 0.55) == pytest.approx(0.25)
    assert learning_rate(config, 1.0) == pytest.approx(0.0)


@pytest.mark.parametrize(("step", "expected"), [(0, 0.01), (2_499, 0.01), (2_501, 0.001), (5_001, 0.0001)])
def test_steps_divide_the_rate_by_ten_as_the_paper_protocol_does(step, expected):
    config = OptimizerConfig(name="sgd", learning_rate=0.01, schedule="steps")
    assert learning_rate(config, step / 6_000) == pytest.approx(expected)


def test_a_run_of_steps_is_over_after_its_steps(make_plan):
    clock = Clock(make_plan(steps=4))
    assert clock.seconds_left is None
    clock.step = 3
    assert (clock.progress, clock.total, clock.is_over) == (0.75, 4, False)
    clock.step = 4
    assert clock.is_over


def test_a_run_by_the_clock_follows_the_clock(make_plan):
    clock = Clock(make_plan(minutes=1.0, steps=1_000))
    clock.load_state_dict({"step": 30, "seconds": 15.0})
    assert clock.progress == 0.25
    assert clock.total == 120
    assert clock.seconds_left == pytest.approx(45)
    clock.load_state_dict({"step": 30, "seconds": 60.0})
    assert clock.is_over


def test_only_the_time_inside_counts(make_plan):
    clock = Clock(make_plan())
    before = time.monotonic()
    with clock:
        sum(range(100_000))
    inside = time.monotonic() - before
    assert 0 < clock.seconds <= inside
    counted = clock.seconds
    sum(range(100_000))
    assert clock.seconds == counted
