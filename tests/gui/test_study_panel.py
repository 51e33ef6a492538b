"""The table of cases, and what is done with a case: each by what the person presses, on real files."""

from datetime import datetime, timedelta
from pathlib import Path

import nibabel
import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QFileDialog, QMessageBox

from cvrl_napari.engine.events import LabelsTaken
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.gui.case_table import CHANGED, MODEL, NAME, STATE, VOLUMES
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.note_dialog import NoteDialog
from cvrl_napari.gui.seen_labels import taken_by_newest
from cvrl_napari.gui.thumbnails import SIZE, thumbnail_path
from cvrl_napari.gui.version_dialog import VersionDialog
from cvrl_napari.study.study import Study

from .keyboard import bring_to_front
from .person import answering

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(ball_study: Study, qtbot: QtBot):
    """The dock with the study open and case 'c', unlabeled, on view."""
    made = CvrlDock(ViewerModel())
    made.resize(420, 700)
    made.show()
    ball_study.close()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([ball_study.folder])
    yield made
    made.close()
    made.deleteLater()


def column(dock: CvrlDock, number: int) -> list[str]:
    rows = dock.study_panel.rows
    return [rows.index(row, number).data() for row in range(rows.rowCount())]


def labels_of(dock: CvrlDock):
    return next(layer for layer in dock.session.layers._viewer.layers if layer.name.startswith("Labels"))


def open_case(dock: CvrlDock, case: str, qtbot: QtBot) -> None:
    if dock.session.case != case:
        with qtbot.waitSignal(dock.session.case_opened, check_params_cb=lambda opened: opened == case):
            dock.session.open_case(case)


def test_a_row_has_its_picture_made_once_in_the_background(dock, qtbot):
    study, table = dock.session.study, dock.study_panel.table
    case = study.case("a")
    qtbot.waitUntil(lambda: table.index(0, NAME).data(Qt.ItemDataRole.DecorationRole) is not None, timeout=10_000)
    picture = QImage(str(thumbnail_path(study, case)))
    scan = study.read_scan("a")
    height, width = scan.array.shape[1] * scan.spacing[1], scan.array.shape[2] * scan.spacing[2]
    assert max(picture.width(), picture.height()) == SIZE
    assert picture.width() / picture.height() == pytest.approx(width / height, rel=0.03)
    ball = np.argwhere(scan.array[6] > 250).mean(axis=0) / scan.array.shape[1:]
    bright = picture.pixelColor(round(ball[1] * picture.width()), round(ball[0] * picture.height())).red()
    assert bright > 150 > picture.pixelColor(2, 2).red()
    written = thumbnail_path(study, case).stat().st_mtime_ns
    dock.study_panel.thumbnails.open(study)
    with qtbot.waitSignal(dock.study_panel.thumbnails.ready, check_params_cb=lambda ready: ready == "a"):
        assert dock.study_panel.thumbnails.picture(case) is None
    assert table.index(0, NAME).data(Qt.ItemDataRole.DecorationRole).availableSizes()[0] == picture.size()
    assert thumbnail_path(study, case).stat().st_mtime_ns == written


def test_columns_sort_by_what_they_mean(dock, qtbot):
    qtbot.waitUntil(lambda: set(dock.session.measuring.volumes) == {"a", "b"}, timeout=5_000)
    volumes = {case: sum(found.values()) for case, found in dock.session.measuring.volumes.items()}
    dock.study_panel.list.sortByColumn(VOLUMES, Qt.SortOrder.DescendingOrder)
    assert column(dock, NAME)[:2] == sorted(volumes, key=lambda case: -volumes[case])
    assert column(dock, VOLUMES)[0].startswith("ball ")
    dock.study_panel.list.sortByColumn(STATE, Qt.SortOrder.DescendingOrder)
    assert [words.split()[-1] for words in column(dock, STATE)] == ["complete", "complete", "unlabeled", "unlabeled"]
    dock.study_panel.list.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
    assert column(dock, NAME) == list("abcd")
    assert [bool(words) for words in column(dock, CHANGED)] == [True, True, False, False]


