"""A training that outlives its viewer, in a real process: found again, followed and steered, or ended with the viewer."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from cvrl_napari.engine.events import LabelsTaken, RunDone
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_list import list_runs
from cvrl_napari.engine.run_process import is_alive, process_of
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.study import Study

pytestmark = [pytest.mark.gui, pytest.mark.slow]

PATIENCE_MS = 120_000


@pytest.fixture
def open_dock(ball_study: Study, qtbot: QtBot) -> Iterator:
    """Return a function that opens the study in a new dock; no dock and no training survives the test."""
    ball_study.set_held_out("b", True)
    ball_study.close()
    docks = []

    def make(*, read_only: bool = False) -> CvrlDock:
        dock = CvrlDock(ViewerModel())
        docks.append(dock)
        dock.show()
        with qtbot.waitSignal(dock.session.case_opened, timeout=10_000):
            dock.session.open_study(ball_study.folder, read_only=read_only)
        return dock

    yield make
    for dock in docks:
        dock.close()
        dock.deleteLater()
    for run in ball_study.runs_folder.glob("*/process.json"):
        record = process_of(run.parent)
        if record is not None and (process := record.process()) is not None:
            process.kill()


def start(dock: CvrlDock, qtbot: QtBot, *, steps: int = 100_000, keep: bool = True) -> Path:
    """Press Train, tick the box, and return the run once it has made a step and shown a mask."""
    panel, training = dock.train_panel, dock.session.training
    panel.set_options(steps=steps, preset="quick", device="cpu", method="supervised")
    with qtbot.waitSignal(dock.session.mask_changed, timeout=PATIENCE_MS):
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: panel.keep_going.isVisibleTo(dock))
        if panel.keep_going.isChecked() != keep:
            panel.keep_going.click()
    qtbot.waitUntil(lambda: training.phase == "running", timeout=PATIENCE_MS)
    return training.run


def last_step(run: Path) -> int:
    return list_runs(run.parent)[0].step


def gone(process: psutil.Process, timeout_s: float = 30) -> bool:
    _, alive = psutil.wait_procs([process], timeout=timeout_s)
    return not alive or alive[0].status() == psutil.STATUS_ZOMBIE


def test_a_run_goes_on_without_its_window_and_is_steered_from_the_next_one(open_dock, qtbot: QtBot):
    first = open_dock()
    run = start(first, qtbot)
    process = process_of(run).process()
    first.close()
    assert process.is_running()
    seen = last_step(run)
    qtbot.waitUntil(lambda: last_step(run) > seen + 3, timeout=PATIENCE_MS)
    with Study.open(run.parents[1]) as study:  # saved, but the run was not told
        study.write_labels("d", np.pad(np.ones((2, 2, 2), np.uint8), [(4, 6), (8, 10), (6, 8)]))

    second = open_dock()
    panel, training = second.train_panel, second.session.training
    taken = []
    training.event_received.connect(lambda event: isinstance(event, LabelsTaken) and taken.extend(event.cases))
    assert training.is_active
    assert not panel.button.isVisibleTo(second)
    assert not panel.go_on.isVisibleTo(second)
    assert panel.keep_going.isChecked()
    assert second.session.has_mask
    qtbot.waitUntil(lambda: training.phase == "running" and training.step > seen, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(panel.curves.drawn_loss()[0]) > 3)
    assert panel.curves.drawn_loss()[0][0] == 1  # from its beginning
    assert training.plan is not None
    assert training._worker.pid == process.pid

    with qtbot.waitSignal(second.session.mask_changed, timeout=PATIENCE_MS):  # the scan on view has its masks again
        pass
    qtbot.waitUntil(lambda: "d" in taken, timeout=PATIENCE_MS)
    case = second.session.case
    labels = next(layer for layer in second.session.layers._viewer.layers if layer.name.startswith("Labels"))

    def takes_this_case(event: object) -> bool:
        return isinstance(event, LabelsTaken) and case in event.cases

    with qtbot.waitSignal(training.event_received, timeout=PATIENCE_MS, check_params_cb=takes_this_case):
        labels.paint((6, 10, 8), 1)
    assert (training.strokes_seen, training.strokes_waiting) == (1, 0)

    panel.pause.click()
    qtbot.waitUntil(lambda: training.phase == "paused", timeout=10_000)
    here = last_step(run)
    second.close()
    third = open_dock()
    panel, training = third.train_panel, third.session.training
    qtbot.waitUntil(lambda: training.phase == "paused", timeout=10_000)
    assert training.step == here
    panel.pause.click()
    qtbot.waitUntil(lambda: training.phase == "running" and training.step > here, timeout=10_000)
    panel.keep_going.click()
    third.close()
    assert gone(process)
    assert not RunFolder(run).process.exists()

    fourth = open_dock()
    assert not fourth.session.training.is_active
    assert not fourth.session.training.keeps_going  # remembered
    assert fourth.train_panel.go_on.isVisibleTo(fourth)
    assert fourth.notice.sentence.text() == ""  # it was seen to end
    assert list_runs(run.parent)[0].state == "stopped"


def test_a_training_is_followed_by_who_only_reads_and_its_end_is_told_to_who_was_away(open_dock, qtbot: QtBot):
    first = open_dock()
    reader = open_dock(read_only=True)
    run = start(first, qtbot, steps=80)
    panel, training = reader.train_panel, reader.session.training
    qtbot.waitUntil(lambda: training.phase == "running", timeout=PATIENCE_MS)
    assert not any(one.isEnabled() for one in (panel.pause, panel.stop, panel.keep_going))
    training.stop()
    assert first.session.training.phase == "running"
    with qtbot.waitSignal(training.ended, timeout=PATIENCE_MS) as ended:
        first.close()
    assert (type(ended.args[0]), ended.args[0].step, ended.args[0].stopped) == (RunDone, 80, False)
    assert not is_alive(run)
    reader.close()

    back = open_dock()
    assert back.notice.sentence.text() == "The training ended while napari was closed: model saved."
    assert not back.session.training.is_active
    back.close()
    assert open_dock().notice.sentence.text() == ""


VIEWER = """
import sys
from pathlib import Path
from qtpy.QtCore import QCoreApplication
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import StepDone
from cvrl_napari.gui.training import Training

