"""Earlier trainings in the dock, made by a real child: compared, renamed, chosen, started from, deleted."""

import shutil
from pathlib import Path

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import RunDone
from cvrl_napari.engine.run_list import list_runs, model_for_masks
from cvrl_napari.engine.train import train
from cvrl_napari.gui import runs_panel
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study import holding_out
from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(ball_study: Study, qtbot: QtBot):
    """The dock with a study that has two finished runs of three steps."""
    ball_study.set_held_out("b", True)
    request = TrainRequest(method="supervised", device="cpu", steps=3, threads=1)
    for seed in (0, 1):
        *_, last = train(ball_study, request.model_copy(update={"seed": seed}))
        assert isinstance(last, RunDone), last
    ball_study.close()
    made = CvrlDock(ViewerModel())
    made.show()
    with qtbot.waitSignal(made.session.case_opened, timeout=10_000):
        made.open_folders([ball_study.folder])
    made.train_panel.earlier.expand(animate=False)
    qtbot.waitUntil(lambda: made.train_panel.runs.list.topLevelItemCount() == 2, timeout=10_000)
    qtbot.waitUntil(lambda: made.train_panel.runs.start.height() > 10)  # unfolded, it has its place
    yield made
    made.close()
    made.deleteLater()


def test_runs_are_compared_named_chosen_and_deleted(dock: CvrlDock, qtbot: QtBot, monkeypatch):
    panel, history, curves = dock.train_panel.runs, dock.train_panel.history, dock.train_panel.curves
    folder = dock.session.study.runs_folder
    newest, oldest = (run.path for run in list_runs(folder))

    panel.select(oldest)
    assert "supervised only · 3 of 3 steps · 1 labeled scan" in panel.details.text()
    assert "Dice on 1 held-out case: ball" in panel.details.text()
    assert "Too few cases" in panel.details.text()
    assert not panel.go_on.isEnabled()

    assert not curves.isVisibleTo(dock)
    panel.list.currentItem().setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: len(curves.legend()) == 1)
    assert curves.isVisibleTo(dock)
    assert curves.legend()[0].startswith(oldest.name)

    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("first try", True))
    with qtbot.waitSignal(history.changed):
        qtbot.keyClick(panel.list, Qt.Key.Key_F2)
    assert panel.list.currentItem().text(0) == "first try"
    qtbot.waitUntil(lambda: curves.legend()[0].startswith("first try"))
    panel.list.currentItem().setCheckState(0, Qt.CheckState.Unchecked)
    qtbot.waitUntil(lambda: not curves.isVisibleTo(dock))

    assert model_for_masks(folder).parent == newest
    with qtbot.waitSignal(history.changed):
        qtbot.mouseClick(panel.use, Qt.MouseButton.LeftButton)
    assert panel.list.currentItem().text(0) == "● first try"
    assert model_for_masks(folder).parent == oldest
    assert oldest.name in dock.mask_panel.predict_button.toolTip()

    monkeypatch.setattr(runs_panel, "agreed", lambda *_, **__: False)
    qtbot.mouseClick(panel.delete, Qt.MouseButton.LeftButton)
    assert oldest.is_dir()
    monkeypatch.setattr(runs_panel, "agreed", lambda *_, **__: True)
    panel.list.currentItem().setCheckState(0, Qt.CheckState.Checked)
    qtbot.waitUntil(lambda: curves.isVisibleTo(dock))
    with qtbot.waitSignal(history.changed):
        qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert not oldest.exists()
    qtbot.waitUntil(lambda: panel.list.topLevelItemCount() == 1)
    qtbot.waitUntil(lambda: not curves.isVisibleTo(dock))  # its curve went with it
    assert model_for_masks(folder).parent == newest


def test_a_new_training_begins_with_an_earlier_model_and_the_running_one_cannot_be_deleted(dock: CvrlDock, qtbot: QtBot):
    panel, session = dock.train_panel.runs, dock.session
    dock.train_panel.set_options(steps=100_000, preset="quick", device="cpu", method="supervised")
    (model,) = {run.model for run in dock.train_panel.history.runs if run.path == panel.selected_path()}
    qtbot.mouseClick(panel.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.training.phase == "running", timeout=120_000)
    assert session.training.plan.start_from == str(model)
    qtbot.waitUntil(lambda: panel.list.topLevelItemCount() == 3, timeout=10_000)
    panel.select(session.training.run)
    assert not panel.delete.isEnabled()
    assert not panel.start.isEnabled()
    running = panel.selected()
    dock.train_panel.history.delete(running)
    assert running.path.is_dir()
    with qtbot.waitSignal(session.training.ended, timeout=60_000):
        dock.train_panel.stop.click()
    qtbot.waitUntil(lambda: panel.selected() is not None and panel.selected().state == "stopped", timeout=10_000)
    qtbot.waitUntil(panel.go_on.isEnabled)


def test_what_a_model_brings_or_why_it_cannot_is_said_before_it_is_started_from(
    dock: CvrlDock, qtbot: QtBot, monkeypatch, tmp_path: Path
):
    panel, session = dock.train_panel.runs, dock.session
    model = panel.selected().model
    assert panel.choice.text() == "The model knows ball, shell."
    with qtbot.waitSignal(dock.train_panel.history.changed, timeout=10_000):
        session.add_class("box")
        dock.train_panel.history.refresh()
    assert panel.choice.text() == "The model knows ball, shell; new to it: box."

    session.study.set_classes(make_classes(["aorta", "wall", "box"]))
    asked = []
    monkeypatch.setattr(runs_panel, "agreed", lambda *_, more: asked.append(more))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(model), ""))
    qtbot.mouseClick(panel.start_file, Qt.MouseButton.LeftButton)
    assert len(asked) == 1
    assert asked[0].startswith("The model knows none of your structures")

    broken = tmp_path / "broken.safetensors"
    for content, words in ((model.read_bytes()[:-8], "is damaged"), (b"nonsense", "is not a model of this program")):
        broken.write_bytes(content)
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(broken), ""))
        qtbot.mouseClick(panel.start_file, Qt.MouseButton.LeftButton)
        assert words in panel.choice.text()
    broken.replace(model)
    with qtbot.waitSignal(dock.train_panel.history.changed, timeout=10_000):
        dock.train_panel.history.refresh()
    assert not panel.start.isEnabled()
    assert "is not a model of this program" in panel.choice.text()
    assert not session.training.is_active


def test_a_run_whose_folder_was_taken_away_is_no_longer_listed(dock: CvrlDock, qtbot: QtBot):
    panel, history = dock.train_panel.runs, dock.train_panel.history
    shutil.rmtree(Path(history.runs[0].path))
    history.refresh()
    qtbot.waitUntil(lambda: panel.list.topLevelItemCount() == 1)


def test_cases_are_held_out_only_when_the_offer_is_taken(dock: CvrlDock, qtbot: QtBot, monkeypatch):
    session, offer = dock.session, dock.train_panel.hold_out
    assert not offer.isVisibleTo(dock)  # one is held out, and the labels are few
    monkeypatch.setattr(holding_out, "ENOUGH", 2)
    session.study.set_held_out("b", False)
    session.case_changed.emit("b")
    assert offer.isVisibleTo(dock)
    assert offer.button.text() == "Hold out 2 cases for measuring"
    assert session.study.held_out_cases() == ()
    qtbot.mouseClick(offer.button, Qt.MouseButton.LeftButton)
    assert session.study.held_out_cases() == ("a", "b")
    assert not offer.isVisibleTo(dock)
