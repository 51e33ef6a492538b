"""Linked views by mouse and key: one crosshair, one brush, one undo history."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.engine.events import PreviewReady
from cvrl_napari.gui.views.layer_space import voxel_at

from .conftest import RIGHT, colour_at

pytestmark = pytest.mark.gui
SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


def moved(linked, **by) -> np.ndarray:
    """The crosshair's point, some mm away along z, y or x."""
    return np.array(linked.crosshair.point) + [by.get(axis, 0) for axis in "zyx"]


def test_the_views_are_of_the_planes_that_the_canvas_does_not_show(linked):
    assert [view.plane.name for view in linked.views.shown_views()] == ["Coronal", "Sagittal"]
    linked.viewer.dims.order = (1, 0, 2)
    assert [view.plane.name for view in linked.views.shown_views()] == ["Axial", "Sagittal"]
    linked.viewer.dims.ndisplay = 3
    assert [view.plane.name for view in linked.views.shown_views()] == ["Axial", "Coronal", "Sagittal"]


def test_a_click_leads_the_crosshair_in_all_views_and_the_canvas(linked, mouse):
    wanted = moved(linked, z=6, x=-4.5)
    mouse.click(linked.coronal, wanted)
    np.testing.assert_allclose(linked.crosshair.point, wanted, atol=0.5)
    assert linked.viewer.dims.current_step[0] == voxel_at(linked.labels, wanted)[0]
    assert linked.sagittal.index == voxel_at(linked.labels, wanted)[2]


def test_shift_leads_it_without_a_button_and_brush_in_hand(linked, mouse):
    linked.session.paint_with(1)
    before = linked.labels.data.copy()
    wanted = moved(linked, z=-6, y=4)
    mouse.hover(linked.sagittal, wanted, Qt.KeyboardModifier.NoModifier)
    assert linked.crosshair.point != pytest.approx(tuple(wanted), abs=0.5)
    mouse.hover(linked.sagittal, wanted, SHIFT)
    assert linked.crosshair.point == pytest.approx(tuple(wanted), abs=0.5)
    mouse.click(linked.sagittal, moved(linked, z=3), SHIFT)
    np.testing.assert_array_equal(linked.labels.data, before)


def test_wheel_and_keys_scroll_by_slices_of_the_scan(linked, mouse):
    index = linked.coronal.index
    mouse.wheel(linked.coronal, 1)
    assert linked.coronal.index == index + 1
    mouse.wheel(linked.coronal, 0.5)
    mouse.wheel(linked.coronal, 0.5)
    assert linked.coronal.index == index + 2
    QTest.keyClick(linked.coronal, Qt.Key.Key_Down)
    assert linked.coronal.index == index + 1
    QTest.keyClick(linked.coronal, Qt.Key.Key_PageDown)
    assert linked.coronal.index == 1 or linked.coronal.index == 0
    assert linked.sagittal.index == linked.labels.data.shape[2] // 2


def test_zoom_pan_and_fit(linked, mouse):
    view = linked.coronal
    fitted = view.frame
    mouse.wheel(view, 2, CTRL)
    assert view.frame.zoom == pytest.approx(fitted.zoom * 1.44)
    point = linked.crosshair.point
    mouse.drag_pixels(view, QPoint(60, 60), QPoint(40, 20))
    assert linked.crosshair.point == point
    QTest.keyClick(view, Qt.Key.Key_Home)
    assert view.frame == fitted


def test_each_view_has_the_letters_of_its_plane(linked):
    assert linked.axial.letters == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    assert linked.coronal.letters == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    assert linked.sagittal.letters == {"top": "S", "bottom": "I", "left": "A", "right": "P"}


def test_a_stroke_in_one_view_is_a_step_in_the_labels_and_is_seen_in_the_others(linked, mouse, qtbot):
    session, labels = linked.session, linked.labels
    session.paint_with(2)
    labels.brush_size = 3
    mouse.click(linked.coronal, moved(linked), SHIFT)
    before = labels.data.copy()
    spot = moved(linked, z=9)
    seen = colour_at(linked.sagittal, spot)
    with qtbot.waitSignal(session.layers.labels_painted):
        mouse.drag(linked.coronal, moved(linked, z=9, x=-3), moved(linked, z=9, x=3))
    changed = np.argwhere(labels.data != before)
    assert set(changed[:, 1]) == {linked.coronal.index}
    assert labels.data[tuple(voxel_at(labels, spot))] == 2
    assert colour_at(linked.sagittal, spot) != seen
    QTest.keyClick(linked.coronal, Qt.Key.Key_Z, CTRL)  # without napari's window nobody takes the key: undone below
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)
    assert colour_at(linked.sagittal, spot) == seen


def test_what_is_painted_on_the_canvas_is_seen_in_the_views_at_once(linked):
    spot = moved(linked, z=9)
    seen = colour_at(linked.coronal, spot)
    linked.session.paint_with(2)
    linked.labels.paint(tuple(voxel_at(linked.labels, spot)), 2)
    assert colour_at(linked.coronal, spot) != seen


def test_the_eraser_the_picker_and_filling(linked, mouse):
    labels = linked.labels
    inside = labels.data_to_world(np.argwhere(labels.data == 1).mean(axis=0))
    linked.crosshair.move(inside)
    labels.mode = "pick"
    labels.selected_label = 2
    mouse.click(linked.coronal, inside)
    assert labels.selected_label == 1
    labels.mode, labels.brush_size = "erase", 1
    mouse.click(linked.coronal, inside)
    assert labels.data[tuple(voxel_at(labels, inside))] == 0
    labels.mode, labels.selected_label = "fill", 2
    mouse.click(linked.coronal, inside + np.array((3.0, 0, 0)))
    assert set(np.unique(labels.data[:, linked.coronal.index])) == {0, 2}
    assert (labels.data == 1).any()


