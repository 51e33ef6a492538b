"""The dock in a real napari window: what is pressed reaches the session, what the session does is seen, nothing survives."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QHeaderView,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from cvrl_napari.engine.events import (
    LabelsTaken,
    Paused,
    PreviewReady,
    Resumed,
    RunFailed,
    StepDone,
    Validated,
)
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.placement import PART_KEY, placement, provenance
from cvrl_napari.gui.readers import read_layers
from cvrl_napari.gui.readiness import ALL_HELD_OUT
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read

pytestmark = pytest.mark.gui


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window, there at once; the dock is shown by itself. The last tests use the real window."""
    return ViewerModel()


@pytest.fixture
def dock(viewer, qtbot: QtBot):
    """The empty dock."""
    made = CvrlDock(viewer)
    made.resize(420, 700)
    made.show()
    yield made
    made.close()
    made.deleteLater()


@pytest.fixture
def with_study(dock, ball_study: Study, qtbot: QtBot):
    """The dock with the study open and case 'c', unlabeled, on view."""
    open_study(dock, ball_study, qtbot)
    return dock


@pytest.fixture
def window(make_napari_viewer, ball_study: Study, qtbot: QtBot):
    """A real napari window with the dock in it, the study open and case 'c' on view."""
    viewer = make_napari_viewer()
    made = CvrlDock(viewer)
    viewer.window.add_dock_widget(made, name="CVRL", area="right")
    open_study(made, ball_study, qtbot)
    return viewer, made.session, made


def open_study(dock: CvrlDock, study: Study, qtbot: QtBot) -> None:
    study.close()
    with qtbot.waitSignal(dock.session.case_opened):
        dock.open_folders([study.folder])


def press(qtbot: QtBot, widget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def labels_layer(viewer):
    (layer,) = [layer for layer in viewer.layers if layer.name.startswith("Labels")]
    return layer


def drop(dock: CvrlDock, path: Path) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path))])
    buttons, modifiers = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    dock.dropEvent(QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, buttons, modifiers))


def test_an_empty_dock_shows_three_steps_and_no_work(dock):
    assert not dock.empty_panel.isHidden()
    assert not dock.train_panel.isVisible()
    assert not dock.notice.isVisible()


def test_a_dropped_study_opens_and_its_cases_are_listed(dock, ball_study: Study, qtbot):
    ball_study.close()
    with qtbot.waitSignal(dock.session.case_opened):
        drop(dock, ball_study.folder)
    rows = dock.study_panel.rows
    assert [rows.index(row, 0).data() for row in range(rows.rowCount())] == ["a", "b", "c", "d"]
    assert "complete" in rows.index(0, 1).data()
    assert dock.study_panel.list.currentIndex().data() == "c"
    assert dock.study_panel.counts.text() == "2 labeled · 2 unlabeled"
    assert dock.empty_panel.isHidden()