def test_the_next_case_is_the_next_one_that_the_table_shows(dock, qtbot):
    panel, session = dock.study_panel, dock.session
    viewer = session.layers._viewer
    bound = {str(key): action for key, action in viewer.keymap.items()}

    def step(key: str) -> str:
        with qtbot.waitSignal(session.case_opened):
            bound[key](viewer)
        return session.case

    panel.list.sortByColumn(NAME, Qt.SortOrder.DescendingOrder)
    assert (step("Alt+Right"), step("Alt+Left"), step("Alt+Left")) == ("b", "c", "d")
    panel.state.setCurrentIndex(panel.state.findText("complete", Qt.MatchFlag.MatchContains))
    assert panel.counts.text() == "2 of 4 shown"
    assert (step("Alt+Right"), step("Alt+Right"), step("Alt+Right")) == ("b", "a", "b")
    panel.search.setText("a")
    panel.search.setText("no such case")
    assert panel.counts.text() == "0 of 4 shown"
    bound["Alt+Right"](viewer)
    assert session.case == "b"
    panel.search.clear()
    panel.state.setCurrentIndex(0)
    assert panel.counts.text() == "2 labeled · 2 unlabeled"


def test_when_a_case_was_accepted_is_told_by_the_clock_on_the_wall(dock, qtbot):
    session = dock.session
    session.study.set_state("a", "accepted")
    session.case_changed.emit("a")
    told = dock.study_panel.table.index(0, STATE).data(Qt.ItemDataRole.ToolTipRole).splitlines()[-1]
    moment = datetime.strptime(told, "Accepted by a person, %Y-%m-%d %H:%M").astimezone()
    assert timedelta(0) <= datetime.now().astimezone() - moment < timedelta(minutes=2)


def test_a_mark_by_key_a_note_and_the_filter(dock, qtbot):
    panel = dock.study_panel
    viewer = dock.session.layers._viewer
    bound = {str(key): action for key, action in viewer.keymap.items()}
    bound["Shift+M"](viewer)
    assert dock.session.study.case("c").needs_look
    assert "needs a look" in column(dock, STATE)[2]
    panel.note_action.trigger()
    asked = panel.findChild(NoteDialog)
    bring_to_front(asked)
    qtbot.keyClicks(asked.text, " motion at the apex ")
    qtbot.keyClick(asked.text, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert dock.session.study.case("c").note == "motion at the apex"
    panel.state.setCurrentIndex(panel.state.findText("needs a look", Qt.MatchFlag.MatchContains))
    assert column(dock, NAME) == ["c ✎"]
    panel.state.setCurrentIndex(0)
    qtbot.keyClicks(panel.search, "apex motion")
    assert column(dock, NAME) == ["c ✎"]
    panel.search.clear()
    panel.look_action.trigger()
    assert not dock.session.study.case("c").needs_look


def test_a_removed_case_leaves_the_screen_and_has_its_labels_back_when_added_again(dock, qtbot):
    open_case(dock, "b", qtbot)
    painted = dock.session.layers.labels_array().copy()
    scan = dock.session.study.case("b").scan
    with answering(QMessageBox, lambda asked: asked.reject()):
        dock.study_panel.remove_action.trigger()
    assert dock.session.case == "b"

    def agree(asked: QMessageBox) -> None:
        next(one for one in asked.buttons() if one.text() == "Remove the case").click()

    with qtbot.waitSignal(dock.session.case_opened, check_params_cb=lambda case: case == "c"), answering(QMessageBox, agree):
        dock.study_panel.remove_action.trigger()
    assert column(dock, NAME) == list("acd")
    with qtbot.waitSignal(dock.session.confirmed) as said:
        dock.study_panel.editing.add([scan])
    assert said.args[0] == "1 scan was added to the study."
    assert "labels back" in said.args[1]
    assert column(dock, NAME) == list("acdb")
    open_case(dock, "b", qtbot)
    np.testing.assert_array_equal(dock.session.layers.labels_array(), painted)
    assert dock.session.study.case("b").state == "complete"


def test_moved_scans_are_missed_and_found_in_a_folder(dock, tmp_path: Path, qtbot, monkeypatch):
    panel = dock.study_panel
    assert not panel.missing_button.isVisible()
    (tmp_path / "archive").mkdir()
    for name in "ab":
        scan = dock.session.study.case(name).scan
        scan.rename(tmp_path / "archive" / f"renamed-{name}.nii.gz")
    panel.editing.count_missing()
    qtbot.waitUntil(lambda: panel.missing_button.isVisible(), timeout=5_000)
    assert panel.missing_button.text() == "Find 2 missing scans…"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "archive"))
    with qtbot.waitSignal(dock.session.confirmed) as said:
        qtbot.mouseClick(panel.missing_button, Qt.MouseButton.LeftButton)
    assert said.args == ["2 scans were found again in 'archive'.", "None is missing now."]
    qtbot.waitUntil(lambda: not panel.missing_button.isVisible(), timeout=5_000)
    open_case(dock, "a", qtbot)


