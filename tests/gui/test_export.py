"""Masks that leave the program: the format by name, the place of the scan, the names of the classes."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.gui.export import DICOM_FORMATS, FORMATS, export, formats_for, resolve
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.dicom_seg import read_seg
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.rtstruct import read_rtstruct

SHAPE = (12, 20, 16)


@pytest.fixture
def labels() -> np.ndarray:
    array = np.zeros(SHAPE, np.uint8)
    array[3, 4, 5], array[0, 0, 0] = 2, 255
    return array


@pytest.mark.parametrize(
    ("typed", "chosen", "expected"),
    [
        ("mask", 0, ("mask.nii.gz", 0)),
        ("mask.nii", 0, ("mask.nii", 0)),
        ("mask", 1, ("mask.nrrd", 1)),
        ("mask.mha", 1, ("mask.mha", 2)),  # what was typed counts
        ("visit.2", 2, ("visit.2.mha", 2)),
        ("mask", 3, ("mask.seg.dcm", 3)),
        ("mask.dcm", 4, ("mask.dcm", 4)),
        ("mask.rtstruct.dcm", 4, ("mask.rtstruct.dcm", 4)),
    ],
)
def test_an_ending_that_is_typed_decides_else_the_chosen_format(typed, chosen, expected):
    formats = FORMATS + DICOM_FORMATS
    path, found = resolve(Path("/there") / typed, formats[chosen], formats)
    assert (path, found) == (Path("/there") / expected[0], formats[expected[1]])


@pytest.mark.parametrize("name", ["out.nii.gz", "out.nrrd", "out.mha"])
def test_an_export_lies_on_the_scan_without_painted_background(ball_study: Study, tmp_path: Path, labels, name: str):
    scan = ball_study.read_scan("c")
    export(scan, labels, tmp_path / name, ball_study.classes)
    out = read(tmp_path / name)
    assert out.same_grid(scan)
    assert out.array[3, 4, 5] == 2
    assert np.count_nonzero(out.array) == 1


def test_an_nrrd_carries_the_names_3d_slicer_shows(ball_study: Study, tmp_path: Path, labels):
    export(ball_study.read_scan("c"), labels, tmp_path / "out.nrrd", ball_study.classes)
    image = sitk.ReadImage(str(tmp_path / "out.nrrd"))
    names = {image.GetMetaData(key) for key in image.GetMetaDataKeys() if key.endswith("_Name")}
    assert names == {"ball", "shell"}


def test_a_nifti_has_the_affine_of_its_scan_bit_for_bit(ball_study: Study, tmp_path: Path, labels):
    export(ball_study.read_scan("c"), labels, tmp_path / "out.nii.gz", ball_study.classes)
    np.testing.assert_array_equal(nibabel.load(tmp_path / "out.nii.gz").affine, nibabel.load(ball_study.case("c").scan).affine)


def test_dicom_formats_are_offered_for_scans_from_dicom(ball_study: Study, shared_data: Path):
    assert formats_for(ball_study.read_scan("c")) == FORMATS
    series = read(shared_data / "clinical" / "dicom" / "hippocampus_series")
    assert formats_for(series) == FORMATS + DICOM_FORMATS


@pytest.mark.parametrize(("kind", "read_back"), [("seg", read_seg), ("rtstruct", read_rtstruct)])
def test_dicom_formats_come_back_with_names_on_the_same_voxels(shared_data: Path, tmp_path: Path, ball_study, kind, read_back):
    series = read(shared_data / "clinical" / "dicom" / "hippocampus_series")
    labels = np.zeros(series.array.shape, np.uint8)
    labels[10:15, 10:25, 10:20], labels[0, 0, 0] = 2, 255
    export(series, labels, tmp_path / "out.dcm", ball_study.classes, kind=kind, predicted=True)
    volume, segments = read_back(tmp_path / "out.dcm", series)
    assert [segment.name for segment in segments] == ["shell"]  # 'ball' is not drawn
    np.testing.assert_array_equal(volume.array > 0, labels == 2)


def test_a_dicom_segmentation_of_nothing_is_refused_in_words(shared_data: Path, tmp_path: Path, ball_study: Study):
    series = read(shared_data / "clinical" / "dicom" / "hippocampus_series")
    with pytest.raises(VolumeError, match="nothing is drawn"):
        export(series, np.zeros(series.array.shape, np.uint8), tmp_path / "a.dcm", ball_study.classes, kind="seg")
