"""What is painted on the case on view, before it is on disk."""

import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from cvrl_napari.gui.session import Session
from cvrl_napari.study.labels import BACKGROUND

pytestmark = pytest.mark.gui


def test_a_structure_is_found_wherever_it_is_painted(ball_study, qtbot: QtBot):
    folder = ball_study.folder
    ball_study.close()
    session = Session(ViewerModel())
    with qtbot.waitSignal(session.case_opened):
        session.open_study(folder)
    labels = session.layers.shown.labels
    assert session.case == "c"
    assert not session.painting.has_structure()
    for z, value, found in ((8, 1, True), (8, 0, False), (2, BACKGROUND, False), (3, 2, True), (11, 1, True), (3, 0, True)):
        labels.paint((z, 10, 8), value)
        assert session.painting.has_structure() == found
    session.shut_down()
