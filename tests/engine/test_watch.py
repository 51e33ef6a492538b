"""What is said of a run that no longer gets better, and of how little a few cases tell."""

import pytest
from scipy import stats

from cvrl_napari.engine.events import Diagnosed, LevelDiagnosis, Planned, StepDone, Validated
from cvrl_napari.engine.few_cases import dice_interval, intervals
from cvrl_napari.engine.health import collect_health
from cvrl_napari.engine.watch import COLLAPSE, Watch

NAMES = {1: "chamber", 2: "wall"}


@pytest.fixture
def watch(make_plan) -> Watch:
    made = Watch()
    made.take(Planned(run="r", plan=make_plan()), 0)
    return made


def train(watch: Watch, seconds: range, dice: float | None = None) -> None:
    """A step every ten seconds, a measurement every minute."""
    for now in seconds:
        if now % 10 == 0:
            watch.take(StepDone(step=now, total=10_000, losses={}), now + 1)
        if dice is not None and now % 60 == 0:
            watch.take(Validated(step=now, dice={1: dice}, cases=2), now + 1)


def test_ten_minutes_without_a_better_dice_are_a_plateau_and_a_better_one_ends_it(watch):
    train(watch, range(0, 600), 0.8)
    assert watch.warnings(NAMES) == []
    train(watch, range(600, 700), 0.803)  # noise
    assert watch.warnings(NAMES)[0].startswith("No better for 1")
    train(watch, range(700, 800), 0.82)
    assert watch.warnings(NAMES) == []


def test_a_pause_is_no_plateau(watch):
    train(watch, range(0, 200), 0.8)
    train(watch, range(5_000, 5_200), 0.8)
    assert watch.warnings(NAMES) == []


def test_without_a_measurement_nothing_is_said(watch):
    train(watch, range(0, 2_000))
    assert watch.warnings(NAMES) == []


def test_a_structure_that_is_never_found_is_named(watch):
    watch.take(Validated(step=1, dice={1: 0.5, 2: 0.0}, cases=2), 1)
    assert watch.warnings(NAMES) == ["Not found in any held-out case yet: wall."]


def diagnosed(rank: float) -> Diagnosed:
    level = LevelDiagnosis(effective_rank=rank, spread=0, cross_correlation=0, alignment=0, uniformity=0)
    return Diagnosed(step=1, levels={"high": level}, confident=0.5)


def test_embeddings_that_fall_together_are_a_collapse_once_two_diagnoses_say_so(watch):
    watch.take(diagnosed(5.0), 1)  # of 128, before anything was learned
    assert watch.warnings(NAMES) == []
    watch.take(diagnosed(60.0), 2)
    watch.take(diagnosed(12.0), 3)
    assert watch.warnings(NAMES) == []
    watch.take(diagnosed(12.0), 4)
    assert watch.warnings(NAMES) == [COLLAPSE]
    watch.take(diagnosed(20.0), 5)
    assert watch.warnings(NAMES) == []


def test_the_warning_and_the_health_of_the_embeddings_are_one_judgement(watch, make_plan):
    events = [diagnosed(rank) for rank in (60.0, 14.0, 14.0)]
    for event in events:
        watch.take(event, 1)
    assert watch.warnings(NAMES) == [COLLAPSE]
    assert collect_health(make_plan(), events).levels["high"].state == "collapsing"


def test_the_interval_is_students_and_cut_to_what_dice_can_be():
    values = [0.7, 0.8, 0.9, 0.8]
    found = dice_interval(values)
    low, high = stats.t.interval(0.95, 3, loc=0.8, scale=stats.sem(values))
    assert found == (pytest.approx(0.8), pytest.approx(low), pytest.approx(high), 4)
    wide = dice_interval([0.1, 0.9, 0.95])
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_two_cases_are_too_few_for_an_interval():
    assert dice_interval([0.7, 0.9]) == (pytest.approx(0.8), None, None, 2)


def test_a_case_counts_for_the_structures_that_it_shows():
    found = intervals({"a": {1: 0.5, 2: 0.6}, "b": {1: 0.7}})
    assert {i: (one.mean, one.cases) for i, one in found.items()} == {1: (pytest.approx(0.6), 2), 2: (0.6, 1)}