def test_a_dropped_folder_of_scans_becomes_a_study(dock, ball_study: Study, tmp_path: Path, qtbot):
    drop(dock, tmp_path / "scans")
    (dialog,) = dock.findChildren(NewStudyDialog)
    assert not dialog.buttons.button(dialog.buttons.StandardButton.Ok).isEnabled()
    qtbot.keyClicks(dialog.classes_edit, "left atrium, wall")
    with qtbot.waitSignal(dock.session.case_opened, timeout=10_000):
        press(qtbot, dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    assert dock.session.study.folder == tmp_path / "scans-study"
    assert [one.name for one in dock.session.study.classes] == ["left atrium", "wall"]
    assert "Paint at least one structure" in dock.train_panel.missing.text()
    assert not dock.train_panel.button.isEnabled()


def test_a_study_open_elsewhere_is_offered_for_reading_only(dock, ball_study: Study, qtbot):
    ball_study.close()
    with Study.open(ball_study.folder):
        dock.open_folders([ball_study.folder])
        assert dock.session.study is None
        assert "open elsewhere" in dock.notice.sentence.text()
        assert dock.notice.action.isVisible()
        with qtbot.waitSignal(dock.session.case_opened, timeout=20_000):
            qtbot.mouseClick(dock.notice.action, Qt.MouseButton.LeftButton)
        assert dock.session.study.read_only
        assert not dock.notice.action.isVisible()
        assert not dock.train_panel.button.isEnabled()
        assert dock.train_panel.missing.text() == "The study is open for reading only"
        assert dock.study_panel.counts.text().endswith("for reading only")


def test_a_folder_without_scans_is_answered_with_a_sentence(dock, tmp_path: Path, qtbot):
    (tmp_path / "nothing").mkdir()
    with qtbot.waitSignal(dock.session.noticed):
        dock.session.create_study(tmp_path / "study", [tmp_path / "nothing"], ["ball"])
    assert dock.notice.isVisibleTo(dock)
    assert dock.notice.sentence.text().endswith(".")
    assert not (tmp_path / "study" / "study.json").exists()


def test_search_hides_the_other_cases(with_study, qtbot):
    qtbot.keyClicks(with_study.study_panel.search, "unlabeled")
    rows = with_study.study_panel.rows
    assert [rows.index(row, 0).data() for row in range(rows.rowCount())] == ["c", "d"]


def test_next_and_former_case_by_button(with_study, qtbot):
    with qtbot.waitSignal(with_study.session.case_opened) as opened:
        press(qtbot, with_study.study_panel.next_button)
    assert opened.args == ["d"]
    with qtbot.waitSignal(with_study.session.case_opened) as opened:
        press(qtbot, with_study.study_panel.previous_button)
    assert opened.args == ["c"]


def test_choosing_a_class_in_the_list_changes_the_brush(with_study, viewer, qtbot):
    rows = with_study.class_panel.list
    spot = rows.visualItemRect(rows.item(1)).center()
    qtbot.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert labels_layer(viewer).selected_label == 2


def test_the_plus_button_adds_a_class_and_typing_names_it(with_study, qtbot):
    press(qtbot, with_study.class_panel.add_button)
    assert [one.name for one in with_study.session.study.classes] == ["ball", "shell", "structure 3"]
    with qtbot.waitSignal(with_study.session.classes_changed):
        with_study.class_panel.list.currentItem().setText("rim")
    assert with_study.session.study.classes[2].name == "rim"


def test_the_complete_box_follows_the_case_and_sets_its_state(with_study, qtbot):
    box = with_study.class_panel.complete
    assert not box.isEnabled()
    with qtbot.waitSignal(with_study.session.case_opened):
        with_study.session.open_case("a")
    assert box.isChecked()
    box.click()
    assert with_study.session.study.case("a").state == "partial"


def test_a_case_can_be_held_out_and_taken_back_but_not_while_training(with_study, qtbot):
    box, session = with_study.class_panel.held_out, with_study.session
    assert not box.isEnabled()  # nothing is painted on it
    for case in ("a", "b"):
        with qtbot.waitSignal(session.case_opened):
            session.open_case(case)
        assert not box.isChecked()
        box.click()
        assert session.study.case(case).held_out
    assert "held out" in with_study.study_panel.counts.text()
    assert not with_study.train_panel.button.isEnabled()
    assert with_study.train_panel.missing.text() == ALL_HELD_OUT
    box.click()
    assert session.study.labeled_cases() == ("b",)
    assert with_study.train_panel.button.isEnabled()
    session.training.phase = "running"
    session.training.changed.emit()
    assert not box.isEnabled()


def test_a_stroke_lets_the_case_be_counted_and_says_saved(with_study, viewer, qtbot):
    with qtbot.waitSignal(with_study.session.painting.saved, timeout=6_000):
        labels_layer(viewer).paint((6, 10, 8), 1)
    assert with_study.study_panel.counts.text() == "3 labeled · 1 unlabeled"
    assert with_study.mask_panel.saved.text().startswith("Saved 0 s")


def test_what_a_run_tells_is_shown(with_study, viewer, tmp_path: Path):
    """Events fed by hand: progress, curves, overlay, strokes seen, pause, failure."""
    training, panel = with_study.session.training, with_study.train_panel
    training.phase = "preparing"
    training.take(StepDone(step=412, total=2000, losses={"total": 0.5}, seconds_left=360))
    assert panel.progress.text() == "412 / 2,000  6 min left"
    assert (panel.bar.value(), panel.bar.maximum()) == (412, 2000)
    training.take(Validated(step=412, dice={1: 0.81}, cases=2))
    assert panel.curves.latest_dice() == {1: 0.81}
    mask = np.zeros((12, 20, 16), np.uint8)
    mask[4:6] = 1
    np.save(tmp_path / "c.npy", mask)
    training.take(PreviewReady(case="c", path=str(tmp_path / "c.npy"), box=((4, 6), (0, 20), (0, 16)), step=400))
    np.testing.assert_array_equal(with_study.session.layers.mask_array(), mask)
    assert with_study.mask_panel.accept_button.isEnabled()
    for _ in range(3):
        training.stroke("c")
    training.labels_saved("c")
    training.stroke("c")
    training.take(LabelsTaken(cases=("c",), step=420))
    assert "new stroke on the way" in panel.overlay.text()
    assert (training.strokes_seen, training.strokes_waiting) == (3, 1)
    training.take(Paused(step=421))
    assert panel.pause.text() == "Resume"
    training.take(Resumed(step=421))
    assert panel.pause.text() == "Pause"
    training._on_ended(RunFailed(message="It broke.", hint="Mend it."))
    assert (with_study.notice.sentence.text(), with_study.notice.hint.text()) == ("It broke.", "Mend it.")
    assert panel.button.isVisibleTo(with_study)


def test_either_differences_or_changes_are_marked(with_study):
    panel, layers = with_study.mask_panel, with_study.session.layers
    layers.set_mask(np.ones_like(layers.labels_array()))
    panel.refresh()
    for first, other, name in ((panel.difference, panel.changes, "Changes"), (panel.changes, panel.difference, "Difference")):
        first.setChecked(True)
        other.click()
        assert not first.isChecked()
        assert [layer.name.split()[0] for layer in with_study.session.layers._viewer.layers][-1] == name
    panel.difference.click()
    assert len(with_study.session.layers._viewer.layers) == 3


def test_accept_by_button_and_back_by_undo(with_study, viewer, qtbot):
    mask = np.zeros((12, 20, 16), np.uint8)
    mask[4:6, 3:9, 3:9] = 2
    with_study.session.layers.set_mask(mask)
    with_study.mask_panel.refresh()
    with_study.mask_panel.accept_button.click()
    np.testing.assert_array_equal(labels_layer(viewer).data, mask)
    labels_layer(viewer).undo()
    assert not labels_layer(viewer).data.any()


def test_save_as_asks_where_and_says_where(with_study, tmp_path: Path, qtbot, monkeypatch):
    pattern = "NRRD with names and colors, for 3D Slicer (*.nrrd)"
    asked = []

    def answer(parent, title, suggestion, patterns):
        asked.append((Path(suggestion).name, patterns))
        return str(tmp_path / "mask"), pattern

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    (action,) = [one for one in with_study.mask_panel.save_button.menu().actions() if one.text() == "Mask…"]
    with qtbot.waitSignal(with_study.session.confirmed):
        action.trigger()
    assert (tmp_path / "mask.nrrd").is_file()
    assert with_study.notice.hint.text() == str(tmp_path / "mask.nrrd")
    assert asked[0][0] == "c_mask.nii.gz"
    assert pattern in asked[0][1]
    assert "DICOM" not in asked[0][1]  # this scan is none


def test_a_scan_opened_by_itself_starts_a_study_with_one_press(dock, viewer, ball_study: Study, qtbot):
    path = str(ball_study.case("c").scan)
    ((array, about, _),) = read_layers(path)
    with qtbot.waitSignal(dock.lone_scans.changed):
        viewer.add_image(array, **about)
    assert dock.empty_panel.scans_button.isVisibleTo(dock)
    press(qtbot, dock.empty_panel.scans_button)
    (dialog,) = dock.findChildren(NewStudyDialog)
    assert dialog.scans == (Path(path),)
    qtbot.keyClicks(dialog.classes_edit, "ball")
    with qtbot.waitSignal(dock.session.case_opened, timeout=10_000):
        press(qtbot, dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    assert [layer.name for layer in viewer.layers] == ["c", *(layer.name for layer in viewer.layers[1:])]
    assert len(viewer.layers) == 3  # the scan, labels and mask of the case: the one opened by itself has gone
    assert dock.empty_panel.scans_button.isHidden()


def test_what_was_chosen_for_a_scan_goes_with_it_into_the_study(dock, viewer, tmp_path: Path, qtbot):
    film = np.broadcast_to(np.arange(3, dtype=np.int16), (4, 5, 6, 3)).copy()
    path = tmp_path / "film.nii.gz"
    nibabel.save(nibabel.Nifti1Image(film, np.eye(4)), path)
    volume = read(path, part=1)
    metadata = provenance(volume, path) | {PART_KEY: 1}
    with qtbot.waitSignal(dock.lone_scans.changed):
        viewer.add_image(volume.array, metadata=metadata, **placement(volume))
    press(qtbot, dock.empty_panel.scans_button)
    (dialog,) = dock.findChildren(NewStudyDialog)
    qtbot.keyClicks(dialog.classes_edit, "heart")
    with qtbot.waitSignal(dock.session.case_opened, timeout=10_000):
        press(qtbot, dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    assert dock.session.study.case("film").part == 1
    assert np.unique(dock.session.layers.scan.array).tolist() == [1]


def test_every_control_has_a_tooltip(with_study):
    controls = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
    parts = (QAbstractSpinBox, QComboBox, QHeaderView, QScrollBar, QTabBar)  # of a control, which says it for them

    def says(widget: QWidget | None) -> bool:
        return widget is not None and widget is not with_study and (bool(widget.toolTip()) or says(widget.parentWidget()))

    ours = [
        one
        for one in with_study.findChildren(QWidget)
        if isinstance(one, controls) and not isinstance(one, QScrollBar | QHeaderView) and not isinstance(one.parent(), parts)
    ]
    assert len(ours) > 60
    when_offered = {with_study.notice.action, with_study.empty_panel.scans_button}
    assert {one for one in ours if not says(one)} == when_offered


def test_keys_window_and_quit(window, ball_study: Study, qtbot):
    """One real window for what only a real window shows: it takes seconds to come up."""
    viewer, session, dock = window
    keys = viewer.window._qt_viewer._key_map_handler
    layer = labels_layer(viewer)
    for key, expected in (("2", 2), ("0", 255), ("1", 1)):
        keys.press_key(key)
        assert layer.selected_label == expected
        assert dock.class_panel.list.currentItem().data(Qt.ItemDataRole.UserRole) == expected
    with qtbot.waitSignal(session.case_opened) as opened:
        keys.press_key("Alt-Right")
    assert opened.args == ["d"]

    viewer.window._qt_window.resize(1366, 768)
    QApplication.processEvents()
    assert dock.minimumSizeHint().height() < 600
    assert dock.scroll_area.horizontalScrollBar().maximum() == 0

    labels_layer(viewer).paint((6, 10, 8), 1)
    viewer.close()
    assert session.study is None
    with Study.open(ball_study.folder) as again:
        assert again.read_labels("d")[6, 10, 8] == 1


def test_taking_the_dock_away_saves_unlocks_and_gives_the_keys_back(window, ball_study: Study):
    viewer, session, dock = window
    layer = labels_layer(viewer)
    layer.paint((6, 10, 8), 1)
    viewer.window.remove_dock_widget(dock)
    assert session.study is None
    assert "1" not in {str(key) for key in (*viewer.keymap, *layer.keymap)}
    with Study.open(ball_study.folder) as again:
        assert again.read_labels("c")[6, 10, 8] == 1
    dock.deleteLater()
