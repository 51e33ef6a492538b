"""At 1366 x 768 every text of the dock and its dialogs is read as a whole, names of scans and classes as long as real ones."""

from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QFont
from qtpy.QtWidgets import QApplication, QComboBox, QDialog, QFileDialog, QLabel, QMessageBox, QPushButton, QWidget
from superqt import QCollapsible

from cvrl_napari.gui import reading_questions
from cvrl_napari.gui.case_table import VOLUMES_ROLE
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.case_choice import CaseChoice
from cvrl_napari.gui.embeddings.dock import EmbeddingsDock
from cvrl_napari.gui.import_labels import ImportDialog
from cvrl_napari.gui.keys_sheet import KeysSheet
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.note_dialog import NoteDialog
from cvrl_napari.gui.reading_questions import PartDialog
from cvrl_napari.gui.saving import ask_where
from cvrl_napari.gui.series_picker import SeriesPicker
from cvrl_napari.gui.two_line_cells import Volume, broken, set_out
from cvrl_napari.gui.version_dialog import VersionDialog
from cvrl_napari.gui.waiting import Waiting
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.dicom_catalog import Series
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError
from cvrl_napari.volumes.writing import write

from .conftest import SHAPE
from .cut_texts import cut_texts
from .person import answering

pytestmark = pytest.mark.gui

SCANS = ("06SR5RBREL16DQ6M8LWS", "0RZDK210BSMWAA6467LU", "1D7CUD1955YZPGK8XHJX", "patient 17, second visit")
CLASSES = ("left atrium", "left atrial appendage", "pulmonary veins")


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """Four scans; on three of them three structures are painted, of several hundred ml, of some, and of less than one."""
    (tmp_path / "scans").mkdir()
    rng = np.random.default_rng(0)
    affine = np.diag([-9.0, -9.0, 9.0, 1.0])
    for name in SCANS:
        scan = nibabel.Nifti1Image(rng.normal(100, 10, SHAPE).astype(np.float32).T, affine)
        nibabel.save(scan, tmp_path / "scans" / f"{name}.nii.gz")
    made = Study.create(tmp_path / "study", sorted((tmp_path / "scans").iterdir()), classes=CLASSES)
    for case in SCANS[:3]:
        labels = np.zeros(SHAPE, np.uint8)
        labels[2:9, 2:9, 2:9] = 1
        labels[9:11, 3:8, 3:8] = 2
        labels[2, 2, 12] = 3
        for state in ("partial", "complete"):  # twice: the first becomes an earlier version
            labels[0, 0, 0] = state == "complete"
            made.write_labels(case, labels, state=state)
    made.set_remark(SCANS[1], note="apex moved", needs_look=True)
    made.close()
    return made


