"""Every dialog without a mouse: where the focus is at first, Tab through all of it in the order it is seen, Enter, Escape.

Enter means what can be taken back; what cannot has Cancel as its default.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDialog, QFileDialog, QInputDialog, QMessageBox, QPushButton

from cvrl_napari.gui import reading_questions
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.case_choice import CaseChoice
from cvrl_napari.gui.import_labels import NEW_CLASS, ImportDialog
from cvrl_napari.gui.keys_sheet import KeysSheet
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.note_dialog import NoteDialog
from cvrl_napari.gui.reading_questions import PartDialog
from cvrl_napari.gui.saving import ask_where
from cvrl_napari.gui.series_picker import SeriesPicker
from cvrl_napari.gui.version_dialog import VersionDialog
from cvrl_napari.gui.waiting import Waiting
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.dicom_catalog import Series
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError
from cvrl_napari.volumes.writing import write

from .keyboard import as_seen, bring_to_front, default_of, focus_of, walked, words
from .person import answering, settle

pytestmark = pytest.mark.gui
CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def dock(ball_study: Study, qtbot: QtBot):
    """The dock by itself, with case 'a' on view."""
    made = CvrlDock(ViewerModel())
    made.resize(420, 700)
    made.show()
    ball_study.close()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([ball_study.folder])
    with qtbot.waitSignal(made.session.case_opened):
        made.session.open_case("a")
    yield made
    made.close()
    made.deleteLater()


def look_through(dialog: QDialog, *, first: str, default: str) -> None:
    """Where the focus is, where Tab leads, what Enter does; the dialog stays."""
    bring_to_front(dialog)
    title = dialog.windowTitle() or type(dialog).__name__
    assert words(focus_of(dialog)) == first, f"{title}: what has the focus at first"
    assert default_of(dialog) == default, f"{title}: what Enter does"
    assert list(map(words, walked(dialog))) == list(map(words, as_seen(dialog))), f"{title}: the way of Tab"
    assert dialog.isVisible()


def refused(dialog: QDialog) -> bool:
    """Press Escape, and say whether the dialog went without being agreed to."""
    ends: list[str] = []
    dialog.accepted.connect(lambda: ends.append("agreed"))
    dialog.rejected.connect(lambda: ends.append("refused"))
    QTest.keyClick(focus_of(dialog), Qt.Key.Key_Escape)
    settle()
    return ends == ["refused"]


def asked(kind: type[Any], act: Callable[[], object], look: Callable[[Any], None]) -> None:
    """Do something that asks, look the question through, and see that Escape refuses."""
    seen: list[bool] = []

    def answer(dialog: QDialog) -> None:
        try:
            look(dialog)
            seen.append(refused(dialog))
        finally:
            dialog.reject()

    with answering(kind, answer):
        act()
    assert seen == [True]


def test_a_new_study(dock, tmp_path):
    (tmp_path / "more").mkdir()
    dock.ask_for_new_study([tmp_path / "more"])
    dialog = dock.findChild(NewStudyDialog)
    QTest.keyClicks(dialog.classes_edit, "heart")
    settle()
    look_through(dialog, first="heart", default="Make the study")
    assert refused(dialog)


@pytest.mark.parametrize("channels", [True, False])
def test_which_volume_of_a_file(dock, tmp_path, channels):
    error = SeveralVolumesError(tmp_path / "film.nii.gz", 4)

    def look(dialog: PartDialog) -> None:
        look_through(dialog, first="QSlider", default="Use this one")
        dialog.slider.setFocus()
        QTest.keyClick(dialog.slider, Qt.Key.Key_Right)
        assert dialog.part == 1

    asked(PartDialog, lambda: reading_questions.choose_part(error, channels=channels), look)


def test_slices_that_form_no_grid(dock, tmp_path):
    error = UnevenSlicesError(f"{tmp_path / 'series'} has slices at distances from 2 to 4 mm: it can be resampled.")

    def look(dialog: QMessageBox) -> None:
        look_through(dialog, first="Cancel", default="Cancel")

    asked(QMessageBox, lambda: reading_questions.agree_to_resample(error), look)


def test_which_series(dock, tmp_path, qtbot):
    def series(name: str, number: int, *, preselected: bool) -> Series:
        return Series(
            path=tmp_path / name,
            study="1.2",
            series=f"1.2.{number}",
            modality="MR",
            number=number,
            description=name,
            size=(64, 64, 9),
            spacing=(0.7, 0.7, 2.0),
            parts=1,
            is_scout=not preselected,
            preselected=preselected,
            middle=None,  # of which no picture can be made
        )

    picker = SeriesPicker([series("axial", 1, preselected=True), series("scout", 2, preselected=False)], dock)
    picker.open()
    look_through(picker, first="DICOM series", default="Use 1 series")
    picker.rows.setFocus()
    QTest.keyClick(picker.rows, Qt.Key.Key_Return)
    assert picker.result() == QDialog.DialogCode.Accepted, "Enter in the list takes what is ticked"
    picker.open()
    assert refused(picker)


def test_what_the_values_of_a_label_file_mean(dock, tmp_path, qtbot):
    session = dock.session
    array = np.zeros(session.layers.labels_array().shape, np.uint8)
    array[2:4], array[5:7] = 7, 9
    write(tmp_path / "other.nii.gz", session.layers.scan.with_array(array))
    with qtbot.waitSignal(session.importing.looked):
        session.importing.look([tmp_path / "other.nii.gz"])
    dialog = dock.findChild(ImportDialog)
    box = dialog.box(0, 7)
    box.setCurrentIndex(1)
    look_through(dialog, first=words(box), default="Import")

    def look(naming: QInputDialog) -> None:
        look_through(naming, first="structure 3", default="OK")

    assert box.itemData(box.count() - 1) == NEW_CLASS
    asked(QInputDialog, lambda: QTest.keyClick(box, Qt.Key.Key_End), look)
    assert box.currentText() == "ignore"
    assert refused(dialog)


def test_earlier_versions(dock, qtbot):
    for value in (1, 2):
        dock.session.layers.shown.labels.data_setitem((np.array([0]), np.array([0]), np.array([value])), value)
        assert dock.session.save_now()
    with qtbot.waitSignal(dock.study_panel.editing.looked):
        dock.study_panel.editing.look_for_versions()
    dialog = dock.findChild(VersionDialog)
    look_through(dialog, first="QListWidget", default="Restore")
    assert refused(dialog)


def test_a_note(dock):
    dock.study_panel.note_action.trigger()
    dialog = dock.findChild(NoteDialog)
    look_through(dialog, first="Note", default="Keep the note")
    dialog.text.setFocus()
    QTest.keyClick(dialog.text, Qt.Key.Key_Return)
    QTest.keyClicks(dialog.text, "x")
    assert dialog.isVisible(), "Enter begins another line"
    assert refused(dialog)
    assert dock.session.study.case("a").note == ""


def test_questions_before_something_goes(dock, qtbot, tmp_path, monkeypatch):
    def look(dialog: QMessageBox) -> None:
        look_through(dialog, first="Cancel", default="Cancel")

    asked(QMessageBox, dock.study_panel.remove_action.trigger, look)
    assert dock.session.case == "a"
    dock.session.select_class(1)
    asked(QMessageBox, dock.class_panel.delete_action.trigger, look)
    assert len(dock.session.study.classes) == 2
    (tmp_path / "mine.nii.gz").touch()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "mine"), ""))
    asked(QMessageBox, lambda: ask_where(dock, dock.session.layers, tmp_path, what="labels"), look)


def test_the_sheet_of_keys_and_the_choice_of_scans(dock):
    dock.show_keys()
    sheet = dock.findChild(KeysSheet)
    look_through(sheet, first="Close", default="Close")
    assert refused(sheet)
    choice = CaseChoice(["a", "b"], ["a"], dock)
    choice.open()
    look_through(choice, first="QLineEdit", default="Show 1 scan")
    assert refused(choice)


def test_who_has_to_wait_cannot_put_the_window_away(dock):
    waiting = Waiting("Changing the classes in all labels…", dock.window())
    bring_to_front(waiting)
    QTest.keyClick(waiting, Qt.Key.Key_Escape)
    waiting.close()
    settle()
    assert waiting.isVisible()
    assert QApplication.activeModalWidget() is waiting
    waiting.put_away()
    settle()
    assert QApplication.activeModalWidget() is None


def test_a_message_is_reached_and_put_away_by_keys(dock):
    bar, window = dock.notice, dock.window()
    dock.session.noticed.emit("napari ended unexpectedly.", "What was painted up to 12:03 is there.", "details")
    bar.offer("Open for reading only", "", lambda: None)
    bring_to_front(window)
    QTest.keyClick(window, Qt.Key.Key_F6)
    for _ in range(8):
        if window.focusWidget() is bar.dismiss:
            break
        QTest.keyClick(focus_of(window), Qt.Key.Key_Tab)
    assert window.focusWidget() is bar.dismiss
    QTest.keyClick(bar.dismiss, Qt.Key.Key_Space)
    assert not bar.isVisible()


def test_a_way_that_is_not_the_one_seen_is_found(dock):
    """The test above would fail: Tab goes from the first button to the last one here, and a field keeps it."""
    dialog = QDialog(dock)
    buttons = [QPushButton(name, dialog) for name in "abc"]
    for number, button in enumerate(buttons):
        button.move(10, 10 + 60 * number)
    dialog.resize(200, 220)
    dialog.open()
    bring_to_front(dialog)
    assert list(map(words, walked(dialog))) == list(map(words, as_seen(dialog))) == list("abc")
    QDialog.setTabOrder(buttons[0], buttons[2])
    assert list(map(words, walked(dialog))) == list("acb")
    buttons[1].setFocusPolicy(Qt.FocusPolicy.NoFocus)
    assert list(map(words, as_seen(dialog))) == list("ac")
    dialog.reject()
