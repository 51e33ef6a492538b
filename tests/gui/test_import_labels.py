"""Labels made elsewhere through the dock: chosen, mapped in the dialog, on the screen as one step, on disk."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog, QInputDialog

from cvrl_napari.gui.class_panel import ClassPanel
from cvrl_napari.gui.import_labels import NEW_CLASS, ImportDialog
from cvrl_napari.gui.session import Session
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.writing import write

pytestmark = pytest.mark.gui

SHAPE = (12, 20, 16)


@pytest.fixture
def panel(ball_study: Study, qtbot: QtBot):
    """The class panel of a session whose case 'c', unlabeled, is on view."""
    folder = ball_study.folder
    ball_study.close()
    session = Session(ViewerModel())
    with qtbot.waitSignal(session.case_opened):
        session.open_study(folder)
    made = ClassPanel(session)
    made.session = session
    made.show()
    yield made
    session.shut_down()
    made.close()
    made.deleteLater()


@pytest.fixture
def choose(panel, qtbot, monkeypatch):
    """Return a function that presses Import, answers the file dialog and returns the dialog that asks for the values."""

    def choose(*files: Path) -> ImportDialog:
        monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([str(file) for file in files], ""))
        with qtbot.waitSignal(panel.session.importing.looked):
            qtbot.mouseClick(panel.import_button, Qt.MouseButton.LeftButton)
        return panel.findChildren(ImportDialog)[-1]

    return choose


@pytest.fixture
def save(panel, tmp_path: Path):
    """Return a function that writes an array on the grid of the case on view."""

    def save(array: np.ndarray, name: str, segments=()) -> Path:
        write(tmp_path / name, panel.session.layers.scan.with_array(array.astype(np.uint8)), segments)
        return tmp_path / name

    return save


def pick(dialog: ImportDialog, file: int, value: int, class_id: int) -> None:
    """Choose a class in the row of a value, as a person does: the choice is announced."""
    box = dialog.box(file, value)
    box.setCurrentIndex(box.findData(class_id))
    box.activated.emit(box.currentIndex())


def press(dialog: ImportDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.import_button, Qt.MouseButton.LeftButton)


def test_named_values_find_their_classes_and_come_as_one_step(panel, choose, save, qtbot):
    session = panel.session
    array = np.zeros(SHAPE)
    array[3:6, 4:9, 4:9], array[7:9, 4:9, 4:9] = 7, 9
    path = save(array, "other.nrrd", [Segment(7, "Shell", "#ff0000"), Segment(9, "Ball", "#00ff00")])
    dialog = choose(path)
    texts = [[dialog.table.item(row, column).text() for column in (1, 2, 3)] for row in range(2)]
    assert texts == [["7", "Shell", "75"], ["9", "Ball", "50"]]
    assert (dialog.box(0, 7).currentText(), dialog.box(0, 9).currentText()) == ("shell", "ball")
    assert dialog.complete.isChecked()  # nothing was painted before
    with qtbot.waitSignal(session.confirmed) as told:
        press(dialog, qtbot)
    assert told.args[1].startswith("125 voxels changed")
    expected = np.select([array == 7, array == 9], [2, 1])
    np.testing.assert_array_equal(session.layers.labels_array(), expected)
    with qtbot.waitSignal(session.painting.saved, timeout=6_000):
        pass
    np.testing.assert_array_equal(session.study.read_labels("c"), expected)
    assert session.study.case("c").state == "complete"
    labels = session.layers._shown.labels
    labels.undo()
    assert not session.layers.labels_array().any()
    labels.redo()
    np.testing.assert_array_equal(session.layers.labels_array(), expected)


def test_an_imported_class_replaces_its_paint_and_leaves_the_others(panel, choose, save, qtbot):
    session = panel.session
    painted = session.layers._shown.labels
    painted.paint((6, 10, 3), 1)
    painted.paint((6, 10, 12), 2)
    kept = session.layers.labels_array() == 2
    array = np.zeros(SHAPE)
    array[1, 1, 1] = 1
    dialog = choose(save(array, "ball.nii.gz"))
    assert not dialog.complete.isChecked()
    with qtbot.waitSignal(session.confirmed):
        press(dialog, qtbot)
    assert np.argwhere(session.layers.labels_array() == 1).tolist() == [[1, 1, 1]]
    np.testing.assert_array_equal(session.layers.labels_array() == 2, kept)


def test_several_files_are_merged_and_a_new_class_is_named(panel, choose, save, qtbot, monkeypatch):
    session = panel.session
    first, second = np.zeros(SHAPE), np.zeros(SHAPE)
    first[2:6, 5, 5], second[4:8, 5, 5] = 255, 1
    dialog = choose(save(first, "c_ball.nii.gz"), save(second, "c_rim.nii.gz"))
    assert [dialog.box(0, 255).currentText(), dialog.box(1, 1).currentText()] == ["ball", "ignore"]
    asked = []
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, text: (asked.append(text) or "rim", True))
    pick(dialog, 1, 1, NEW_CLASS)
    assert asked == ["c_rim"]
    assert dialog.box(1, 1).currentText() == "rim"
    assert dialog.box(0, 255).findText("rim") > 0  # offered to every row
    with qtbot.waitSignal(session.confirmed) as told:
        press(dialog, qtbot)
    assert [one.name for one in session.study.classes] == ["ball", "shell", "rim"]
    assert session.layers.labels_array()[2:9, 5, 5].tolist() == [1, 1, 3, 3, 3, 3, 0]
    assert "2 voxels were in several files" in told.args[1]


def test_a_name_that_was_typed_and_not_used_adds_no_class(panel, choose, save, qtbot, monkeypatch):
    array = np.zeros(SHAPE)
    array[0, 0, 0], array[0, 0, 1] = 1, 2
    dialog = choose(save(array, "ab.nii.gz"))
    names = iter(["rim", "hub"])
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, text: (next(names), True))
    pick(dialog, 0, 1, NEW_CLASS)
    pick(dialog, 0, 1, NEW_CLASS)
    assert dialog.choice.new_classes == ("hub",)
    assert dialog.choice.mapping == {(0, 1): 3, (0, 2): 2}
    pick(dialog, 0, 1, 0)
    pick(dialog, 0, 2, 0)
    assert not dialog.import_button.isEnabled()  # nothing would come of it
    dialog.reject()


def test_another_grid_is_resampled_only_after_asking(panel, choose, tmp_path: Path, qtbot):
    session = panel.session
    affine = np.diag([-3.0, -4.0, 3.0, 1.0])
    affine[:3, 3] = session.layers.scan.affine[:3, 3] + (-0.75, -1.0, 0.0)  # voxels twice as large in the plane
    coarse = np.zeros((8, 10, 12), np.uint8)
    coarse[3, 4, 5] = 1
    nibabel.save(nibabel.Nifti1Image(coarse, affine), tmp_path / "coarse.nii.gz")
    dialog = choose(tmp_path / "coarse.nii.gz")
    assert not dialog.import_button.isEnabled()
    assert dialog.resample.isVisibleTo(dialog)
    dialog.resample.click()
    with qtbot.waitSignal(session.confirmed):
        press(dialog, qtbot)
    assert np.argwhere(session.layers.labels_array()).tolist() == [[5, 8, 6], [5, 8, 7], [5, 9, 6], [5, 9, 7]]


def test_what_is_no_label_file_is_said(panel, tmp_path: Path, qtbot, monkeypatch):
    scan = str(panel.session.study.case("a").scan)
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: ([scan], ""))
    with qtbot.waitSignal(panel.session.noticed) as told:
        qtbot.mouseClick(panel.import_button, Qt.MouseButton.LeftButton)
    assert scan in told.args[0]
    assert panel.findChildren(ImportDialog) == []


def test_grey_values_are_doubted_first_and_mapped_by_who_knows_better(panel, choose, save, qtbot):
    session = panel.session
    grey = np.random.default_rng(0).integers(1, 120, SHAPE)
    dialog = choose(save(grey, "grey.nii.gz"))
    assert dialog.doubt.text().startswith("grey.nii.gz has 119 different values and looks like a scan, not labels")
    assert dialog.doubt.isVisible()
    assert not dialog.table.isVisible()
    assert not dialog.import_button.isEnabled()
    qtbot.mouseClick(dialog.show_values, Qt.MouseButton.LeftButton)
    assert dialog.table.isVisible()
    assert not dialog.doubt.isVisible()
    assert dialog.table.rowCount() == 119
    for value in range(3, 120):
        pick(dialog, 0, value, 0)
    with qtbot.waitSignal(session.confirmed):
        press(dialog, qtbot)
    np.testing.assert_array_equal(session.layers.labels_array(), np.where(grey < 3, grey, 0))
