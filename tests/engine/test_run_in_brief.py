"""What a viewer is told of a run it comes to in the middle: few events, the same picture."""

import itertools

import pytest

from cvrl_napari.engine.events import (
    Adjusted,
    CheckpointSaved,
    LabelsTaken,
    Paused,
    Planned,
    PreviewReady,
    RunDone,
    StepDone,
    Validated,
)
from cvrl_napari.engine.run_in_brief import MEASUREMENTS, POINTS, in_brief


@pytest.fixture
def plan(make_plan):
    return Planned(run="run", plan=make_plan(steps=100))


def step(number: int, loss: float = 1.0) -> StepDone:
    return StepDone(step=number, total=100_000, losses={"supervised": loss, "total": 2 * loss}, seconds_left=float(number))


def told(*events) -> list[bytes]:
    return [event.line().encode() for event in events]


def test_a_short_run_is_told_as_it_was_but_for_masks_and_checkpoints(plan):
    events = [
        plan,
        LabelsTaken(cases=("a",), step=0),
        step(1),
        PreviewReady(case="a", path="x.npy", box=None, step=1),
        Adjusted(why="Less memory.", step=1),
        step(2),
        CheckpointSaved(path="c", model="m", step=2),
        Paused(step=2),
    ]
    assert in_brief(told(*events)) == [events[i] for i in (0, 1, 2, 4, 5, 7)]
    assert in_brief([]) == []
    assert in_brief(told(step(1))) == []


def test_many_steps_become_few_points_of_the_same_curve(plan):
    steps = [step(n, loss=n / 30_000) for n in range(1, 30_001)]
    measured = [Validated(step=n, dice={1: n / 30_000}, cases=1) for n in (10_000, 30_000)]
    events = in_brief(
        told(
            plan,
            *steps[:10_000],
            measured[0],
            *steps[10_000:],
            measured[1],
            RunDone(run="", model="", step=30_000, stopped=True, seconds=1),
        )
    )
    points = [event for event in events if isinstance(event, StepDone)]
    assert POINTS <= len(points) <= POINTS + 2
    assert points[-1].model_copy(update={"losses": {}}) == steps[-1].model_copy(update={"losses": {}})
    for point in points:  # the mean of the hundred steps before it
        assert point.losses["supervised"] == pytest.approx((point.step - 50) / 30_000, abs=20 / 30_000)
        assert point.losses["total"] == pytest.approx(2 * point.losses["supervised"])
    assert [event for event in events if isinstance(event, Validated)] == measured
    assert isinstance(events[-1], RunDone)


def test_many_measurements_become_few_and_the_last_is_among_them(plan):
    measured = [Validated(step=n, dice={1: 0.5}, cases=1) for n in range(1, 1001)]
    kept = [event.step for event in in_brief(told(plan, *measured))[1:]]
    assert MEASUREMENTS / 2 < len(kept) <= MEASUREMENTS
    assert kept[-1] == 1000
    assert max(b - a for a, b in itertools.pairwise(kept)) <= 2 * 1000 / MEASUREMENTS


def test_a_run_that_was_taken_up_again_begins_with_its_plan_and_its_first_step(plan):
    first = [plan, step(1), step(2), Paused(step=2), step(3), RunDone(run="", model="", step=3, stopped=True, seconds=1)]
    again = [plan, LabelsTaken(cases=("a",), step=2), step(3, loss=0.5), Validated(step=3, dice={1: 0.5}, cases=1)]
    assert in_brief(told(*first, *again)) == [plan, step(1), step(2), *again[1:]]


def test_lines_that_are_no_events_are_passed_over(plan):
    lines = told(plan, step(1))
    assert in_brief([b"", *lines, b'{"kind":"step","step":2', b"nonsense"]) == [plan, step(1)]
