"""What has a round of the event loop of its own does not come on top of the drawing."""

import pytest
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QApplication, QWidget

from cvrl_napari.gui.own_round import OwnRound, in_own_round

pytestmark = pytest.mark.gui


class Painted(QWidget):
    """Writes down when it is drawn."""

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._log = log

    def paintEvent(self, event: object) -> None:
        self._log.append("drawn")


@pytest.mark.parametrize("again", [True, False])
def test_it_is_called_in_the_round_after_the_drawing(qtbot, again: bool):
    log: list[str] = []
    widget = Painted(log)
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.waitUntil(lambda: "drawn" in log)
    log.clear()
    widget.update()
    if again:
        call = OwnRound(0, lambda: log.append("called"), widget)
        call.start()
        assert call.is_due
    else:
        in_own_round(lambda: log.append("called"), widget, 0)
    while "called" not in log:
        QApplication.processEvents()
        log.append("round")
    assert log.index("drawn") < log.index("round") < log.index("called")
    assert log.count("called") == 1


def test_started_anew_it_is_called_once_and_later(qtbot):
    log, parent = [], QObject()
    call = OwnRound(20, lambda: log.append("called"), parent)
    call.start()
    call.start(1)
    with qtbot.waitSignal(call._turn.timeout, timeout=1000):
        pass
    assert log == ["called"]
    assert not call.is_due
    qtbot.wait(30)
    assert log == ["called"]


def test_nobody_is_called_back_who_is_gone(qtbot):
    log, parent = [], QObject()
    in_own_round(lambda: log.append("called"), parent, 1)
    OwnRound(1, lambda: log.append("called"), parent).start()
    with qtbot.waitSignal(parent.destroyed):
        parent.deleteLater()
    qtbot.wait(20)
    assert not log
