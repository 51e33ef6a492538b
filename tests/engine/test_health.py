"""The health of a run: what it diagnosed, as curves and in words."""

import numpy as np
import pytest

from cvrl_napari.config import ContrastConfig, NetConfig, TrainRequest
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Diagnosed, LevelDiagnosis
from cvrl_napari.engine.health import collect_health, read_correlation, read_health
from cvrl_napari.engine.train import train


def diagnosed(step: int, rank: float) -> Diagnosed:
    level = LevelDiagnosis(
        effective_rank=rank, spread=0.05, cross_correlation=0.2, alignment=0.1, uniformity=-3, queue_age=None
    )
    return Diagnosed(step=step, levels={"low": level, "high": level}, confident=0.5)


@pytest.mark.parametrize(
    ("ranks", "state", "words"),
    [
        ([], "unknown", "Not measured yet"),
        ([30, 61], "diverse", "The features are diverse: effective rank 61 of 128."),
        ([30, 20], "narrow", "narrow: effective rank 20 of 128"),
        ([70, 15], "collapsing", "collapsing, different tissues begin to look alike: effective rank 15 of 128, after 70."),
        ([70, 30], "diverse", "effective rank 30 of 128."),
        ([5, 3], "collapsing", "effective rank 3 of 128. Train again"),
    ],
)
def test_a_sentence_says_how_it_does(make_plan, ranks, state, words):
    health = collect_health(make_plan(), [diagnosed(10 * number, rank) for number, rank in enumerate(ranks)])
    assert health.levels["high"].state == state
    assert words in health.sentence("high")
    assert health.steps.tolist() == [10 * number for number in range(len(ranks))]
    assert health.levels["high"].effective_rank.tolist() == ranks


def test_the_advice_depends_on_the_method(make_plan):
    events = [diagnosed(1, 2)]
    off = ContrastConfig(dimension_weight=0)
    assert "dimension contrast switched on" in collect_health(make_plan(contrast=off), events).sentence("high")
    assert "dimension contrast switched on" in collect_health(make_plan(method="supervised"), events).sentence("high")
    assert "smaller learning rate" in collect_health(make_plan(), events).sentence("high")


def test_the_possible_rank_is_that_of_the_narrowest_layer(make_plan):
    def ranks(**changes) -> tuple[int, int]:
        levels = collect_health(make_plan(**changes), []).levels
        return levels["low"].possible_rank, levels["high"].possible_rank

    assert ranks() == (16, 128)
    assert ranks(net=NetConfig(width=32)) == (32, 128)
    assert ranks(net=NetConfig(width=32), method="supervised") == (32, 256)


def test_a_run_leaves_its_curves_and_the_correlation_of_its_features(ball_study):
    events = list(train(ball_study, TrainRequest(device="cpu", steps=2, threads=1)))
    (told,) = [event for event in events if isinstance(event, Diagnosed)]
    run = ball_study.folder / "runs" / next((ball_study.folder / "runs").iterdir()).name
    health = read_health(run)
    assert health.steps.tolist() == [2]
    assert health.confident.tolist() == [told.confident]
    for level in ("low", "high"):
        curves, figures = health.levels[level], told.levels[level]
        assert curves.uniformity.tolist() == [figures.uniformity]
        matrix = read_correlation(run, level)
        assert matrix is not None
        assert matrix.shape == (128, 128)
        assert np.abs(matrix).max() <= 1 + 1e-5
        different = np.abs(matrix[~np.eye(128, dtype=bool)]).mean()
        assert different == pytest.approx(figures.cross_correlation, abs=1e-4)
        path = run / "diagnosis" / f"{level}-correlation.npy"
        path.write_bytes(path.read_bytes()[:500])
        assert read_correlation(run, level) is None


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(EngineError, match="no run"):
        read_health(tmp_path)
    assert read_correlation(tmp_path, "low") is None
