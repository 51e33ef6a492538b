"""Benchmarks of a few steps on real files."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file
from torch import equal

from cvrl_napari.config import BenchmarkRequest
from cvrl_napari.engine import events as ev
from cvrl_napari.engine.benchmark import REPORT, RESULTS, RUNNING, benchmark, left_to_do
from cvrl_napari.engine.benchmark_material import Material, protocol_material, study_material
from cvrl_napari.engine.benchmark_runs import list_runs, plan_run
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.protocols import load_protocol, locate
from cvrl_napari.engine.results import RunKey, Setting, read_results
from cvrl_napari.study.study import Study

REQUEST = BenchmarkRequest(methods=("supervised", "cvrl"), steps=2, device="cpu", threads=1)
SETTING = Setting(source="balls", classes=("ball",), scale="full", folds=None, preset="quick", steps=2)


@pytest.fixture
def material(ball_data: Path, tmp_path: Path) -> Material:
    protocol = load_protocol(str(ball_data / "balls.json"))
    return protocol_material(protocol, locate(protocol, ball_data), protocol.scale("full"), tmp_path / "output")


@pytest.fixture
def run(material: Material, tmp_path: Path) -> Callable[..., list[ev.Event]]:
    def run(runs: list[RunKey], request: BenchmarkRequest = REQUEST, setting: Setting = SETTING) -> list[ev.Event]:
        return list(benchmark(material, setting, runs, request, tmp_path / "output"))

    return run


def test_no_measured_scan_is_in_the_study(material):
    assert [case.id for case in material.study.cases] == ["b", "a", "c", "d"]
    (division,) = material.divisions
    assert [one.case for one in division.measured] == ["f", "e"]


def test_a_plan_is_the_protocols(material):
    plan = plan_run(material, RunKey(name="cvrl", method="cvrl", labeled=1, seed=3), REQUEST)
    assert (plan.labeled_cases, plan.unlabeled_cases, plan.held_out_cases) == (("b",), ("a", "c", "d"), ())
    assert (plan.spacing, plan.patch_size, plan.seed, plan.steps) == ((2, 2, 2), (16, 16, 16), 3, 2)
    everything = plan_run(material, RunKey(name="x", method="supervised", labeled="all", seed=0), REQUEST)
    assert (everything.labeled_cases, everything.unlabeled_cases) == (("b", "a", "c", "d"), ())
    changed = plan_run(material, RunKey(name="x", method="cvrl", labeled=1, seed=0, overrides={"momentum": 0.5}), REQUEST)
    assert changed.momentum == 0.5
    odd = RunKey(name="x", method="cvrl", labeled=1, seed=0, overrides={"patch_size": [12, 16, 16]})
    with pytest.raises(EngineError, match="does not fit the network"):
        plan_run(material, odd, REQUEST)


def test_the_paper_preset_is_the_papers_recipe(material):
    """V-Net, two labeled and two unlabeled patches, its own patch at the voxel size of the protocol."""
    plan = plan_run(
        material, RunKey(name="cvrl", method="cvrl", labeled=1, seed=0), REQUEST.model_copy(update={"preset": "paper"})
    )
    assert (plan.net.name, plan.labeled_batch, plan.unlabeled_batch, plan.patch_size) == ("vnet", 2, 2, (16, 16, 16))
    assert load_protocol("left-atrium").scale("full").paper_window_stride == (4, 18, 18)
    assert material.window_stride("quick") is None


def test_all_labels_leave_nothing_for_methods_that_need_unlabeled_scans(material):
    runs = list_runs(material, REQUEST.model_copy(update={"seeds": (0, 1)}), (1, "all", 4), {})
    assert [(run.method, run.labeled, run.seed) for run in runs] == [
        (method, labeled, seed)
        for seed in (0, 1)
        for method, labeled in (("supervised", 1), ("cvrl", 1), ("supervised", "all"), ("supervised", 4))
    ]
    with pytest.raises(EngineError, match="5 labeled scans were asked for, but there are 4"):
        list_runs(material, REQUEST, (5,), {})
    with pytest.raises(EngineError, match="cannot be told"):
        list_runs(material, REQUEST, (1,), {}, "mine")


def test_runs_are_measured_once(material, run, tmp_path):
    runs = list_runs(material, REQUEST, (1,), {})
    events = run(runs)
    assert not [event for event in events if isinstance(event, ev.RunFailed)]
    results = read_results(tmp_path / "output" / RESULTS)
    assert [result.key for result in results] == runs
    for result in results:
        assert [score.case for score in result.cases] == ["f", "e"]
        assert result.steps_per_second is not None
        assert result.peak_memory_mib > 50
        assert result.seconds > 0
    assert "| cvrl | supervised | 1 | 2 |" in (tmp_path / "output" / REPORT).read_text()
    assert not (tmp_path / "output" / RUNNING).exists()
    again = run(runs)
    assert {event.kind for event in again} == {"progress"}
    assert left_to_do(runs, tmp_path / "output") == 0


def test_an_interrupted_run_goes_on_where_it_was(material, run, tmp_path):
    """After no time at all a step is done and saved; the same command goes on, and ends with the same weights."""
    request = REQUEST.model_copy(update={"steps": 3, "methods": ("cvrl",)})
    setting = SETTING.model_copy(update={"steps": 3})
    runs = list_runs(material, request, (1,), {})
    hurried = request.model_copy(update={"minutes_at_a_time": 0.0005})
    folders, steps = set(), []
    for _ in range(20):
        if not left_to_do(runs, tmp_path / "output"):
            break
        for event in run(runs, hurried, setting):
            if isinstance(event, ev.Planned):
                folders.add(event.run)
            if isinstance(event, ev.StepDone):
                steps.append(event.step)
    assert steps == [1, 2, 3]
    (folder,) = folders
    whole = [
        event for event in benchmark(material, setting, runs, request, tmp_path / "whole") if isinstance(event, ev.RunDone)
    ]
    ours, theirs = load_file(Path(folder) / "model.safetensors"), load_file(whole[0].model)
    assert all(equal(ours[name], theirs[name]) for name in theirs)


def test_what_is_not_comparable_is_refused(material, run, tmp_path):
    runs = list_runs(material, REQUEST.model_copy(update={"methods": ("supervised",)}), (1,), {})
    run(runs)
    with pytest.raises(EngineError, match="another setting"):
        run(runs, setting=SETTING.model_copy(update={"preset": "standard"}))
    renamed = runs[0].model_copy(update={"overrides": {"momentum": 0.5}})
    with pytest.raises(EngineError, match="measured with other settings"):
        run([renamed])


def test_a_failed_run_ends_the_benchmark(material, run, tmp_path, ball_data):
    (ball_data / "balls" / "scans" / "b.nii.gz").write_bytes(b"")
    failed = run(list_runs(material, REQUEST, (1,), {}))[-1]
    assert isinstance(failed, ev.RunFailed)
    assert "b.nii.gz" in failed.message
    assert not (tmp_path / "output" / RESULTS).exists()


@pytest.fixture
def own_study(ball_data: Path, tmp_path: Path) -> Study:
    """Four complete cases, one with a stroke, one unlabeled."""
    folder = ball_data / "balls"
    study = Study.create(tmp_path / "own", sorted((folder / "scans").iterdir()), classes=("ball",), labels=folder / "labels")
    study.set_state("f", "unlabeled")
    strokes = np.zeros(study.read_scan("e").array.shape, np.uint8)
    strokes[10, 10, 10:14] = 1
    study.write_labels("e", strokes, state="partial")
    study.close()
    return Study.open(tmp_path / "own", read_only=True)


def test_the_folds_of_a_study_share_nothing(own_study, tmp_path):
    material = study_material(own_study, 2, tmp_path / "output")
    assert [[one.case for one in division.measured] for division in material.divisions] == [["a", "c"], ["b", "d"]]
    for number, division in enumerate(material.divisions):
        plan = plan_run(material, RunKey(name="cvrl", method="cvrl", labeled=1, seed=0, fold=number), REQUEST)
        learned = {*plan.labeled_cases, *plan.unlabeled_cases}
        assert not learned & {one.case for one in division.measured}
        assert plan.labeled_cases == (division.labeled[0], "e")
        assert learned == {*division.labeled, "e", *division.others}


def test_cross_validation_measures_every_complete_case_and_leaves_the_study_alone(own_study, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in own_study.folder.rglob("*")}
    material = study_material(own_study, 2, tmp_path / "output")
    setting = Setting(source="study own", classes=("ball",), scale=None, folds=2, preset="quick", steps=2)
    runs = list_runs(material, REQUEST.model_copy(update={"methods": ("supervised",)}), ("all",), {})
    list(benchmark(material, setting, runs, REQUEST, tmp_path / "output"))
    results = read_results(tmp_path / "output" / RESULTS)
    assert sorted(score.case for result in results for score in result.cases) == ["a", "b", "c", "d"]
    assert {path: path.stat().st_mtime_ns for path in own_study.folder.rglob("*")} == before
    assert "2 folds" in (tmp_path / "output" / REPORT).read_text()


def test_a_study_that_changed_meanwhile_is_refused(own_study, tmp_path):
    study_material(own_study, 2, tmp_path / "output")
    with Study.open(own_study.folder) as study:
        study.set_state("d", "partial")
    own_study.reload()
    with pytest.raises(EngineError, match="has changed"):
        study_material(own_study, 2, tmp_path / "output")
    with pytest.raises(EngineError, match="too few for 4 folds"):
        study_material(own_study, 4, tmp_path / "other")


def test_the_results_are_lines_of_json(material, run, tmp_path):
    run(list_runs(material, REQUEST.model_copy(update={"methods": ("supervised",)}), (1,), {}))
    (line,) = (tmp_path / "output" / RESULTS).read_text().splitlines()
    assert json.loads(line)["key"] == {
        "name": "supervised", "method": "supervised", "labeled": 1, "seed": 0, "fold": 0, "overrides": {}
    }  # fmt: skip