def test_an_earlier_version_comes_back_as_one_step(dock, qtbot):
    open_case(dock, "a", qtbot)
    layer = labels_of(dock)
    before = layer.data.copy()
    layer.data_setitem(np.nonzero(before == 1), 2)
    assert dock.session.save_now()
    after = layer.data.copy()
    with qtbot.waitSignal(dock.study_panel.editing.looked):
        dock.study_panel.versions_action.trigger()
    (dialog,) = dock.findChildren(VersionDialog)
    assert dialog.list.count() == 1
    ml = (before == 1).sum() * 9.0 / 1000
    assert f"ball {ml:.3g} ml" in dialog.list.item(0).text()
    dialog.accept()
    np.testing.assert_array_equal(layer.data, before)
    layer.undo()
    np.testing.assert_array_equal(layer.data, after)


def test_the_table_says_which_labels_the_model_has_seen(dock, make_plan, qtbot):
    study = dock.session.study
    assert column(dock, MODEL) == ["", "", "", ""]
    run = RunFolder.create(study.runs_folder, make_plan())
    run.record(LabelsTaken(cases=("a",), step=0))
    run.model.touch()
    assert set(taken_by_newest(study.runs_folder)) == {"a"}
    with qtbot.waitSignal(dock.study_panel.seen.changed):
        dock.study_panel.seen.look()
    assert column(dock, MODEL) == ["✓", "•", "", ""]
    open_case(dock, "a", qtbot)
    labels_of(dock).data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    with qtbot.waitSignal(dock.session.painting.saved):
        dock.session.save_now()
    assert column(dock, MODEL)[0] == "•"
    dock.session.training.take(LabelsTaken(cases=("a", "b"), step=7))
    assert column(dock, MODEL) == ["✓", "✓", "", ""]


def test_a_study_that_may_only_be_read_offers_no_change(ball_study: Study, qtbot: QtBot):
    ball_study.close()
    made = CvrlDock(ViewerModel())
    made.show()
    with qtbot.waitSignal(made.session.case_opened):
        assert made.session._adopt(lambda: Study.open(ball_study.folder, read_only=True))
    made.study_panel._show_menu()
    assert not made.study_panel.remove_action.isEnabled()
    with qtbot.waitSignal(made.session.painting.failed) as said:
        labels_of(made).data_setitem((np.array([1]), np.array([1]), np.array([1])), 2)
    assert "reading only" in said.args[0]
    made.close()
    made.deleteLater()


def test_a_thousand_cases_are_listed_without_a_look_at_their_scans(tmp_path: Path, qtbot: QtBot):
    scan = tmp_path / "scan.nii"
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4, 4), np.int16), np.eye(4)), scan)
    Study.create(tmp_path / "study", [scan], classes=["ball"]).close()
    text = (tmp_path / "study" / "study.json").read_text()
    start, end = text.index("  {\n"), text.rindex("\n ]")
    case = text[start:end]
    cases = ",\n".join(case.replace('"id": "scan"', f'"id": "case_{number:04}"') for number in range(1_000))
    (tmp_path / "study" / "study.json").write_text(text[:start] + cases + text[end:])
    made = CvrlDock(ViewerModel())
    made.resize(420, 700)
    made.show()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([tmp_path / "study"])
    asked = []
    picture = made.study_panel.thumbnails.picture
    made.study_panel.thumbnails.picture = lambda one: asked.append(one.id) or picture(one)
    made.study_panel.list.scrollToBottom()
    made.study_panel.list.grab()
    assert "case_0999" in asked
    assert len(set(asked)) < 60
    made.close()
    made.deleteLater()
