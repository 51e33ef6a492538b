"""Figures of several runs against hand values."""

import pytest

from cvrl_napari.engine.benchmark_report import report
from cvrl_napari.engine.comparison import check_means, gap_closed, over_seeds, paired_difference, per_case, table, undefined
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.evaluate import CaseScore
from cvrl_napari.engine.results import RunKey, RunResult, Setting, append_result, check_fits, read_results

SETTING = Setting(source="balls", classes=("core", "shell"), scale="full", folds=None, preset="quick", steps=4)


def score(case, class_id, dice, *, jaccard=None, hd95_mm=1.0):
    exact = dice / (2 - dice) if jaccard is None else jaccard
    return CaseScore(
        case=case, class_id=class_id, dice=dice, jaccard=exact, hd95_mm=hd95_mm, asd_mm=hd95_mm, predicted_ml=1, reference_ml=1
    )


def result(method, seed, dice, *, labeled=8, overrides=None, name=None, cases=None):
    """A run in which case a has this Dice in both classes, case b 0.1 less."""
    return RunResult(
        setting=SETTING,
        key=RunKey(name=name or method, method=method, labeled=labeled, seed=seed, overrides=overrides or {}),
        cases=cases or tuple(score(case, i, dice - less) for case, less in (("a", 0.0), ("b", 0.1)) for i in (1, 2)),
        seconds=2.0,
        steps_per_second=2.0,
        peak_memory_mib=100,
        device="a CPU",
        precision="float32",
        patch_size=(16, 16, 16),
        spacing=(2.0, 2.0, 2.0),
        versions={"torch": "2"},
        date="2026-01-01T00:00:00+00:00",
    )


def test_means_are_over_cases_and_the_spread_over_seeds():
    scores = table([result("cvrl", 0, 0.8), result("cvrl", 1, 0.9)], "dice")
    assert scores[0] == pytest.approx({"a": 0.8, "b": 0.7})
    spread = over_seeds(scores)
    assert (spread.mean, spread.sd, spread.count) == (pytest.approx(0.8), pytest.approx(0.1 / 2**0.5), 2)
    assert per_case(scores) == pytest.approx({"a": 0.85, "b": 0.75})


def test_a_case_is_the_mean_of_its_classes_and_what_is_undefined_is_left_out():
    cases = (score("a", 1, 0.9, hd95_mm=3.0), score("a", 2, 0.0, hd95_mm=None), score("b", 1, 0.0, hd95_mm=None))
    one = [result("cvrl", 0, 0, cases=cases)]
    assert table(one, "dice")[0]["a"] == pytest.approx(0.45)
    assert table(one, "dice", class_id=2)[0] == {"a": 0.0}
    assert table(one, "hd95_mm")[0] == {"a": 3.0, "b": None}
    assert undefined(table(one, "hd95_mm")) == (1, 2)
    assert over_seeds(table(one, "hd95_mm")).mean == 3.0


def test_folds_of_a_seed_are_one_set_of_cases():
    folds = [result("cvrl", 0, 0.8, cases=(score(case, 1, 0.8),)) for case in "abc"]
    assert set(table(folds, "dice")[0]) == {"a", "b", "c"}


def test_the_difference_is_paired_by_case():
    """Cases differ by 0.1 among themselves, the methods by 0.05 in every case: the interval has no width."""
    ours, theirs = (table([result(name, 0, dice)], "dice") for name, dice in (("cvrl", 0.85), ("supervised", 0.8)))
    found = paired_difference(ours, theirs)
    assert found is not None
    assert tuple(found) == pytest.approx((0.05, 0.05, 0.05, 2))


def test_the_interval_is_the_bootstraps():
    """Differences 0 and 1: a resample of two has mean 0, 1/2, 1 with chances 1/4, 1/2, 1/4."""
    found = paired_difference({0: {"a": 0.0, "b": 1.0}}, {0: {"a": 0.0, "b": 0.0}})
    assert found is not None
    assert tuple(found) == pytest.approx((0.5, 0.0, 1.0, 2))
    many = {str(i): float(i % 2) for i in range(400)}
    found = paired_difference({0: many}, {0: dict.fromkeys(many, 0.0)})
    assert found is not None
    assert found.low == pytest.approx(0.5 - 1.96 * 0.025, abs=0.005)  # the normal limit
    assert found == paired_difference({0: many}, {0: dict.fromkeys(many, 0.0)})


def test_only_shared_seeds_are_compared():
    ours = {0: {"a": 0.8}, 1: {"a": 0.2}}
    found = paired_difference(ours, {0: {"a": 0.7}})
    assert found is not None
    assert found.mean == pytest.approx(0.1)
    assert paired_difference(ours, {2: {"a": 0.7}}) is None


def test_the_gap_is_closed_half_way():
    few, ours, full = ({0: {"a": value}} for value in (0.6, 0.7, 0.8))
    assert gap_closed(ours, few, full) == pytest.approx(0.5)
    assert gap_closed(ours, full, few) is None


def test_impossible_figures_are_refused():
    check_means({0: {"a": 0.8}}, {0: {"a": 0.8 / 1.2}}, "a run")
    with pytest.raises(EngineError, match="cannot be right"):
        check_means({0: {"a": 0.8}}, {0: {"a": 0.6}}, "a run")
    with pytest.raises(EngineError, match="cannot be right"):
        report([result("cvrl", 0, 0.8, cases=(score("a", 1, 0.8, jaccard=0.6),))])


def test_the_report_has_it_all():
    runs = [result("supervised", seed, 0.7) for seed in (0, 1)] + [result("supervised", 0, 0.9, labeled="all")]
    runs += [result("cvrl", seed, 0.8) for seed in (0, 1)]
    runs += [result("cvrl", 0, 0.75, name="no contrast", overrides={"contrast.high_voxel_weight": 0})]
    text = report(runs)
    assert "## balls, full scale" in text
    assert "| supervised | 8 | mean | 2 | 0.6500 ± 0.0000 |" in text
    assert "| supervised | 8 | shell | 2 | 0.6500 ± 0.0000 |" in text
    assert "| cvrl | supervised | 8 | 2 | +0.1000 | +0.1000 to +0.1000 |" in text
    assert "| cvrl | 8 | 0.50 |" in text
    assert "no contrast is cvrl with contrast.high_voxel_weight=0" in text
    assert report([]) == "No run has been measured yet."


def test_results_come_back_and_other_settings_are_refused(tmp_path):
    path = tmp_path / "results.jsonl"
    assert read_results(path) == []
    runs = [result("cvrl", seed, 0.8, labeled=labeled) for seed, labeled in ((0, 8), (1, "all"))]
    for run in runs:
        append_result(path, run)
    assert read_results(path) == runs
    check_fits(runs, SETTING, path)
    with pytest.raises(EngineError, match="steps 4, not 5"):
        check_fits(runs, SETTING.model_copy(update={"steps": 5}), path)
    with path.open("a") as file:
        file.write('{"half')
    with pytest.raises(EngineError, match="Line 3"):
        read_results(path)
