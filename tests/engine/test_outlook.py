"""What is said of a run before it is started: the plan itself, its time, its memory, and what cannot work."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine import footprint, pace, scan_geometry
from cvrl_napari.engine.device import DeviceInfo, pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import CheckpointSaved, StepDone
from cvrl_napari.engine.footprint import disk_bytes, estimated_memory, least_memory, state_bytes
from cvrl_napari.engine.outlook import foresee
from cvrl_napari.engine.outlook_words import outlook_line, outlook_reasons
from cvrl_napari.engine.pace import earlier_step, seconds_of
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.train import train

REQUEST = TrainRequest(device="cpu", preset="quick", threads=1)
Disk = namedtuple("Disk", "total used free")


def write_run(study, plan, *events) -> None:
    run = RunFolder.create(study.runs_folder, plan)
    for event in events:
        run.record(event)


def test_what_is_foreseen_is_what_a_run_then_does(ball_study):
    request = REQUEST.model_copy(update={"steps": 2})
    (foreseen,) = foresee(ball_study, request)
    assert not ball_study.runs_folder.exists()
    assert foreseen.seconds > 0
    assert not foreseen.is_timed
    assert not foreseen.is_weighed
    assert outlook_line(foreseen).startswith("first guess: ")
    planned, *_, saved, _ = train(ball_study, request)
    assert planned.plan == foreseen.plan

    (again,) = foresee(ball_study, request)
    assert again.is_weighed
    assert again.memory_bytes == saved.memory_bytes > 100e6
    assert not again.is_timed  # two steps tell nothing


def test_the_time_is_that_of_an_earlier_run_and_its_method_may_be_another(ball_study):
    plan = resolve(ball_study, REQUEST, pick("cpu"))
    alone = plan.model_copy(update={"method": "supervised", "steps": 1_000})
    write_run(ball_study, alone, StepDone(step=500, total=1_000, losses={}, seconds_left=250))
    assert earlier_step(ball_study.runs_folder, plan) == pytest.approx(0.5)
    # A quarter of the 2,000 steps on labels alone, the others 2.6 times as long.
    assert seconds_of(plan, 0.5) == pytest.approx(0.5 * (500 + 1_500 * 2.6))
    (foreseen,) = foresee(ball_study, REQUEST)
    assert foreseen.is_timed
    assert foreseen.seconds == pytest.approx(2_200)
    assert outlook_line(foreseen).startswith("about 37 min for 2,000 steps, about 0.")
    assert any("earlier training" in reason for reason in outlook_reasons(foreseen))


@pytest.mark.parametrize("minutes", [None, 10.0])
def test_a_run_tells_its_pace_through_both_of_its_parts(ball_study, minutes):
    """200 steps of 1 s on labels alone, then 154 of 2.6 s: 600 s of which a third is left, or two thirds of the clock."""
    plan = resolve(ball_study, REQUEST.model_copy(update={"minutes": minutes, "steps": 800}), pick("cpu"))
    if minutes:  # 150 s on labels alone, 250 s with the others
        step, total, left = 150 + round(250 / 2.6), round((150 + 250 / 2.6) * 1.5), 200.0
    else:
        step, total = 400, 800
        left = 200 + 200 * 2.6  # the other half at the mean rate so far
    write_run(ball_study, plan, StepDone(step=step, total=total, losses={}, seconds_left=left))
    assert earlier_step(ball_study.runs_folder, plan) == pytest.approx(1.0, rel=0.01)


def test_runs_that_computed_otherwise_tell_nothing(ball_study):
    plan = resolve(ball_study, REQUEST, pick("cpu"))
    told = StepDone(step=500, total=1_000, losses={}, seconds_left=250)
    for changes in ({"threads": 2}, {"patch_size": (8, 16, 16)}, {"net": plan.net.model_copy(update={"width": 8})}):
        write_run(ball_study, plan.model_copy(update=changes), told)
    assert earlier_step(ball_study.runs_folder, plan) is None
    assert footprint.earlier_memory(ball_study.runs_folder, plan) is None


def test_a_run_by_the_clock_takes_as_long_as_was_asked(ball_study):
    (foreseen,) = foresee(ball_study, REQUEST.model_copy(update={"minutes": 7.0}))
    assert foreseen.seconds == 420
    assert outlook_line(foreseen).startswith("7 min, about ")


def test_the_memory_follows_what_is_computed_at_once(make_plan):
    plan = make_plan(patch_size=(56, 56, 56), unlabeled_cases=("c",))
    shape = (10, 10, 10)
    # Measured: 558 and 831 MiB, docs/benchmarks.md.
    assert estimated_memory(plan.model_copy(update={"unlabeled_cases": ()}), shape) / 2**20 == pytest.approx(558, rel=0.15)
    assert estimated_memory(plan, shape) / 2**20 == pytest.approx(831, rel=0.15)
    assert least_memory(plan, shape) < estimated_memory(plan, shape) - 200 * 2**20


def test_the_checkpoint_has_the_size_that_was_foreseen(ball_study):
    *_, saved, _ = train(ball_study, REQUEST.model_copy(update={"steps": 1}))
    assert isinstance(saved, CheckpointSaved)
    plan = RunFolder(Path(saved.path).parents[1]).plan()
    assert Path(saved.path).stat().st_size == pytest.approx(state_bytes(plan), rel=0.1)
    assert saved.seconds > 0
    assert disk_bytes(plan, 1e6, prepared=5) < disk_bytes(plan, 1e6, prepared=2)


def test_no_space_too_little_memory_and_a_model_that_does_not_fit_are_refused(ball_study, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _: Disk(10, 10, 1_000_000))
        with pytest.raises(EngineError, match=r"about 0\.\d GB are needed, 0\.0 GB are free"):
            list(foresee(ball_study, REQUEST))
    with monkeypatch.context() as patch:
        patch.setattr("cvrl_napari.engine.outlook.pick", lambda _: DeviceInfo("cpu", "toy", 10**8, 1, False))
        with pytest.raises(EngineError, match=r"memory of this computer is too small"):
            list(foresee(ball_study, REQUEST))
    (tmp_path / "model.safetensors").write_bytes(b"no model")
    with pytest.raises(EngineError, match="model"):
        list(foresee(ball_study, REQUEST.model_copy(update={"start_from": tmp_path / "model.safetensors"})))


def test_little_free_memory_is_a_warning(ball_study, monkeypatch):
    monkeypatch.setattr("cvrl_napari.engine.outlook.free_memory", lambda _: 2 * 10**8)
    (foreseen,) = foresee(ball_study, REQUEST)
    assert foreseen.warning.startswith("Only 0.2 GB of the memory of this computer are free")
    assert outlook_reasons(foreseen)[-1] == foreseen.warning


def test_a_scan_is_read_once_for_its_geometry_and_again_when_it_has_changed(ball_study, monkeypatch):
    first = scan_geometry.scan_geometry(ball_study, "a")
    reads = []
    read = ball_study.read_scan
    monkeypatch.setattr(ball_study, "read_scan", lambda case: reads.append(case) or read(case))
    assert scan_geometry.scan_geometry(ball_study, "a") == first == ((28, 24, 20), (2.0, 2.0, 2.0))
    assert reads == []
    ball_study.case("a").scan.touch()
    assert scan_geometry.scan_geometry(ball_study, "a") == first
    assert reads == ["a"]


def test_the_measurement_leaves_the_random_numbers_of_a_run_alone(make_plan):
    import torch

    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    pace._seconds_a_voxel.cache_clear()
    assert pace.measured_step(make_plan()) > 0
    assert torch.equal(torch.rand(2), expected)
