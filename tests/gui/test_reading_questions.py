"""One file opened by itself, as napari does it: which volume of several, slices that form no grid, what had to be assumed."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from napari.utils.notifications import notification_manager
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QMessageBox, QWidget

from cvrl_napari.gui import readers, reading_questions
from cvrl_napari.gui.readers import NOTHING, read_layers
from cvrl_napari.gui.reading_questions import PartDialog
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError
from cvrl_napari.volumes.reading import read

pytestmark = pytest.mark.gui


@pytest.fixture
def window(qtbot):
    """Something on the screen, as napari's window is: only then a person can be asked."""
    shown = QWidget()
    qtbot.addWidget(shown)
    with qtbot.waitExposed(shown):
        shown.show()
    return shown


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Four time points; every voxel of one holds its number."""
    array = np.broadcast_to(np.arange(4, dtype=np.int16), (3, 4, 5, 4))
    nibabel.save(nibabel.Nifti1Image(np.array(array), np.diag([-1.0, 2.0, 3.0, 1.0])), tmp_path / "film.nii.gz")
    return tmp_path / "film.nii.gz"


def answer(function) -> list[str]:
    """Do this with the dialog that comes up, and return the list its words will be in."""
    words: list[str] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None:
            QTimer.singleShot(10, look)
        else:
            words.append(dialog.text() if isinstance(dialog, QMessageBox) else dialog.windowTitle())
            function(dialog)

    QTimer.singleShot(0, look)
    return words


@pytest.mark.parametrize("channels", [False, True])
def test_all_volumes_together_are_offered_for_a_case_only(film, window, qtbot, channels: bool):
    error = SeveralVolumesError(film, 4)

    def choose(dialog: PartDialog) -> None:
        assert dialog.all_button.isVisible() == channels
        button = dialog.all_button if channels else dialog.buttons.button(dialog.buttons.StandardButton.Ok)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    answer(choose)
    assert reading_questions.choose_part(error, channels=channels) == (reading_questions.ALL if channels else 0)


def test_the_volume_is_chosen_by_slider_and_the_layer_says_which(film, window, qtbot):
    def choose(dialog: PartDialog) -> None:
        assert (dialog.slider.minimum(), dialog.slider.maximum()) == (1, 4)
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Right)
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Right)
        qtbot.mouseClick(dialog.buttons.button(dialog.buttons.StandardButton.Ok), Qt.MouseButton.LeftButton)

    words = answer(choose)
    ((array, about, kind),) = read_layers(str(film))
    assert words == ["Which volume?"]
    assert kind == "image"
    assert np.unique(array).tolist() == [2]
    assert about["name"] == "film (volume 3)"
    assert about["metadata"]["cvrl_part"] == 2
    np.testing.assert_array_equal(about["metadata"]["cvrl_affine"], read(film, part=2).affine)


def test_second_thoughts_make_no_layer(film, window):
    answer(lambda dialog: dialog.reject())
    assert read_layers(str(film)) == NOTHING


def test_where_nobody_can_be_asked_the_error_names_the_choice(film, qapp):
    with pytest.raises(SeveralVolumesError, match="4 volumes"):
        read_layers(str(film))


@pytest.fixture
def uneven(shared_data: Path, tmp_path: Path) -> Path:
    """A real series of which a slice is missing in the middle."""
    pydicom = pytest.importorskip("pydicom")
    folder = tmp_path / "series"
    folder.mkdir()
    for file in sorted((shared_data / "clinical" / "dicom" / "hippocampus_series").glob("*.dcm")):
        if file.stem != "16":
            data = pydicom.dcmread(file)
            data.save_as(folder / file.name)
    return folder


def test_uneven_slices_are_resampled_when_the_person_agrees(uneven, window):
    def press(role):
        def pressing(box: QMessageBox) -> None:
            next(one for one in box.buttons() if box.buttonRole(one) == role).click()

        return pressing

    with pytest.raises(UnevenSlicesError) as refused:
        read(uneven)
    words = answer(press(QMessageBox.ButtonRole.RejectRole))
    assert read_layers(str(uneven)) == NOTHING
    assert words == [str(refused.value)]
    answer(press(QMessageBox.ButtonRole.AcceptRole))
    ((array, about, _),) = read_layers(str(uneven))
    assert about["metadata"]["cvrl_resampled"] is True
    np.testing.assert_array_equal(array, read(uneven, resample=True).array)


def test_what_had_to_be_assumed_is_told(tmp_path: Path, shared_data: Path, qapp):
    image = nibabel.AnalyzeImage(np.ones((3, 4, 5), np.int16), np.diag([2.0, 2.0, 2.0, 1.0]))
    nibabel.save(image, tmp_path / "old.img")
    notice = read(tmp_path / "old.hdr").notice
    assert notice
    with notification_manager:
        told: list[str] = []
        notification_manager.notification_ready.connect(lambda event: told.append(event.message))
        read_layers(str(tmp_path / "old.hdr"))
    assert told == [notice]


def test_a_question_is_for_the_thread_of_the_windows(window, qtbot):
    from cvrl_napari.gui.background import Background

    background, answers = Background(), []
    assert reading_questions.can_ask()
    background.run(reading_questions.can_ask, answers.append, answers.append)
    qtbot.waitUntil(lambda: bool(answers))
    assert answers == [False]
    background.close()
    assert readers.NOTHING == [(None,)]
