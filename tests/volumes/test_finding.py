import os

import nibabel
import numpy as np
import pytest

from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.finding import find_scans


@pytest.fixture
def names(tmp_path):
    return lambda folder=tmp_path: [path.relative_to(tmp_path).as_posix() for path in find_scans(folder)]


def test_scans_below_a_folder_sorted_without_the_junk(tmp_path, names):
    for name in (
        "b/scan.NII.GZ", "a.nii", "c.nrrd", "c/d/e.mha", "f.mhd", "f.raw", "g.hdr", "g.img",
        "notes.txt", "table.csv", "Thumbs.db", ".DS_Store", "._a.nii", ".hidden/x.nii", "__MACOSX/a.nii", "I10",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"not looked into")
    assert names() == ["a.nii", "b/scan.NII.GZ", "c/d/e.mha", "c.nrrd", "f.mhd", "g.hdr"]


def test_a_series_is_named_by_its_folder(tmp_path, names, make_series):
    make_series("patient 2")
    make_series("patient 1")
    nibabel.save(nibabel.Nifti1Image(np.zeros((2, 2, 2), np.int16), np.eye(4)), tmp_path / "patient 1" / "mask.nii")
    assert names() == ["patient 1", "patient 1/mask.nii", "patient 2"]
    assert names(tmp_path / "patient 2") == ["patient 2"]


def test_several_series_in_a_folder_are_named_by_their_first_files(names, make_series):
    make_series("visit", slices=3, prefix="a")
    make_series("visit", slices=2, prefix="b")
    make_series("visit", slices=1, prefix="scout")
    assert names() == ["visit/a001.dcm", "visit/b001.dcm"]


def test_a_scout_beside_a_series_does_not_count(names, make_series):
    make_series("visit", slices=3)
    make_series("visit", slices=1, prefix="scout")
    assert names() == ["visit"]


def test_real_folders(shared_data):
    dicom = shared_data / "clinical" / "dicom"
    assert [path.relative_to(dicom).as_posix() for path in find_scans(dicom)] == [
        "ct_phantom_series",
        "ct_rtstruct/mock_data",
        "ct_rtstruct/one_slice_data",
        "ct_rtstruct/oriented_data",
        "ct_seg_pair/image",
        "ct_seg_pair/multiframe",
        "ct_seg_pair/nrrd/label.nrrd",
        "hippocampus_series",
    ]
    assert len(find_scans(shared_data / "left_atrium")) == 160


def test_a_missing_folder(tmp_path):
    with pytest.raises(VolumeError, match="not a folder"):
        find_scans(tmp_path / "nowhere")


def test_an_empty_folder(tmp_path):
    assert find_scans(tmp_path) == []


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may look into every folder")
def test_a_locked_folder(tmp_path):
    tmp_path.chmod(0)
    try:
        with pytest.raises(VolumeError, match="Cannot look into"):
            find_scans(tmp_path)
    finally:
        tmp_path.chmod(0o700)