@pytest.fixture
def dock(make_napari_viewer, qtbot) -> Iterator[CvrlDock]:
    """The dock in a window as large as a laptop's screen; nothing is open."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    made = CvrlDock(viewer)
    viewer.window.add_dock_widget(made, name="CVRL", area="right")
    yield made
    made.shut_down()


def settle() -> None:
    for _ in range(4):
        QApplication.processEvents()


def check(root: QWidget, what: str) -> None:
    settle()
    assert cut_texts(root) == [], what


def close(dialog: QWidget) -> None:
    dialog.close()
    settle()


def test_in_every_panel_and_dialog_of_the_dock(dock, study, tmp_path, qtbot):
    check(dock, "before a study is open")
    session = dock.session
    dock.ask_for_new_study([tmp_path / "scans"])
    check(dock.findChild(NewStudyDialog), "a new study")
    close(dock.findChild(NewStudyDialog))
    with qtbot.waitSignal(session.case_opened):
        dock.open_folders([study.folder])
    with qtbot.waitSignal(session.case_opened):
        session.open_case(SCANS[0])
    qtbot.waitUntil(lambda: len(session.measuring.volumes) == 3)
    table = dock.study_panel.list
    assert "left atrial appendage" in table.model().index(0, 3).data()
    check(dock, "the study")
    last = table.columnViewportPosition(4)
    assert last >= table.viewport().width(), "no sliver of the last column is seen"
    table.horizontalScrollBar().setValue(table.horizontalScrollBar().maximum())
    check(dock, "its last column")

    plan = dock.train_panel.plan
    for words in (
        "quick, 2.25 x 1.15 x 1.15 mm, CPU\nfirst guess: 12 h 35 min, about 10.8 GB",
        3 * "quick: compact net, 1.13 mm, ",
    ):
        plan.setText(words)
        plan.parentWidget().show()
        for width in (950, 1366):
            dock.window().resize(width, 768)
            check(dock, f"the plan, {width} pixels")
    plan.parentWidget().hide()

    dock.tools.toggleButton().click()
    dock.tool_box.grey_range.set_on(True)
    session.paint_with(2)
    told = []
    dock.tool_box.tools.told.connect(told.append)
    for act in ("interpolate", "fill_holes", "grow"):
        before = len(told)
        getattr(dock.tool_box.tools, act)()
        qtbot.waitUntil(lambda before=before: len(told) > before)
        check(dock, f"tools: {told[-1]}")
    with qtbot.waitSignal(dock.tool_box.tools.measured):
        dock.tool_box.tools.measure(under_cursor=False)
    assert "left atrial appendage: " in dock.tools_panel.told.text()
    check(dock, "statistics")
    told_at = dock.tools_panel.told.visibleRegion().boundingRect()
    assert told_at.height() == dock.tools_panel.told.height(), "it is read without scrolling"
    dock.tools_panel.told.setText("Grow: " + 6 * "a sentence that is far longer than any of ours " + ".")
    check(dock, "a long message")
    with qtbot.waitSignal(session.case_opened):
        session.open_case(SCANS[1])
    assert dock.tools_panel.told.text() == "", "it was of the case before"

    for fold in dock.findChildren(QCollapsible):
        fold.expand(animate=False)
    check(dock, "all unfolded")
    sentence = f"The scan {SCANS[0]} could not be read: the file ends in the middle of its voxels; copy it again."
    session.noticed.emit(sentence, "The case is left out of the training until then; everything else goes on.", "details")
    dock.notice.offer("Open for reading only", "", lambda: None)
    check(dock, "a notice")
    session.busy.emit(f"Reading {SCANS[0]}…")
    check(dock, "reading")
    session.busy.emit("")

    dock.viewing.show_views(True, beside=dock)
    check(dock.window(), "linked views")
    dock.viewing.show_views(False)
    dock.show_keys()
    check(dock.findChild(KeysSheet), "keys")
    close(dock.findChild(KeysSheet))
    with qtbot.waitSignal(dock.study_panel.editing.looked):
        dock.study_panel.versions_action.trigger()
    check(dock.findChild(VersionDialog), "versions")
    close(dock.findChild(VersionDialog))
    write(tmp_path / "labels of another program.nii.gz", session.layers.scan.with_array(session.layers.labels_array()))
    with qtbot.waitSignal(session.importing.looked):
        session.importing.look([tmp_path / "labels of another program.nii.gz"])
    check(dock.findChild(ImportDialog), "labels made elsewhere")
    close(dock.findChild(ImportDialog))
    seen: list[list[str]] = []

    def look_and_cancel(question: QMessageBox) -> None:
        settle()
        seen.append(cut_texts(question))
        question.reject()

    with answering(QMessageBox, look_and_cancel):
        dock.class_panel.delete_action.trigger()
    assert seen == [[]]


def test_in_what_is_asked_before_something_is_read_kept_or_goes(dock, study, tmp_path, qtbot, monkeypatch):
    with qtbot.waitSignal(dock.session.case_opened):
        dock.open_folders([study.folder])
    with qtbot.waitSignal(dock.session.case_opened):
        dock.session.open_case(SCANS[1])
    seen: list[str] = []

    def asked(kind: type[QDialog], ask: Callable[[], object]) -> None:
        def look(question: QDialog) -> None:
            settle()
            room = dock.window().screen().size()
            seen.append(question.windowTitle())
            try:
                assert cut_texts(question) == [], question.windowTitle()
                assert question.frameGeometry().width() <= room.width()
                assert question.frameGeometry().height() <= room.height()
            finally:
                question.reject()

        with answering(kind, look):
            ask()

    film = tmp_path / "20261124 T1 dynamic, contrast agent, patient 17, second visit, motion corrected.nii.gz"
    asked(PartDialog, lambda: reading_questions.choose_part(SeveralVolumesError(film, 1200), channels=True))
    asked(PartDialog, lambda: reading_questions.choose_part(SeveralVolumesError(film, 3)))
    uneven = UnevenSlicesError(
        f"{film} has slices at distances from 2.5 to 7.5 mm, as if one were missing: it can be resampled."
    )
    asked(QMessageBox, lambda: reading_questions.agree_to_resample(uneven))
    described = ("t1_vibe_dixon_tra_bh_320_post contrast, 3 min", "t2_haste_fs_cor", "")
    series = [
        Series(
            path=tmp_path / str(number),
            study=str(number // 2),
            series=str(number),
            modality="MR",
            number=number,
            description=words,
            size=(1024, 1024, 1200),
            spacing=(0.703125, 0.703125, 12.5),
            parts=4 * number,
            is_scout=False,
            preselected=True,
            middle=None,
        )
        for number, words in enumerate(described, start=1)
    ]
    asked(SeriesPicker, lambda: SeriesPicker(series, dock).exec())
    asked(NoteDialog, dock.study_panel.note_action.trigger)
    asked(QMessageBox, dock.study_panel.remove_action.trigger)
    (tmp_path / f"{SCANS[1]}_labels.nii.gz").touch()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / f"{SCANS[1]}_labels"), ""))
    asked(QMessageBox, lambda: ask_where(dock, dock.session.layers, tmp_path, what="labels"))
    asked(CaseChoice, lambda: CaseChoice([f"{SCANS[0]} {SCANS[3]} of the heart", *SCANS], [], dock).open())
    assert len(seen) == 8
    waiting = Waiting("Changing the classes in all labels…", dock.window())
    check(waiting, "waiting")
    waiting.put_away()


def test_in_the_embeddings_dock_whichever_class_is_in_hand(dock, study, qtbot):
    with qtbot.waitSignal(dock.session.case_opened, timeout=10_000):
        dock.open_folders([study.folder])
    dock.open_embeddings()
    window = dock.window()
    qtbot.waitUntil(lambda: window.findChild(EmbeddingsDock) is not None, timeout=10_000)
    below = window.findChild(EmbeddingsDock)
    for class_id in range(1, len(CLASSES) + 1):
        dock.session.select_class(class_id)
        for tab in range(below.tabs.count()):
            below.tabs.setCurrentIndex(tab)
            check(below, f"{below.tabs.tabText(tab)}, {CLASSES[class_id - 1]}")


def test_dragged_to_a_large_screen_and_back_the_table_takes_the_room_and_gives_it_back(dock, study, qtbot):
    with qtbot.waitSignal(dock.session.case_opened):
        dock.open_folders([study.folder])
    qtbot.waitUntil(lambda: len(dock.session.measuring.volumes) == 3)
    window, table = dock.window(), dock.study_panel.list
    settle()
    narrow = [table.columnWidth(column) for column in range(5)]
    window.resize(3840, 2160)
    window.resizeDocks([dock.parentWidget()], [900], Qt.Orientation.Horizontal)
    check(dock, "3840 x 2160")
    assert table.columnViewportPosition(4) + table.columnWidth(4) == table.viewport().width(), "all columns are seen"
    cell = QSize(table.columnWidth(3), 30)
    volumes = table.model().index(0, 3).data(VOLUMES_ROLE)
    assert set_out(volumes, table.font(), cell.width(), named=True) is not None, "the names of the structures are seen"
    window.resizeDocks([dock.parentWidget()], [1], Qt.Orientation.Horizontal)
    window.resize(1366, 768)
    check(dock, "back at 1366 x 768")
    assert [table.columnWidth(column) for column in range(5)] == narrow


def test_a_cut_text_is_found(qtbot):
    """Each kind of widget that the test above looks at, one with room and one without."""
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(400, 300)
    label, wrapped, button, box = (
        QLabel("a label"),
        QLabel("words that go on for some lines"),
        QPushButton("press"),
        QComboBox(),
    )
    wrapped.setWordWrap(True)
    box.addItem("something to choose")
    for number, one in enumerate((label, wrapped, button, box)):
        one.setParent(window)
        one.setGeometry(5, 5 + 60 * number, 300, 40)
    window.show()
    settle()
    assert cut_texts(window) == []
    for one in (label, button, box):
        one.resize(20, 40)
    wrapped.resize(60, 20)
    assert len(cut_texts(window)) == 4
    for one in (label, wrapped, button, box):
        one.setGeometry(390, one.y(), 300, 40)
    assert len(cut_texts(window)) == 4


def test_names_are_broken_and_volumes_set_out(qapp):
    font = QFont()
    assert broken("a b", font, 200) == ["a b"]
    assert broken("⚑ needs a look", font, 80)[0].startswith("⚑ needs")
    long = "0RZDK210BSMWAA6467LU"
    assert "".join(broken(long, font, 110)) == long
    assert "…" in broken(long * 3, font, 110)[1]
    volumes = [Volume(name, "#ff0000", ml) for name, ml in zip(CLASSES, (29.6, 6.32, 1.74), strict=True)]
    assert set_out(volumes, font, 400) == [volumes]
    halves = set_out(volumes, font, 95)
    assert halves is not None
    assert [one for line in halves for one in line] == volumes
    assert len(halves) == 2
    assert set_out(volumes, font, 30) is None
    assert set_out(volumes, font, 95, named=True) is None
    assert set_out(volumes, font, 800, named=True) == [volumes]
    assert set_out([], font, 30) == [[]]
