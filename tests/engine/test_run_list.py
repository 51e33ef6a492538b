"""The list of runs says what is in their folders, and the chosen one makes the masks."""

import os
import time
from pathlib import Path

import pytest

from cvrl_napari.engine.events import LabelsTaken, RunDone, RunFailed, StepDone, Validated
from cvrl_napari.engine.process_record import ProcessRecord
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_list import ALIVE_S, choose, chosen_run, list_runs, model_for_masks, rename
from cvrl_napari.engine.run_process import announce
from cvrl_napari.engine.unfinished import unfinished_run

LONG_AGO = time.time() - 10 * ALIVE_S


@pytest.fixture
def make_run(tmp_path, make_plan):
    """Return a function that leaves a run behind as a training would."""

    def make(*events, saved: bool = True) -> Path:
        run = RunFolder.create(tmp_path / "runs", make_plan(steps=100))
        for event in events:
            run.record(event)
        if saved:
            run.model.write_bytes(b"model")
            run.checkpoint.write_bytes(b"state")
        for path in (run.config, run.events):
            if path.is_file():
                os.utime(path, (LONG_AGO, LONG_AGO))
        return run.path

    return make


def step(number: int) -> StepDone:
    return StepDone(step=number, total=100, losses={"supervised": 1.0, "total": 1.0})


def done(number: int, *, stopped: bool) -> RunDone:
    return RunDone(run="", model="", step=number, stopped=stopped, seconds=1)


def test_a_run_is_what_it_told_last(tmp_path, make_run):
    measured = [
        Validated(step=5, dice={1: 0.2}, cases=3, per_case={"x": {1: 0.1}, "y": {1: 0.2}, "z": {1: 0.3}}),
        Validated(step=9, dice={1: 0.8}, cases=3, per_case={"x": {1: 0.7}, "y": {1: 0.8}, "z": {1: 0.9}}),
    ]
    make_run(step(1), measured[0], LabelsTaken(cases=("a", "c"), step=5), step(9), measured[1], step(10))
    (run,) = list_runs(tmp_path / "runs")
    assert (run.step, run.total, run.state, run.labels, run.method) == (10, 100, "cut short", 2, "cvrl")
    assert run.mean_dice == pytest.approx(0.8)
    assert run.dice[1].low < 0.8 < run.dice[1].high
    assert run.can_go_on(1)
    assert not run.can_go_on(2)  # a structure was added since
    assert run.size > 10


@pytest.mark.parametrize(
    ("events", "state", "can_go_on"),
    [
        ([step(100), done(100, stopped=False)], "finished", False),
        ([step(40), done(40, stopped=True)], "stopped", True),
        ([step(40), done(40, stopped=True), step(41)], "cut short", True),  # it had gone on
        ([step(40), RunFailed(message="No.", hint="")], "failed", True),
    ],
)
def test_how_a_run_ended(tmp_path, make_run, events, state, can_go_on):
    make_run(*events)
    (run,) = list_runs(tmp_path / "runs")
    assert (run.state, run.can_go_on(1)) == (state, can_go_on)


def test_a_run_that_has_just_told_something_may_be_going_on_elsewhere(tmp_path, make_run):
    path = make_run(step(1))
    RunFolder(path).record(step(2))
    (run,) = list_runs(tmp_path / "runs")
    assert run.state == "running"
    assert not run.can_go_on(1)


def test_names_are_kept_trimmed_and_taken_back(tmp_path, make_run):
    path = make_run()
    rename(path, "  with the\n atrium " + 100 * "x")
    (run,) = list_runs(tmp_path / "runs")
    assert run.name.startswith("with the atrium xxx")
    assert len(run.name) == 60
    rename(path, " ")
    assert list_runs(tmp_path / "runs")[0].name == path.name


def test_the_newest_model_makes_the_masks_until_another_is_chosen(tmp_path, make_run):
    runs = tmp_path / "runs"
    assert model_for_masks(runs) is None
    old, new = make_run(), make_run()
    os.utime(RunFolder(old).model, (1, 1))
    assert model_for_masks(runs) == RunFolder(new).model
    choose(runs, old)
    assert (chosen_run(runs), model_for_masks(runs)) == (old, RunFolder(old).model)
    RunFolder(old).model.unlink()
    assert model_for_masks(runs) == RunFolder(new).model
    choose(runs, None)
    assert chosen_run(runs) is None
    (runs / "chosen.txt").write_bytes(b"\xff../../etc")
    assert chosen_run(runs) is None


def test_what_is_no_run_is_passed_over(tmp_path, make_run):
    (tmp_path / "runs" / "odd").mkdir(parents=True)
    (tmp_path / "runs" / "odd" / "config.json").write_text("{}")
    make_run(saved=False)
    (run,) = list_runs(tmp_path / "runs")
    assert (run.step, run.has_model, run.has_checkpoint, run.dice) == (0, False, False, {})


def test_a_run_is_under_way_as_long_as_its_process_lives_however_long_it_is_silent(tmp_path, make_run):
    path = make_run(step(5))
    announce(path)
    assert [run.state for run in list_runs(tmp_path / "runs")] == ["running"]
    assert unfinished_run(tmp_path / "runs", classes=1) is None
    dead = ProcessRecord.own().model_copy(update={"started": 0.0})
    RunFolder(path).process.write_text(dead.model_dump_json())
    os.utime(RunFolder(path).events)  # it told something a moment ago
    assert [run.state for run in list_runs(tmp_path / "runs")] == ["cut short"]
    assert unfinished_run(tmp_path / "runs", classes=1).path == path
