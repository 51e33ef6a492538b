"""Deleting and reordering classes from the panel, with what is on view and on disk."""

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QLineEdit, QMessageBox

from cvrl_napari.gui.case_layers import HELP
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.study import Study

from .person import answering

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(ball_study: Study, qtbot: QtBot):
    """The dock with case 'c' on view; on 'a' and 'b' the ball is painted, on 'c' two voxels of it and three of the shell."""
    made = CvrlDock(ViewerModel())
    made.show()
    ball_study.close()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([ball_study.folder])
    layer = labels_of(made)
    layer.data_setitem((np.array([1, 1]), np.array([2, 3]), np.array([4, 4])), 1)
    layer.data_setitem((np.array([1, 1, 1]), np.array([2, 3, 4]), np.array([7, 7, 7])), 2)
    yield made
    made.close()
    made.deleteLater()


def labels_of(dock: CvrlDock):
    return next(layer for layer in dock.session.layers._viewer.layers if layer.name.startswith("Labels"))


def rows(dock: CvrlDock) -> list[str]:
    return [dock.class_panel.list.item(row).text() for row in range(dock.class_panel.list.count())]


def press(box: QMessageBox, role: QMessageBox.ButtonRole) -> None:
    next(button for button in box.buttons() if box.buttonRole(button) == role).click()


def test_a_deleted_class_is_gone_from_the_list_the_screen_and_the_disk(dock, qtbot):
    asked = []

    def delete(box):
        asked.append(f"{box.text()} {box.informativeText()}")
        assert box.defaultButton() is box.button(QMessageBox.StandardButton.Cancel)
        press(box, QMessageBox.ButtonRole.DestructiveRole)

    balls = sum((dock.session.study.read_labels(case) == 1).sum() for case in "ab") + 2
    dock.session.select_class(1)
    done = qtbot.waitSignal(dock.class_panel.order.working, check_params_cb=lambda working: not working, timeout=10_000)
    with done, answering(QMessageBox, delete):
        qtbot.keyClick(dock.class_panel.list, Qt.Key.Key_Delete)
    assert "Delete the class 'ball'?" in asked[0]
    assert f"painted on 3 cases, {balls:,} voxels" in asked[0]
    assert rows(dock) == ["shell", "background"]
    expected = np.zeros((12, 20, 16), np.uint8)
    expected[1, 2:5, 7] = 1
    np.testing.assert_array_equal(labels_of(dock).data, expected)
    np.testing.assert_array_equal(dock.session.study.read_labels("c"), expected)
    assert [case.state for case in dock.session.study.cases] == ["unlabeled", "unlabeled", "partial", "unlabeled"]
    labels_of(dock).undo()  # what was painted with other numbers is no longer undone
    np.testing.assert_array_equal(labels_of(dock).data, expected)
    qtbot.waitUntil(lambda: dock.session.measuring.volumes.get("c") == {1: pytest.approx(3 * 9.0 / 1000)}, timeout=5_000)


def test_f2_renames_a_class_and_leaves_the_background_alone(dock, qtbot):
    dock.session.select_class(2)
    qtbot.keyClick(dock.class_panel.list, Qt.Key.Key_F2)
    editor = dock.class_panel.list.findChild(QLineEdit)
    editor.setText("rind")
    with qtbot.waitSignal(dock.session.classes_changed):
        qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert rows(dock) == ["ball", "rind", "background"]
    dock.session.paint_with(255)
    qtbot.keyClick(dock.class_panel.list, Qt.Key.Key_F2)
    assert dock.class_panel.list.state() != QAbstractItemView.State.EditingState


def test_the_arrow_keys_take_a_class_in_hand_and_delete_means_the_row_that_is_marked(dock, qtbot):
    panel, layer = dock.class_panel, labels_of(dock)
    panel.list.setFocus()
    layer.mode = "pan_zoom"
    qtbot.keyClick(panel.list, Qt.Key.Key_Down)
    assert (panel.list.currentRow(), dock.session.selected_class, layer.selected_label) == (1, 2, 2)
    assert layer.mode == "pan_zoom", "only looking"
    asked = []

    def refuse(box):
        asked.append(box.text())
        press(box, QMessageBox.ButtonRole.RejectRole)

    with answering(QMessageBox, refuse):
        qtbot.keyClick(panel.list, Qt.Key.Key_Delete)
    assert asked == ["Delete the class 'shell'?"]
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    assert (layer.mode, layer.selected_label) == ("paint", 2)
    qtbot.keyClick(panel.list, Qt.Key.Key_1)
    assert (panel.list.currentRow(), layer.selected_label) == (0, 1)
    qtbot.keyClick(panel.list, Qt.Key.Key_0)
    assert (panel.list.currentRow(), layer.selected_label) == (2, 255)


def test_a_study_for_reading_only_offers_no_change_of_its_classes_and_no_study_none_of_a_case(dock, qtbot):
    panel, session = dock.class_panel, dock.session
    folder = session.study.folder
    changing = (panel.add_button, panel.color_button, panel.import_button, panel.complete)
    with qtbot.waitSignal(session.case_opened):
        session.open_case("a")
    assert all(button.isEnabled() for button in changing)
    assert session.close_study()
    assert not any(button.isEnabled() for button in changing)
    with qtbot.waitSignal(session.case_opened):
        session.open_study(folder, read_only=True)
    with qtbot.waitSignal(session.case_opened):
        session.open_case("a")
    session.select_class(1)
    assert not any(button.isEnabled() for button in changing)
    assert panel.complete.isChecked()
    assert not panel.list.item(0).flags() & Qt.ItemFlag.ItemIsEditable


def test_the_status_bar_tells_the_keys_of_the_dock(dock):
    viewer, layer = dock.session.layers._viewer, labels_of(dock)
    for mode in ("paint", "erase", "pan_zoom"):
        layer.mode = mode
        assert viewer.help == HELP
    viewer.layers.selection.active = dock.session.layers.shown.mask
    assert viewer.help == HELP


def test_cancel_keeps_it(dock):
    with answering(QMessageBox, lambda box: press(box, QMessageBox.ButtonRole.RejectRole)):
        dock.class_panel.delete_action.trigger()
    assert rows(dock) == ["ball", "shell", "background"]


def test_a_moved_class_keeps_its_voxels_color_and_the_brush(dock, qtbot):
    before = labels_of(dock).data.copy()
    colors = {one.name: one.color for one in dock.session.study.classes}
    dock.session.select_class(2)
    with qtbot.waitSignal(dock.class_panel.order.working, check_params_cb=lambda working: not working, timeout=10_000):
        dock.class_panel.up_action.trigger()
    assert rows(dock) == ["shell", "ball", "background"]
    assert {one.name: one.color for one in dock.session.study.classes} == colors
    np.testing.assert_array_equal(labels_of(dock).data, np.choose(before, (0, 2, 1)))
    assert labels_of(dock).selected_label == 1
    assert [case.state for case in dock.session.study.cases] == ["complete", "complete", "partial", "unlabeled"]


def test_not_while_a_training_is_under_way(dock, qtbot):
    dock.session.training.phase = "running"
    with qtbot.waitSignal(dock.session.noticed, check_params_cb=lambda sentence, *_: "training" in sentence):
        dock.class_panel.delete_action.trigger()
    dock.session.training.phase = "idle"
