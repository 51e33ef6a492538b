"""The real training in a real child process: its events, its end by every road, and what is left of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pytestqt.qtbot import QtBot

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import View
from cvrl_napari.engine.events import CheckpointSaved, Paused, Planned, PreviewReady, Resumed, RunDone, RunFailed, StepDone
from cvrl_napari.gui.worker import TrainingWorker, spare_threads, train_arguments, training_child
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui

PATIENCE_MS = 120_000
SHORT = TrainRequest(method="supervised", preset="quick", device="cpu", steps=6, threads=1)
ENDLESS = SHORT.model_copy(update={"steps": 1_000_000})


class Listener:
    """Keeps what a worker says."""

    def __init__(self, worker: TrainingWorker) -> None:
        self.worker = worker
        self.events: list[object] = []
        self.ends: list[object] = []
        worker.event_received.connect(self.events.append)
        worker.ended.connect(self.ends.append)

    def heard(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def listen(qtbot: QtBot, ball_study: Study) -> Iterator:
    """Return a function that starts a worker on the study; none of them survives the test."""
    workers = []

    def start(request: TrainRequest) -> Listener:
        worker = TrainingWorker(training_child(ball_study.folder, request))
        workers.append(worker)
        listener = Listener(worker)
        worker.start()
        return listener

    yield start
    for worker in workers:
        worker.shut_down(0)
        assert not worker.isRunning()


def wait_for(qtbot: QtBot, listener: Listener, kind: type) -> None:
    qtbot.waitUntil(lambda: bool(listener.heard(kind)) or bool(listener.ends), timeout=PATIENCE_MS)
    assert listener.heard(kind), listener.ends


def wait_for_end(qtbot: QtBot, listener: Listener) -> object:
    qtbot.waitUntil(lambda: bool(listener.ends) and not listener.worker.isRunning(), timeout=PATIENCE_MS)
    (end,) = listener.ends
    return end


def is_gone(process: psutil.Process, timeout_s: float) -> bool:
    """Wait for a process that is not our child; one that nobody buries is gone too."""
    _, alive = psutil.wait_procs([process], timeout=timeout_s)
    return not alive or alive[0].status() == psutil.STATUS_ZOMBIE


def test_a_run_tells_its_events_in_order_and_ends_once(listen, qtbot: QtBot):
    listener = listen(SHORT)
    wait_for(qtbot, listener, Planned)
    child = psutil.Process(listener.worker.pid)
    if os.name == "posix":
        assert child.nice() > psutil.Process().nice()
        assert os.getpgid(child.pid) == child.pid
        assert os.getsid(child.pid) == os.getsid(0)
    end = wait_for_end(qtbot, listener)
    assert isinstance(end, RunDone)
    assert (end.step, end.stopped) == (6, False)
    assert isinstance(listener.events[0], Planned)
    assert [event.step for event in listener.heard(StepDone)] == [1, 2, 3, 4, 5, 6]
    assert Path(end.model).is_file()
    assert not child.is_running()


def test_pause_resume_preview_and_stop(listen, qtbot: QtBot):
    listener = listen(ENDLESS)
    listener.worker.send(View(case="c", axis=0, index=4))
    wait_for(qtbot, listener, PreviewReady)
    assert listener.heard(PreviewReady)[0].case == "c"
    listener.worker.pause()
    wait_for(qtbot, listener, Paused)
    assert isinstance(listener.events[-1], Paused)
    listener.worker.resume()
    wait_for(qtbot, listener, Resumed)
    listener.worker.stop()
    end = wait_for_end(qtbot, listener)
    assert isinstance(end, RunDone)
    assert end.stopped


def test_the_viewer_survives_the_death_of_the_child(listen, qtbot: QtBot):
    listener = listen(ENDLESS)
    wait_for(qtbot, listener, StepDone)
    os.kill(listener.worker.pid, signal.SIGKILL)
    end = wait_for_end(qtbot, listener)
    assert isinstance(end, RunFailed)
    assert end.message.startswith("Training stopped unexpectedly: ")
    assert "memory" in end.message
    assert "signal 9" in end.message
    assert "Everything painted is safe" in end.hint
    for checkpoint in listener.heard(CheckpointSaved):
        assert f"step {checkpoint.step}" in end.hint


def test_bad_input_ends_with_its_sentence(tmp_path: Path, qtbot: QtBot):
    worker = TrainingWorker(training_child(tmp_path / "nowhere", SHORT))
    listener = Listener(worker)
    worker.start()
    end = wait_for_end(qtbot, listener)
    assert isinstance(end, RunFailed)
    assert str(tmp_path / "nowhere") in end.message


def test_shutting_down_leaves_nothing_even_of_a_child_that_does_not_listen(listen, qtbot: QtBot):
    listener = listen(ENDLESS)
    wait_for(qtbot, listener, StepDone)
    child = psutil.Process(listener.worker.pid)
    child.suspend()
    listener.worker.shut_down(timeout_s=0.2)
    assert not listener.worker.isRunning()
    assert not child.is_running()
    assert isinstance(wait_for_end(qtbot, listener), RunFailed)


def test_shutting_down_before_the_child_has_started_leaves_nothing(listen, qtbot: QtBot):
    listener = listen(ENDLESS)
    listener.worker.shut_down(timeout_s=0)
    assert not listener.worker.isRunning()
    assert len([child for child in psutil.Process().children() if "train" in child.cmdline()]) == 0


VIEWER = """
import sys
from pathlib import Path
from qtpy.QtCore import QCoreApplication
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import StepDone
from cvrl_napari.gui.worker import TrainingWorker, training_child

app = QCoreApplication([])
worker = TrainingWorker(training_child(Path(sys.argv[1]), TrainRequest.model_validate_json(sys.argv[2])))
worker.event_received.connect(lambda event: isinstance(event, StepDone) and print(worker.pid, flush=True))
worker.start()
app.exec()
"""


def test_the_child_dies_with_a_viewer_that_was_killed(ball_study: Study):
    with subprocess.Popen(
        [sys.executable, "-c", VIEWER, str(ball_study.folder), ENDLESS.model_dump_json()], stdout=subprocess.PIPE, text=True
    ) as viewer:
        child = psutil.Process(int(viewer.stdout.readline()))
        viewer.kill()
    assert is_gone(child, timeout_s=20)


def test_only_what_differs_from_the_defaults_is_asked_for(tmp_path: Path):
    request = TrainRequest(method="supervised", steps=6, labeled=("a", "b"), labeled_first=2, seed=3, minutes=0.5)
    arguments = train_arguments(tmp_path, request, resume=tmp_path / "run")
    assert arguments[:4] == ["train", str(tmp_path), "--json", "--attached"]
    pairs = dict(zip(arguments[4::2], arguments[5::2], strict=True))
    assert pairs == {
        "--method": "supervised",
        "--steps": "6",
        "--minutes": "0.5",
        "--seed": "3",
        "--labeled-first": "2",
        "--labeled": "a,b",
        "--threads": str(spare_threads()),
        "--resume": str(tmp_path / "run"),
    }


def test_the_viewer_keeps_a_core():
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert 1 <= spare_threads() <= max(1, cores - 1)
