"""What a move of the brush must not cost: garbage collection, the window put together twice."""

import gc

import pytest
from qtpy.QtCore import QEvent, QObject, QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.views.planes import AXIAL
from cvrl_napari.gui.views.stroke import Stroke
from cvrl_napari.gui.views.undisturbed import undisturbed

from .conftest import LEFT, NONE, canvas_of, move_event, place_of, settle

pytestmark = pytest.mark.gui


def test_garbage_waits_for_the_end_of_a_stroke_and_who_turned_it_off_keeps_it_off(linked):
    with undisturbed():
        stroke = Stroke(linked.labels, AXIAL)
        stroke.end()
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), undisturbed():
        raise KeyError
    assert gc.isenabled()
    stroke = Stroke(linked.labels, AXIAL)
    assert not gc.isenabled()
    stroke.end()
    assert gc.isenabled()


def test_a_stroke_on_the_canvas_is_left_alone(window, qtbot):
    viewer, dock = window
    dock.session.paint_with(1)
    canvas, labels = canvas_of(viewer), dock.session.layers.shown.labels
    at = place_of(viewer, labels.data_to_world([size // 2 for size in labels.data.shape]))
    QTest.mousePress(canvas, LEFT, NONE, at)
    assert not gc.isenabled()
    QTest.mouseRelease(canvas, LEFT, NONE, at)
    settle()
    assert gc.isenabled()


class Rounds(QObject):
    """Counts how often a window was put together."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.UpdateRequest
        return False


def test_a_move_that_paints_in_a_view_puts_the_window_together_once(linked, qtbot):
    linked.session.paint_with(1)
    view = linked.coronal
    at = view.rect().center()
    QTest.mousePress(view, LEFT, NONE, at)
    settle()
    rounds = Rounds()
    linked.views.window().installEventFilter(rounds)
    for step in range(1, 6):
        before, painted = rounds.count, linked.labels.data.any()
        place = at + QPoint(4 * step, 0)
        QApplication.sendEvent(view, move_event(view, place.toPointF(), LEFT, NONE))
        qtbot.waitUntil(lambda before=before: rounds.count > before)
        settle()
        assert painted
        assert rounds.count == before + 1
    linked.views.window().removeEventFilter(rounds)
    QTest.mouseRelease(view, LEFT, NONE, at)
