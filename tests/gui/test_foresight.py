"""The plan under the button before it is pressed: there, up to date, and gone with the reason when a training cannot work."""

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from cvrl_napari.engine.events import Planned, RunDone
from cvrl_napari.gui import foresight
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.train_panel import TrainPanel
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui

PATIENCE_MS = 120_000


@pytest.fixture
def panel(ball_study: Study, qtbot: QtBot):
    """The panel on an open study, set to a run of three steps."""
    folder = ball_study.folder
    ball_study.close()
    session = Session(ViewerModel())
    made = TrainPanel(session)
    made.set_options(method="supervised", preset="quick", device="cpu", steps=3)
    qtbot.addWidget(made)
    with qtbot.waitSignal(session.case_opened):
        assert session.open_study(folder)
    yield made
    made.close_history()
    session.shut_down()


def test_the_plan_is_told_before_train_is_pressed_and_is_what_is_done(panel: TrainPanel, qtbot: QtBot):
    session, foreseen = panel._session, panel.foresight
    qtbot.waitUntil(lambda: foreseen.foreseen is not None, timeout=PATIENCE_MS)
    assert len(panel.plan.text().splitlines()) == 2
    assert "for 3 steps" in panel.why.text()
    assert panel.plan.isVisibleTo(panel)
    panel.why_button.click()
    assert "2 pieces of labeled scans, in float32" in panel.why.text()

    panel.set_options(steps=5)
    qtbot.waitUntil(lambda: "for 5 steps" in panel.why.text(), timeout=PATIENCE_MS)
    told = foreseen.foreseen
    assert told is not None
    pid = session.training.warm.pid
    events: list[object] = []
    session.training.event_received.connect(events.append)
    with qtbot.waitSignal(session.training.ended, timeout=PATIENCE_MS) as ended:
        panel.button.click()
        worker = session.training._worker
    assert worker is not None
    assert worker.pid == pid, "the child that told the plan carries it out"
    assert isinstance(ended.args[0], RunDone), ended.args[0]
    planned = events[0]
    assert isinstance(planned, Planned)
    assert planned.plan == told.plan


def test_a_question_on_its_way_takes_nothing_from_the_run(panel: TrainPanel, qtbot: QtBot):
    session = panel._session
    events: list[object] = []
    session.training.event_received.connect(events.append)
    panel.foresight._timer.stop()
    panel.foresight._ask()
    with qtbot.waitSignal(session.training.ended, timeout=PATIENCE_MS) as ended:
        panel.button.click()
    assert isinstance(ended.args[0], RunDone), ended.args[0]
    assert isinstance(events[0], Planned)


def test_what_cannot_work_is_refused_with_the_reason_until_it_can(panel: TrainPanel, qtbot: QtBot, monkeypatch):
    monkeypatch.setattr(foresight, "AGAIN_MS", 300)
    study = panel._session.study
    assert study is not None
    qtbot.waitUntil(lambda: panel.foresight.foreseen is not None, timeout=PATIENCE_MS)
    scans = [case.scan for case in study.cases]
    for scan in scans:
        scan.rename(scan.with_suffix(".away"))
    panel.set_options(steps=4)
    qtbot.waitUntil(lambda: bool(panel.foresight.refusal), timeout=PATIENCE_MS)
    assert "is no longer at" in panel.missing.text()
    assert not panel.button.isEnabled()
    assert panel.plan.text() == ""
    for scan in scans:
        scan.with_suffix(".away").rename(scan)
    qtbot.waitUntil(lambda: "for 4 steps" in panel.why.text(), timeout=PATIENCE_MS)
    assert panel.button.isEnabled()
    assert not panel.missing.isVisibleTo(panel)