def test_a_right_drag_changes_the_contrast_everywhere(linked, mouse):
    image = linked.session.layers.shown.image
    low, high = image.contrast_limits
    mouse.drag_pixels(linked.coronal, QPoint(50, 50), QPoint(60, 0), RIGHT)
    assert image.contrast_limits[1] - image.contrast_limits[0] > 1.1 * (high - low)
    bright = colour_at(linked.sagittal, moved(linked, z=9))
    mouse.drag_pixels(linked.coronal, QPoint(50, 100), QPoint(0, -60), RIGHT)
    assert sum(colour_at(linked.sagittal, moved(linked, z=9))) > sum(bright)


def test_the_ruler_measures_mm_in_any_plane(linked, mouse):
    viewing = linked.viewing
    viewing.ruler.turn(True)
    steps = linked.viewer.dims.nsteps
    mouse.drag(linked.coronal, moved(linked, z=-9, x=-4.5), moved(linked, z=9, x=4.5))
    (line,) = viewing.ruler.lines
    assert line.length_mm == pytest.approx(np.hypot(18, 9), abs=0.6)
    mouse.click(linked.sagittal, moved(linked, y=-8))
    mouse.click(linked.sagittal, moved(linked, y=8))
    assert viewing.ruler.lines[1].length_mm == pytest.approx(16, abs=0.6)
    assert viewing.ruler.lines[1].words.endswith(" mm")
    mouse.click(linked.sagittal, moved(linked, y=-1000))
    mouse.click(linked.sagittal, moved(linked, y=1000))
    assert linked.viewer.dims.nsteps == steps  # no line leaves the scan and lengthens the sliders
    assert not (linked.labels.data == 2).any()
    viewing.ruler.turn(False)
    assert viewing.ruler.lines == ()
    assert linked.viewer.layers.selection.active is linked.labels
    assert [layer.name for layer in linked.viewer.layers if layer.name == "Ruler"] == []


def test_another_case_takes_the_place_and_its_mask_is_seen(linked, qtbot, tmp_path):
    session = linked.session
    with qtbot.waitSignal(session.case_opened):
        session.open_case("c")
    QApplication.processEvents()
    spot = moved(linked, z=9)
    seen = colour_at(linked.coronal, spot)
    assert not session.layers.labels_array().any()
    mask = np.zeros(session.layers.labels_array().shape, np.uint8)
    z, y, x = voxel_at(linked.labels, spot)
    mask[z, y - 1 : y + 2, x - 1 : x + 2] = 1
    np.save(tmp_path / "preview.npy", mask)
    box = tuple((0, size) for size in mask.shape)
    event = PreviewReady(step=1, case="c", path=str(tmp_path / "preview.npy"), box=box, seconds=0.0)
    assert session.layers.update_overlay(event)
    assert colour_at(linked.coronal, spot) != seen


def test_a_layer_that_is_hidden_or_taken_away_is_not_drawn(linked):
    inside = np.add(linked.labels.data_to_world(np.argwhere(linked.labels.data == 1).mean(axis=0)), (0, 2, 0))
    linked.crosshair.move(inside)
    seen = colour_at(linked.sagittal, np.add(inside, (4, 0, 0)))
    linked.labels.visible = False
    QApplication.processEvents()
    assert colour_at(linked.sagittal, np.add(inside, (4, 0, 0))) != seen
    linked.session.layers.clear()
    QApplication.processEvents()
    assert linked.sagittal.index is None
    linked.sagittal.grab()


def test_in_3d_surfaces_are_made_and_the_views_go_on(linked, mouse, qtbot):
    viewer, surfaces, labels = linked.viewer, linked.viewing.surfaces, linked.labels
    visible = [layer.visible for layer in viewer.layers]
    linked.session.paint_with(1)
    with qtbot.waitSignal(surfaces.changed):
        surfaces.turn(True)
    qtbot.waitUntil(lambda: any(layer.name == "ball (labels)" for layer in viewer.layers))
    assert viewer.dims.ndisplay == 3
    (ball,) = [layer for layer in viewer.layers if layer.name == "ball (labels)"]
    center = labels.data_to_world(np.argwhere(labels.data == 1).mean(axis=0))
    np.testing.assert_allclose(ball.data[0].mean(axis=0), center, atol=1.5)
    QApplication.processEvents()
    assert colour_at(linked.axial, moved(linked)) != (0, 0, 0)
    z, y, x = voxel_at(labels, moved(linked, z=9))
    before = colour_at(linked.coronal, moved(linked, z=9))
    mask = labels.data.copy()
    mask[z : z + 2, y, x : x + 2] = 2
    linked.session.layers.set_mask(mask)
    linked.session.accept()
    qtbot.waitUntil(lambda: any(layer.name == "shell (labels)" for layer in viewer.layers))
    assert colour_at(linked.coronal, moved(linked, z=9)) != before
    labels.undo()
    qtbot.waitUntil(lambda: not any(layer.name == "shell (labels)" for layer in viewer.layers))
    surfaces.turn(False)
    assert viewer.dims.ndisplay == 2
    assert [layer.visible for layer in viewer.layers] == visible
    assert labels.mode == "paint"
