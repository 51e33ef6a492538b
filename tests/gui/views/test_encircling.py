"""With the brush in hand the right button draws an outline that is filled, held down all the way round or only clicked."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.case_view import camera_of

from .conftest import RIGHT, canvas_of, move_event, place_of, settle

pytestmark = pytest.mark.gui
NO_BUTTON, NONE = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier


@pytest.mark.parametrize("brings_mask", [False, True])
def test_a_drag_and_a_click_fill_the_same_area_as_one_step(window, qtbot, brings_mask):
    viewer, dock = window
    canvas, layers = canvas_of(viewer), dock.session.layers
    labels = layers.shown.labels
    mask = np.zeros(labels.data.shape, np.uint8)
    mask[:, :10], mask[:, 10:] = 1, 2
    layers.set_mask(mask)
    dock.session.paint_with(2)
    dock.tool_box.taking_over.bring_with_brush(brings_mask)
    labels.brush_size = 1
    before = labels.data.copy()
    center = np.array(labels.data_to_world(np.array(labels.data.shape) // 2), float)
    turns = np.linspace(0, 2 * np.pi, 25)
    ring = [place_of(viewer, np.add(center, (0, 12 * np.sin(turn), 7 * np.cos(turn)))) for turn in turns]
    zoom = camera_of(viewer).zoom

    def lead(places, button) -> None:
        for place in places:
            qtbot.wait(10)  # napari takes a move every 5 ms at most
            QApplication.sendEvent(canvas, move_event(canvas, place.toPointF(), button, NONE))
            settle()

    QTest.mousePress(canvas, RIGHT, NONE, ring[0])
    lead(ring[1:-3], RIGHT)
    QTest.mouseRelease(canvas, RIGHT, NONE, ring[-4])  # not quite round: it is closed
    settle()
    dragged = labels.data.copy()
    new = dragged != before
    assert new.sum() > 60
    assert len(np.unique(np.nonzero(new)[0])) == 1, "on one slice"
    np.testing.assert_array_equal(dragged[new], mask[new] if brings_mask else 2)
    assert camera_of(viewer).zoom == zoom
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)

    # As napari has it: a click begins, the mouse goes round without a button.
    QTest.mouseClick(canvas, RIGHT, NONE, ring[0])
    lead([*ring[1:], ring[0]], NO_BUTTON)
    clicked = labels.data != before
    assert (clicked & new).sum() > 0.9 * max(clicked.sum(), new.sum())
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)
