"""A real training in a real child process, from the button to the model, and what a run is told."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt

from cvrl_napari.engine.events import LabelsTaken, RunDone, StepDone
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.masks import prediction_path
from cvrl_napari.study.phantom import create_phantom

pytestmark = [pytest.mark.gui, pytest.mark.slow]


@pytest.fixture
def dock(tmp_path: Path, qtbot: QtBot):
    """The dock with a small phantom study, on its first unlabeled case."""
    create_phantom(tmp_path / "study", size=0.4).close()
    made = CvrlDock(ViewerModel())
    made.show()
    with qtbot.waitSignal(made.session.case_opened, timeout=10_000):
        made.open_folders([tmp_path / "study"])
    yield made
    made.close()
    made.deleteLater()


def test_from_the_button_to_the_overlay_the_model_and_a_prediction(dock: CvrlDock, qtbot: QtBot):
    session, panel = dock.session, dock.train_panel
    case = session.case
    assert case == "phantom_04"
    assert not session.has_mask
    panel.set_options(steps=40, preset="quick", device="cpu")
    with qtbot.waitSignal(session.mask_changed, timeout=120_000):
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert session.training.is_active
    assert panel.stop.isVisibleTo(dock)
    assert "mm" in panel.plan.text()

    def takes_this_case(event: object) -> bool:
        return isinstance(event, LabelsTaken) and case in event.cases

    labels = next(layer for layer in session.layers._viewer.layers if layer.name.startswith("Labels"))
    with qtbot.waitSignal(session.training.event_received, timeout=120_000, check_params_cb=takes_this_case):
        labels.paint((8, 16, 16), 1)
    assert (session.training.strokes_seen, session.training.strokes_waiting) == (1, 0)

    with qtbot.waitSignal(session.training.ended, timeout=240_000) as ended:
        panel.stop.click()
    assert isinstance(ended.args[0], RunDone), ended.args[0]
    assert dock.notice.sentence.text() == "Model saved."
    assert Path(ended.args[0].model).is_file()

    dock.mask_panel.refresh()
    with qtbot.waitSignal(session.prediction.done, timeout=120_000) as done:
        qtbot.mouseClick(dock.mask_panel.predict_button, Qt.MouseButton.LeftButton)
    assert done.args[0] == case
    assert prediction_path(session.study, case).is_file()
    mask = session.layers.mask_array().copy()

    qtbot.mouseClick(dock.mask_panel.predict_button, Qt.MouseButton.LeftButton)
    assert dock.mask_panel.predict_button.text() == "Cancel"
    with qtbot.waitSignal(session.prediction.failed, timeout=30_000) as ended:
        qtbot.mouseClick(dock.mask_panel.predict_button, Qt.MouseButton.LeftButton)
    assert "canceled" in ended.args[0]
    assert dock.mask_panel.predict_button.text() == "Predict this scan"
    np.testing.assert_array_equal(session.layers.mask_array(), mask)


def test_a_stopped_training_goes_on_from_where_it_was_also_after_the_study_was_closed(dock: CvrlDock, qtbot: QtBot):
    session, panel = dock.session, dock.train_panel
    assert not panel.go_on.isVisibleTo(dock)
    panel.set_options(steps=6, preset="quick", device="cpu")

    def second_step(event: object) -> bool:
        return isinstance(event, StepDone) and event.step >= 2

    with qtbot.waitSignal(session.training.event_received, timeout=120_000, check_params_cb=second_step):
        qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    with qtbot.waitSignal(session.training.ended, timeout=120_000):
        panel.stop.click()
    folder, run = session.study.folder, session.training.run
    assert panel.go_on.isVisibleTo(dock)
    session.close_study()
    with qtbot.waitSignal(session.case_opened, timeout=10_000):
        dock.open_folders([folder])
    assert panel.go_on.isVisibleTo(dock)
    assert "/ 6)" in panel.go_on.text()
    with qtbot.waitSignal(session.training.ended, timeout=240_000) as ended:
        qtbot.mouseClick(panel.go_on, Qt.MouseButton.LeftButton)
    assert (ended.args[0].step, ended.args[0].stopped) == (6, False)
    assert Path(ended.args[0].run) == run
    qtbot.waitUntil(lambda: panel.curves.drawn_loss()[0] == [1, 2, 3, 4, 5, 6])
    assert not panel.go_on.isVisibleTo(dock)


def test_quitting_ends_the_child(dock: CvrlDock, qtbot: QtBot):
    psutil = pytest.importorskip("psutil")
    with qtbot.waitSignal(dock.session.training.event_received, timeout=120_000):
        dock.train_panel.button.click()
    child = psutil.Process(dock.session.training._worker.pid)
    dock.close()
    assert not child.is_running()
    assert not dock.session.training.is_active


def test_the_viewer_side_never_imports_torch():
    """Asked of a fresh process: this one may have run the engine's own tests."""

    code = "import sys, cvrl_napari.gui.dock, cvrl_napari.gui.demo; sys.exit('torch' in sys.modules or 'monai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
