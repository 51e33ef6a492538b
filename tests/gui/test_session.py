"""The session without a dock: opening, painting to disk, classes, accepting, and what it says when something cannot be."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image
from pytestqt.qtbot import QtBot

from cvrl_napari.gui.session import Session
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read

pytestmark = pytest.mark.gui


@pytest.fixture
def viewer() -> ViewerModel:
    """A viewer without a window: layers, dims and undo are the real ones, and it is there at once."""
    return ViewerModel()


@pytest.fixture
def session(viewer, ball_study: Study, qtbot: QtBot):
    """A session with the study open and its first unlabeled case, 'c', on view."""
    folder = ball_study.folder
    ball_study.close()
    made = Session(viewer)
    with qtbot.waitSignal(made.case_opened, check_params_cb=lambda case: case == "c"):
        assert made.open_study(folder)
    yield made
    made.shut_down()


def labels_layer(viewer):
    (layer,) = [layer for layer in viewer.layers if layer.name.startswith("Labels")]
    return layer


def open_case(session: Session, case: str, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session.case_opened, check_params_cb=lambda opened: opened == case):
        session.open_case(case)


def test_strokes_reach_the_disk_by_themselves(session, viewer, qtbot):
    with qtbot.waitSignal(session.painting.saved, timeout=6_000) as saved:
        labels_layer(viewer).paint((6, 10, 8), 1)
    assert saved.args == ["c"]
    on_disk = session.study.read_labels("c")
    np.testing.assert_array_equal(on_disk, session.layers.labels_array())
    assert on_disk[6, 10, 8] == 1
    assert session.study.case("c").state == "partial"
    assert not session.painting.pending


def test_another_case_is_opened_after_the_former_was_saved(session, viewer, qtbot):
    labels_layer(viewer).paint((6, 10, 8), 2)
    open_case(session, "d", qtbot)
    assert session.case == "d"
    assert session.study.read_labels("c")[6, 10, 8] == 2
    assert not session.layers.labels_array().any()


def test_the_last_case_asked_for_is_the_one_shown(session, qtbot):
    session.open_case("a")
    session.open_case("b")
    open_case(session, "d", qtbot)
    assert session.case == "d"


def test_case_after_case_and_round_again(session, qtbot):
    for expected in ("d", "a"):
        with qtbot.waitSignal(session.case_opened) as opened:
            session.step_case(1, [case.id for case in session.study.cases])
        assert opened.args == [expected]


def test_a_write_that_fails_is_said_kept_and_tried_again(session, viewer, qtbot, monkeypatch):
    monkeypatch.setattr("cvrl_napari.gui.autosave.RETRY_MS", 50)
    folder = session.study.folder / "labels"
    hidden = folder.rename(folder.with_name("elsewhere"))
    folder.write_text("a file where the folder should be")
    with qtbot.waitSignal(session.noticed, check_params_cb=lambda sentence, *_: "c.nii.gz" in sentence):
        labels_layer(viewer).paint((6, 10, 8), 1)
        assert not session.save_now()
    session.open_case("d")
    assert session.case == "c", "a case whose labels are not saved must not leave the screen"
    folder.unlink()
    hidden.rename(folder)
    qtbot.waitUntil(lambda: not session.painting.pending, timeout=5_000)
    assert session.study.read_labels("c")[6, 10, 8] == 1


def test_accepting_a_mask_and_taking_it_back_carries_the_state(session, viewer, qtbot):
    layer = labels_layer(viewer)
    layer.paint((6, 10, 8), 2)
    assert session.save_now()
    mask = np.zeros(layer.data.shape, np.uint8)
    mask[4:8, 8:12, 6:10] = 1
    session.layers.set_mask(mask)
    session.accept()
    assert session.save_now()
    assert session.study.case("c").state == "accepted"
    np.testing.assert_array_equal(session.study.read_labels("c"), mask)
    layer.undo()
    assert session.save_now()
    assert session.study.case("c").state == "partial"
    assert session.study.read_labels("c")[6, 10, 8] == 2
    assert session.study.read_labels("c")[4, 8, 6] == 0


def test_classes_are_added_renamed_and_recolored_everywhere(session, viewer):
    session.add_class("rim")
    session.class_editing.rename(1, "kernel")
    session.class_editing.recolor(2, "#123456")
    assert [one.name for one in session.study.classes] == ["kernel", "shell", "rim"]
    assert session.study.classes[1].color == "#123456"
    assert session.selected_class == 3
    assert labels_layer(viewer).selected_label == 3
    session.select_class(255)
    assert labels_layer(viewer).selected_label == 255


def test_a_bad_class_name_is_answered_with_a_sentence(session, qtbot):
    for name in ("", "shell"):
        with qtbot.waitSignal(session.noticed) as noticed:
            session.class_editing.rename(1, name)
        assert noticed.args[0].endswith(".")
    assert session.study.classes[0].name == "ball"


def test_volumes_are_counted_in_millilitres(session, qtbot):
    qtbot.waitUntil(lambda: set(session.measuring.volumes) == {"a", "b"}, timeout=5_000)
    expected = (session.study.read_labels("a") == 1).sum() * 3.0 * 2.0 * 1.5 / 1000
    assert session.measuring.volumes["a"] == {1: pytest.approx(expected)}


def test_an_export_has_the_scans_geometry_and_no_painted_background(session, viewer, tmp_path: Path, qtbot):
    layer = labels_layer(viewer)
    layer.paint((6, 10, 8), 1)
    layer.paint((2, 3, 4), 255)
    with qtbot.waitSignal(session.confirmed) as confirmed:
        session.save_as(tmp_path / "out.nrrd", what="labels")
    assert confirmed.args == ["The labels of c were saved.", str(tmp_path / "out.nrrd")]
    saved = read(tmp_path / "out.nrrd")
    scan = session.study.read_scan("c")
    assert saved.same_grid(scan)
    assert set(np.unique(saved.array)) == {0, 1}


def test_what_cannot_be_saved_is_said(session, tmp_path: Path, qtbot):
    with qtbot.waitSignal(session.noticed) as noticed:
        session.save_as(tmp_path / "out.docx", what="labels")
    assert "out.docx" in noticed.args[0]


def test_a_locked_or_missing_study_is_said_and_nothing_is_open(session, viewer, tmp_path: Path, qtbot):
    other = Session(viewer)
    for folder in (session.study.folder, tmp_path):
        with qtbot.waitSignal(other.noticed) as noticed:
            assert not other.open_study(folder)
        assert noticed.args[0].endswith(".")
        assert other.study is None
    other.shut_down()


def test_a_study_that_cannot_be_opened_leaves_the_present_one(session, tmp_path: Path):
    before = session.study
    assert not session.open_study(tmp_path)
    assert session.study is before
    assert session.case == "c"


def test_painting_on_a_read_only_study_says_that_it_is_not_saved(session, viewer, qtbot):
    session.study.read_only = True
    with qtbot.waitSignal(session.noticed) as noticed:
        labels_layer(viewer).paint((6, 10, 8), 1)
    assert "reading only" in noticed.args[0]
    open_case(session, "d", qtbot)


def test_quitting_saves_and_gives_the_lock_back(viewer, session):
    folder = session.study.folder
    labels_layer(viewer).paint((6, 10, 8), 1)
    session.shut_down()
    assert not viewer.layers
    with Study.open(folder) as again:
        assert again.read_labels("c")[6, 10, 8] == 1


def test_two_images_a_case_are_grouped_by_their_names_and_both_shown(viewer, tmp_path: Path, qtbot):
    (tmp_path / "scans").mkdir()
    for name, size in (("a_t1", 6), ("a_t2", 9)):
        affine = np.diag([12 / size] * 3 + [1.0])
        nibabel.save(nibabel.Nifti1Image(np.full((size,) * 3, size, np.int16), affine), tmp_path / "scans" / f"{name}.nii")
    session = Session(viewer)
    try:
        with qtbot.waitSignal(session.case_opened, timeout=20_000):
            session.create_study(tmp_path / "new", [tmp_path / "scans"], ["ball"], channels=["t1", "t2"])
        assert session.case == "a"
        second = viewer.layers["a - image 2"]
        assert second.data.shape == (6, 6, 6)
        assert second.data.max() == 9
    finally:
        session.shut_down()


def test_what_is_missing_before_training_is_said_in_words(viewer, tmp_path: Path, ball_study: Study, qtbot):
    session = Session(viewer)
    assert "Open a study" in session.reason_not_to_train()
    with qtbot.waitSignal(session.case_opened, timeout=10_000):
        session.create_study(tmp_path / "new", [tmp_path / "scans"], ["ball"])
    assert "Paint at least one structure" in session.reason_not_to_train()
    labels_layer(viewer).paint((6, 10, 8), 255)
    assert "Paint at least one structure" in session.reason_not_to_train()
    labels_layer(viewer).paint((6, 10, 8), 1)
    assert session.reason_not_to_train() == ""
    session.shut_down()


def test_a_case_of_several_volumes_opens_once_one_is_chosen(session, tmp_path: Path, qtbot):
    film = np.broadcast_to(np.arange(3, dtype=np.int16), (4, 5, 6, 3)).copy()
    nibabel.save(nibabel.Nifti1Image(film, np.eye(4)), tmp_path / "film.nii.gz")
    (case,) = session.study.add_cases([tmp_path / "film.nii.gz"])
    with qtbot.waitSignal(session.choice_needed) as asked:
        session.open_case(case)
    assert (asked.args[0], asked.args[1].count) == (case, 3)
    with qtbot.waitSignal(session.case_opened) as opened:
        session.read_as(case, part=2)
    assert opened.args == [case]
    assert np.unique(session.layers.scan.array).tolist() == [2]
    assert session.study.case(case).part == 2


def test_all_volumes_of_a_file_can_be_the_channels_of_its_case(session, viewer, tmp_path: Path, qtbot):
    film = np.broadcast_to(np.arange(3, dtype=np.int16), (4, 5, 6, 3)).copy()
    nibabel.save(nibabel.Nifti1Image(film, np.eye(4)), tmp_path / "film.nii.gz")
    (case,) = session.study.add_cases([tmp_path / "film.nii.gz"])
    with qtbot.waitSignal(session.choice_needed) as asked:
        session.open_case(case)
    with qtbot.waitSignal(session.case_opened):
        session.read_as_channels(*asked.args)
    assert [image.part for image in session.study.case(case).images] == [0, 1, 2]
    assert [int(layer.data.max()) for layer in viewer.layers if isinstance(layer, Image)] == [1, 2, 0]
