"""Views, contrast, ruler and 3D in a real napari window, by the mouse on its canvas; nothing survives."""

import gc
import weakref

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.views.layer_space import voxel_at

from .conftest import LEFT, RIGHT, canvas_of, move_event, place_of, settle

pytestmark = pytest.mark.gui
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def listeners_of(layer) -> dict[str, int]:
    return {name: len(emitter.callbacks) for name, emitter in layer.events.emitters.items() if emitter is not None}


def press_key(viewer, qtbot, key) -> None:
    """A key anywhere in the window; shortcuts are for the window that is in front."""
    window = viewer.window._qt_window
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, key)
    settle()


def test_views_open_beside_the_dock_and_are_gone_without_a_trace(window, qtbot):
    viewer, dock = window
    settle()
    labels = dock.session.layers.shown.labels
    listeners = listeners_of(labels)
    dims = len(viewer.dims.events.point.callbacks)
    known = []
    for _ in range(20):
        QTest.mouseClick(dock.view_panel.views_button, LEFT)
        known.append(weakref.ref(dock.viewing.views))
        dock.viewing.views.views[1].grab()
        QTest.mouseClick(dock.view_panel.views_button, LEFT)
    assert dock.viewing.views is None
    settle()
    qtbot.waitUntil(lambda: gc.collect() >= 0 and all(ref() is None for ref in known))
    assert {
        name: len(emitter.callbacks) for name, emitter in labels.events.emitters.items() if emitter is not None
    } == listeners
    assert len(viewer.dims.events.point.callbacks) == dims

    press_key(viewer, qtbot, Qt.Key.Key_F2)
    views = dock.viewing.views
    assert views.mapToGlobal(QPoint(0, 0)).x() > canvas_of(viewer).mapToGlobal(QPoint(0, 0)).x()
    assert views.mapToGlobal(QPoint(views.width(), 0)).x() <= dock.mapToGlobal(QPoint(0, 0)).x()
    qtbot.waitUntil(lambda: views.width() > 200)
    width = dock.width()
    # The cross of napari's dock.
    viewer.window.remove_dock_widget(views)
    qtbot.waitUntil(lambda: dock.viewing.views is None)
    assert not dock.view_panel.views_button.isChecked()
    settle()
    assert dock.width() <= width + 10, "the room is the canvas's again"