app = QCoreApplication([])
training = Training(lambda _: False)
training.keeps_going = sys.argv[2] == "keep"
request = TrainRequest(method="supervised", preset="quick", device="cpu", steps=100_000, threads=1)
if sys.argv[3:]:
    training.attach(Path(sys.argv[3]), may_steer=True)
    training.keep_going(False)
else:
    training.start(Path(sys.argv[1]), request, None)
training.event_received.connect(lambda event: isinstance(event, StepDone) and print(training.run, flush=True))
app.exec()
"""


def killed_viewer(study: Path, *arguments: str) -> Path:
    """Start a viewer process, kill it once its run makes steps, and return the run."""
    command = [sys.executable, "-c", VIEWER, str(study), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as viewer:
        run = Path(viewer.stdout.readline().strip())
        for _ in range(3):
            viewer.stdout.readline()
        viewer.kill()
    return run


@pytest.mark.skipif(os.name != "posix", reason="SIGHUP")
def test_a_run_outlives_a_viewer_that_is_killed_only_if_that_was_wished(open_dock, ball_study: Study, qtbot: QtBot):
    run = killed_viewer(ball_study.folder, "keep")
    process = process_of(run).process()
    process.send_signal(signal.SIGHUP)  # the terminal goes as well
    seen = last_step(run)
    qtbot.waitUntil(lambda: last_step(run) > seen + 3, timeout=PATIENCE_MS)
    assert killed_viewer(ball_study.folder, "no", str(run)) == run  # takes it up, takes the wish back, is killed
    assert gone(process)
    assert list_runs(run.parent)[0].state == "stopped"

    folder = RunFolder(run)  # as if it had died
    folder.events.write_bytes(b"".join(folder.events.read_bytes().splitlines(keepends=True)[:-1]))
    folder.last_words.write_text("MemoryError\n")
    dock = open_dock()
    assert dock.notice.sentence.text().endswith(
        "The training stopped unexpectedly while napari was closed: the system ran out of memory."
    )
    assert dock.train_panel.go_on.isVisibleTo(dock)
