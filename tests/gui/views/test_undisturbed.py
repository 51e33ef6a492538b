"""What a move of the brush must not cost: garbage collection, letters placed anew, the window put together twice."""

import gc

import pytest
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import TextOverlay
from qtpy.QtCore import QEvent, QObject, QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.letter_overlay import LetterOverlay
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


def test_letters_stay_where_they_are_while_the_circle_of_the_brush_moves(window, qtbot):
    viewer, dock = window
    dock.session.paint_with(1)
    canvas = viewer.window._qt_viewer.canvas
    letters = {
        overlay: made[0] for overlay, made in canvas._viewer_overlay_to_visual.items() if isinstance(overlay, LetterOverlay)
    }
    assert len(letters) == 4
    moved, seen = [], []
    for overlay, letter in letters.items():
        letter.node.transform.changed.connect(lambda _event, text=overlay.text: moved.append(text))
    circle = next(one for one in canvas._viewer_overlay_to_visual if type(one).__name__ == "BrushCircleOverlay")
    circle.events.position.connect(seen.append)
    for width, height in ((700, 501), (701, 500), (699, 503)):
        viewer.window.resize(width + 600, height + 200)
        settle()
        widths = {overlay.text: letter.node.get_width_height()[0] for overlay, letter in letters.items()}
        canvas._update_overlay_canvas_positions()
        assert all(0 <= letter.x_size - widths[overlay.text] < 2 for overlay, letter in letters.items())
        moved.clear()
        seen.clear()
        for step in range(3):
            circle.position = (width // 2 + step, 9)
        assert len(seen) == 3
        assert moved == [], "the letters are placed anew with every move of the brush: see letter_overlay.py"
    assert issubclass(overlay_to_visual[LetterOverlay], overlay_to_visual[TextOverlay])


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
        settle()
        assert painted
        assert rounds.count == before + 1
    linked.views.window().removeEventFilter(rounds)
    QTest.mouseRelease(view, LEFT, NONE, at)
