"""The child that waits for a run: used by it, replaced after it, never needed, and gone with the study and the viewer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from safetensors.torch import load_file

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import RunDone
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.warm_child import WarmChild
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui

PATIENCE_MS = 120_000
SHORT = TrainRequest(method="supervised", preset="quick", device="cpu", steps=3, threads=1)


@pytest.fixture
def session(ball_study: Study, qtbot: QtBot):
    """A session with the study open."""
    folder = ball_study.folder
    ball_study.close()
    made = Session(ViewerModel())
    with qtbot.waitSignal(made.case_opened):
        assert made.open_study(folder)
    yield made
    made.shut_down()


def waiting(session: Session) -> psutil.Process:
    pid = session.training.warm.pid
    assert pid is not None
    return psutil.Process(pid)


def train(session: Session, qtbot: QtBot) -> tuple[int, RunDone]:
    """Press Train; the id of the child that did the run, and the run's end."""
    with qtbot.waitSignal(session.training.ended, timeout=PATIENCE_MS) as ended:
        session.train(SHORT)
        worker = session.training._worker
        assert worker is not None
        qtbot.waitUntil(lambda: worker.pid is not None, timeout=PATIENCE_MS)
        pid = worker.pid
    assert isinstance(ended.args[0], RunDone), ended.args[0]
    return pid, ended.args[0]


def test_a_run_is_done_by_the_child_that_waited_and_another_takes_its_place(session, qtbot: QtBot):
    first = waiting(session)
    assert first.cmdline()[-1] == "wait"
    if os.name == "posix":
        assert first.nice() > psutil.Process().nice()
    pid, warm = train(session, qtbot)
    assert pid == first.pid
    assert not first.is_running()
    second = waiting(session)
    assert second.pid != first.pid

    second.kill()  # out of memory, say
    second.wait(10)
    pid, cold = train(session, qtbot)
    assert pid not in (first.pid, second.pid)
    ours, theirs = load_file(warm.model), load_file(cold.model)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_child_ends_with_the_study(session):
    child = waiting(session)
    assert session.close_study()
    assert not child.is_running()
    assert session.training.warm.pid is None


def test_a_study_that_is_only_read_keeps_no_child(ball_study: Study, qtbot: QtBot, monkeypatch):
    monkeypatch.setattr(ball_study, "read_only", True)
    made = Session(ViewerModel())
    with qtbot.waitSignal(made.case_opened):
        assert made._adopt(lambda: ball_study)
    assert made.training.warm.pid is None
    made.shut_down()


def test_getting_ready_twice_starts_one_child_and_a_dead_one_is_not_handed_over():
    warm = WarmChild()
    assert warm.take() is None
    warm.get_ready()
    pid = warm.pid
    warm.get_ready()
    assert warm.pid == pid
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([process for process in psutil.Process().children() if process.pid == pid], timeout=10)
    assert warm.take() is None
    warm.close()


VIEWER = """
import sys
from cvrl_napari.gui.warm_child import WarmChild
warm = WarmChild()
warm.get_ready()
print(warm.pid, flush=True)
sys.stdin.read()
"""


def test_the_child_dies_with_a_viewer_that_was_killed(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", VIEWER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as viewer:
        assert viewer.stdout is not None
        child = psutil.Process(int(viewer.stdout.readline()))
        viewer.kill()
    _, alive = psutil.wait_procs([child], timeout=60)
    assert not alive or alive[0].status() == psutil.STATUS_ZOMBIE
