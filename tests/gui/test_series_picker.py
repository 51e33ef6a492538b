"""A list of real DICOM series: what is ticked, what the keys do, how pictures come, and how a new study asks."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication, QDialogButtonBox

from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.series_picker import SeriesPicker
from cvrl_napari.volumes.dicom_catalog import Series, list_series

pytestmark = pytest.mark.gui
SIZE = 64


@pytest.fixture
def visit(tmp_path: Path) -> Path:
    """Three series of one study in one folder: a scout of 3 slices, 5 thick slices, 9 thin ones."""
    folder, study = tmp_path / "visit", generate_uid()
    folder.mkdir()
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    for number, (description, slices) in enumerate((("Topogram", 3), ("Abdomen 5mm", 5), ("Abdomen 1mm", 9)), start=1):
        series = generate_uid()
        for index in range(slices):
            meta = FileMetaDataset()
            meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, generate_uid()
            meta.TransferSyntaxUID = ExplicitVRLittleEndian
            header = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
            header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
            header.StudyInstanceUID, header.SeriesInstanceUID, header.Modality = study, series, "CT"
            header.SeriesNumber, header.SeriesDescription, header.InstanceNumber = number, description, index + 1
            header.PatientName = "Avasarala^Chrisjen"
            header.Rows = header.Columns = SIZE
            header.PixelSpacing, header.ImageOrientationPatient = [0.7, 0.7], [1, 0, 0, 0, 1, 0]
            header.ImagePositionPatient = [0, 0, 2.0 * index]
            header.BitsAllocated = header.BitsStored = 16
            header.HighBit, header.PixelRepresentation, header.SamplesPerPixel = 15, 1, 1
            header.PhotometricInterpretation = "MONOCHROME2"
            disc = 1000 * (x**2 + y**2 < 0.3 * number) + 200 * x
            header.PixelData = disc.astype("<i2").tobytes()
            pydicom.dcmwrite(folder / f"{number}-{index:02d}", header)
    return folder


@pytest.fixture
def picker(visit: Path, qtbot: QtBot):
    dialog = SeriesPicker(list_series(visit))
    qtbot.addWidget(dialog)
    dialog.show()
    yield dialog
    dialog.close()


def words(picker: SeriesPicker) -> list[list[str]]:
    rows = [picker.rows.topLevelItem(number) for number in range(picker.rows.topLevelItemCount())]
    return [[row.text(column) for column in range(4)] for row in rows]


def test_a_row_a_series_and_the_likely_one_ticked(picker: SeriesPicker, visit: Path):
    assert words(picker) == [
        ["3 Abdomen 1mm", "CT", "64 x 64 x 9", "0.7 x 0.7 x 2"],
        ["2 Abdomen 5mm", "CT", "64 x 64 x 5", "0.7 x 0.7 x 2"],
        ["1 Topogram", "CT", "64 x 64 x 3", "0.7 x 0.7 x 2"],
    ]
    assert picker.chosen() == [visit / "3-00"]
    assert picker.rows.isColumnHidden(4)  # one study


def test_keys_alone_choose(picker: SeriesPicker, visit: Path, qtbot: QtBot):
    ok = picker.buttons.button(QDialogButtonBox.StandardButton.Ok)
    qtbot.keyClick(picker.rows, Qt.Key.Key_Space)
    assert picker.chosen() == []
    assert not ok.isEnabled()
    qtbot.keyClick(picker.rows, Qt.Key.Key_Down)
    qtbot.keyClick(picker.rows, Qt.Key.Key_Space)
    assert picker.chosen() == [visit / "2-00"]
    assert ok.text() == "Use 1 series"


def test_all_and_none(picker: SeriesPicker):
    picker.all_button.click()
    assert len(picker.chosen()) == 3
    picker.none_button.click()
    assert picker.chosen() == []


def test_pictures_come_by_themselves(picker: SeriesPicker, qtbot: QtBot):
    def middle(number: int) -> int:
        icon = picker.rows.topLevelItem(number).icon(0)
        return icon.pixmap(64, 64).toImage().pixelColor(32, 32).lightness()

    qtbot.waitUntil(lambda: all(middle(number) > 200 for number in range(3)))


def test_a_series_that_cannot_be_read_has_no_picture_and_says_why(visit: Path, qtbot: QtBot):
    for file in visit.glob("1-*"):
        file.write_bytes(file.read_bytes()[:-100])
    dialog = SeriesPicker(list_series(visit))
    qtbot.addWidget(dialog)
    qtbot.waitUntil(
        lambda: (
            "cannot be read" in dialog.rows.topLevelItem(2).toolTip(0) or "cut off" in dialog.rows.topLevelItem(2).toolTip(0)
        )
    )
    dialog.close()


def answer_picker(answer) -> None:
    """Wait for the picker a dialog shows, and let `answer` deal with it."""

    def look() -> None:
        windows = (window for window in QApplication.topLevelWidgets() if window.isVisible())
        pickers = [window for window in windows if isinstance(window, SeriesPicker)]
        if pickers:
            answer(pickers[0])
        else:
            QTimer.singleShot(20, look)

    look()


def test_a_new_study_takes_what_was_picked(visit: Path, qtbot: QtBot):
    (visit / "other.nii.gz").write_bytes(b"not looked into")
    dialog = NewStudyDialog([visit])
    qtbot.addWidget(dialog)
    qtbot.keyClicks(dialog.classes_edit, "liver")
    answer_picker(lambda picker: picker.buttons.button(QDialogButtonBox.StandardButton.Ok).click())
    with qtbot.waitSignal(dialog.accepted):
        dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert dialog.scans == (visit / "3-00", visit / "other.nii.gz")


def test_a_new_study_waits_when_nothing_was_picked(visit: Path, qtbot: QtBot):
    dialog = NewStudyDialog([visit])
    qtbot.addWidget(dialog)
    qtbot.keyClicks(dialog.classes_edit, "liver")
    answer_picker(lambda picker: picker.reject())
    qtbot.waitUntil(lambda: dialog.scans == ())
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()
    dialog.reject()


def test_a_folder_of_one_series_asks_nothing(visit: Path, qtbot: QtBot):
    for file in [*visit.glob("1-*"), *visit.glob("2-*")]:
        file.unlink()
    dialog = NewStudyDialog([visit])
    qtbot.addWidget(dialog)
    qtbot.keyClicks(dialog.classes_edit, "liver")
    with qtbot.waitSignal(dialog.accepted):
        dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).click()
    assert dialog.scans == (visit,)


def test_no_name_of_a_patient_is_shown(picker: SeriesPicker, visit: Path):
    series: list[Series] = list_series(visit)
    told = repr(words(picker)) + repr([picker.rows.topLevelItem(row).toolTip(0) for row in range(len(series))])
    assert "Avasarala" not in told
