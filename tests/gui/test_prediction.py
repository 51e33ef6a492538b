"""What a longer prediction says of itself."""

import pytest
from pytestqt.qtbot import QtBot

from cvrl_napari.engine.events import Progress
from cvrl_napari.gui import prediction as module
from cvrl_napari.gui.prediction import Prediction

pytestmark = pytest.mark.gui


def test_the_time_left_follows_from_the_windows_after_the_first(qtbot: QtBot, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    prediction = Prediction()
    for seconds, done, words in ((8.0, 2, "10 %"), (4.0, 4, "20 %, 32 s left"), (8.0, 8, "40 %, 24 s left")):
        now[0] += seconds
        with qtbot.waitSignal(prediction.changed):
            prediction._on_event(Progress(what="Predicting this scan", done=done, total=20, case="a.nii.gz"))
        assert prediction.words == words
    with qtbot.assertNotEmitted(prediction.changed):
        prediction._on_event(Progress(what="Predicting scans", done=0, total=1))
