"""The real prediction in a real child process."""

from pathlib import Path

import nibabel
import psutil
import pytest
from pytestqt.qtbot import QtBot

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import PredictionSaved, RunDone, RunFailed
from cvrl_napari.engine.train import train
from cvrl_napari.gui.prediction_worker import PredictionWorker
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui

PATIENCE_MS = 120_000


@pytest.fixture
def model(ball_study: Study) -> Path:
    """The student of a run of one step."""
    request = TrainRequest(method="supervised", preset="quick", device="cpu", steps=1, threads=1)
    (done,) = [event for event in train(ball_study, request) if isinstance(event, RunDone)]
    return Path(done.model)


def run(worker: PredictionWorker, qtbot: QtBot) -> object:
    ends: list[object] = []
    worker.ended.connect(ends.append)
    worker.start()
    qtbot.waitUntil(lambda: bool(ends) and not worker.isRunning(), timeout=PATIENCE_MS)
    (end,) = ends
    return end


def test_masks_lie_on_their_scans(model: Path, ball_study: Study, tmp_path: Path, qtbot: QtBot):
    scans = [ball_study.case(case).scan for case in "cd"]
    saved = run(PredictionWorker(model, ball_study.folder, ["c", "d"], tmp_path / "out"), qtbot)
    assert all(isinstance(one, PredictionSaved) for one in saved)
    assert [Path(one.scan) for one in saved] == scans
    for one, scan in zip(saved, scans, strict=True):
        assert (nibabel.load(one.path).affine == nibabel.load(scan).affine).all()


def test_a_missing_model_ends_with_its_sentence(ball_study: Study, tmp_path: Path, qtbot: QtBot):
    end = run(PredictionWorker(tmp_path / "none.safetensors", ball_study.folder, ["c"], tmp_path / "out"), qtbot)
    assert isinstance(end, RunFailed)
    assert "none.safetensors" in end.message


def test_canceling_ends_the_child_and_says_so(ball_study: Study, tmp_path: Path, qtbot: QtBot):
    worker = PredictionWorker(tmp_path / "any", ball_study.folder, ["c"], tmp_path / "out")
    worker.started.connect(worker.cancel)
    end = run(worker, qtbot)
    assert isinstance(end, RunFailed)
    assert "canceled" in end.message
    assert worker.pid is None or not psutil.pid_exists(worker.pid)