def test_the_mouse_on_the_canvas(window, qtbot):
    viewer, dock = window
    canvas, layers = canvas_of(viewer), dock.session.layers
    labels, image = layers.shown.labels, layers.shown.image
    dock.viewing.show_views(True, beside=dock)
    settle()
    dock.session.paint_with(2)
    before = labels.data.copy()
    center = np.array(labels.data_to_world(np.array(labels.data.shape) // 2), float)

    # Shift moves the crosshair, with the brush in hand and without painting.
    wanted = np.add(center, (0, 6, -4.5))
    QTest.mousePress(canvas, LEFT, SHIFT, place_of(viewer, wanted))
    QTest.mouseRelease(canvas, LEFT, SHIFT, place_of(viewer, wanted))
    settle()
    point = dock.viewing.views.views[0]._point
    np.testing.assert_allclose(point[1:], wanted[1:], atol=1.0)
    np.testing.assert_array_equal(labels.data, before)
    assert labels.mode == "paint"

    # Ctrl and the right button change the contrast, and nothing else.
    zoom, limits = camera_of(viewer).zoom, tuple(image.contrast_limits)
    start = place_of(viewer, center)
    QTest.mousePress(canvas, RIGHT, CTRL, start)
    for step in range(1, 6):
        QApplication.sendEvent(canvas, move_event(canvas, (start + QPoint(12 * step, 0)).toPointF(), RIGHT, CTRL))
        qtbot.wait(10)  # napari takes a move every 5 ms at most
    QTest.mouseRelease(canvas, RIGHT, CTRL, start + QPoint(60, 0))
    settle()
    assert image.contrast_limits[1] - image.contrast_limits[0] > 1.05 * (limits[1] - limits[0])
    assert camera_of(viewer).zoom == zoom
    assert labels.mode == "paint"
    np.testing.assert_array_equal(labels.data, before)

    # A stroke on the canvas is in the views; a stroke in a view is undone from the keyboard there.
    QTest.mousePress(canvas, LEFT, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseRelease(canvas, LEFT, Qt.KeyboardModifier.NoModifier, start)
    settle()
    assert (labels.data == 2).any()
    coronal = dock.viewing.views.views[1]
    coronal.setFocus()
    QTest.keyClick(coronal, Qt.Key.Key_Z, CTRL)
    settle()
    np.testing.assert_array_equal(labels.data, before)
    QTest.keyClick(coronal, Qt.Key.Key_1)
    assert dock.session.selected_class == 1

    # The ruler, on the canvas.
    press_key(viewer, qtbot, Qt.Key.Key_F4)
    assert dock.viewing.ruler.is_on
    for place in (np.add(center, (0, -6, 0)), np.add(center, (0, 6, 0))):
        QTest.mouseClick(canvas, LEFT, Qt.KeyboardModifier.NoModifier, place_of(viewer, place))
        settle()
    (line,) = dock.viewing.ruler.lines
    assert line.length_mm == pytest.approx(12, abs=1.0)
    np.testing.assert_array_equal(labels.data, before)
    press_key(viewer, qtbot, Qt.Key.Key_F4)
    assert labels.mode == "paint"


def test_the_patients_left_is_on_the_right_when_seen_from_the_front(window, qtbot):
    """Two blocks in two colours: on the left, and towards the head."""
    viewer, dock = window
    labels = dock.session.layers.shown.labels
    labels.data[:] = 0
    labels.data[4:8, 8:12, 12:15] = 1  # left
    labels.data[9:12, 8:12, 6:10] = 2  # head
    dock.session.painting.painted.emit("a")
    dock.viewing.surfaces.turn(True)
    qtbot.waitUntil(lambda: {"ball (labels)", "shell (labels)"} <= {layer.name for layer in viewer.layers})
    settle()
    dock.edges.close()  # text has colours too
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)
    colors = [np.array([int(one.color[n : n + 2], 16) for n in (1, 3, 5)]) for one in dock.session.study.classes]
    bright = picture.sum(axis=-1) > 60
    unit = picture / np.maximum(np.linalg.norm(picture, axis=-1, keepdims=True), 1)
    likeness = np.stack([unit @ (color / np.linalg.norm(color)) for color in colors])
    places = [np.argwhere(bright & (likeness.argmax(axis=0) == n)).mean(axis=0) for n in (0, 1)]
    left, head = places
    assert left[1] > head[1] + 10, "the left is drawn left"
    assert head[0] < left[0] - 10, "the head is drawn below"
    dock.viewing.surfaces.turn(False)
    assert voxel_at(labels, viewer.dims.point)[0] < 12


def test_the_crosshair_is_on_the_canvas_while_the_views_are_open_and_f5_takes_it_away(window, qtbot):
    viewer, dock = window
    image = dock.session.layers.shown.image
    viewer.dims.set_point(range(3), image.data_to_world(np.array(image.data.shape) // 2))
    for layer in viewer.layers:
        layer.visible = False  # on black

    def yellow() -> np.ndarray:
        settle()
        picture = viewer.screenshot(canvas_only=True, flash=False).astype(int)
        row, column = place_of(viewer, viewer.dims.point).y(), place_of(viewer, viewer.dims.point).x()
        return (picture[row - 2 : row + 3, :, 0] - picture[row - 2 : row + 3, :, 2] > 40).any(axis=0), column

    assert not yellow()[0][100:-100].any()
    press_key(viewer, qtbot, Qt.Key.Key_F2)
    seen, column = yellow()
    assert seen[100:-100].mean() > 0.7  # but for the gap
    assert not seen[column - 3 : column + 4].any()
    press_key(viewer, qtbot, Qt.Key.Key_F5)
    assert not dock.view_panel.lines_button.isChecked()
    assert not yellow()[0][100:-100].any()
    press_key(viewer, qtbot, Qt.Key.Key_F5)
    assert yellow()[0][100:-100].any()
    press_key(viewer, qtbot, Qt.Key.Key_F2)
    assert not yellow()[0][100:-100].any()
    assert not dock.view_panel.lines_button.isVisible()
