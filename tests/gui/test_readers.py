"""Reading into layers: what is ours, what it becomes, and what it costs."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManager, PluginManifest

from cvrl_napari.gui.readers import get_reader
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

MANIFEST = Path(__file__).parents[2] / "cvrl_napari" / "napari.yaml"


@pytest.mark.parametrize("name", ["a.nii", "a.NII.GZ", "a.b.nrrd", "a.nhdr", "a.mha", "a.mhd", "a.dcm"])
def test_scans_are_ours_by_their_ending(name: str):
    assert get_reader(f"/no/such/{name}") is not None


@pytest.mark.parametrize("name", ["a.tif", "a.gz", "nii", "a.nii.gz.txt", "study.json"])
def test_other_files_are_not(name: str):
    assert get_reader(f"/no/such/{name}") is None


def test_a_stack_and_a_folder_of_other_things_are_not_ours(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no scan")
    assert get_reader([str(tmp_path / "a.nii"), str(tmp_path / "b.nii")]) is None
    assert get_reader(str(tmp_path)) is None


def test_a_scan_becomes_a_grey_image_in_millimetres(ball_study: Study):
    path = str(ball_study.case("a").scan)
    ((array, about, kind),) = get_reader(path)(path)
    assert kind == "image"
    np.testing.assert_array_equal(array, ball_study.read_scan("a").array)
    assert about["scale"] == pytest.approx((3.0, 2.0, 1.5))
    assert about["translate"] == pytest.approx((30.0, 11.0, -7.0))
    assert about["units"] == ("mm",) * 3
    assert about["metadata"]["cvrl_source"] == path
    np.testing.assert_array_equal(about["metadata"]["cvrl_affine"], ball_study.read_scan("a").affine)
    assert about["name"] == "a"


def test_a_mask_becomes_labels_on_its_scans_grid(ball_study: Study):
    path = str(ball_study.folder / "labels" / "a.nii.gz")
    ((array, about, kind),) = get_reader(path)(path)
    assert kind == "labels"
    np.testing.assert_array_equal(array, ball_study.read_labels("a"))
    assert about["scale"] == pytest.approx((3.0, 2.0, 1.5))


def test_a_broken_file_gives_a_sentence(tmp_path: Path):
    path = tmp_path / "broken.nii.gz"
    path.write_bytes(b"\x1f\x8b nothing")
    with pytest.raises(VolumeError, match=r"broken\.nii\.gz"):
        get_reader(str(path))(str(path))


def test_a_dicom_folder_is_one_image(shared_data: Path):
    folder = next(path.parent for path in sorted((shared_data / "clinical" / "dicom").rglob("*.dcm")))
    ((array, about, kind),) = get_reader(str(folder))(str(folder))
    assert (kind, array.ndim) == ("image", 3)
    assert min(about["scale"]) > 0


def test_npe2_finds_the_reader_for_files_and_folders(ball_study: Study):
    manager = PluginManager()
    manager.register(PluginManifest.from_file(MANIFEST))
    path = str(ball_study.case("a").scan)
    assert [reader.command for reader in manager.iter_compatible_readers([path])] == ["cvrl-napari.read"]
    assert [reader.command for reader in manager.iter_compatible_readers(["a.tif"])] == []
    assert "cvrl-napari.read" in [reader.command for reader in manager.iter_compatible_readers([str(ball_study.folder)])]


def test_asking_for_a_reader_loads_no_slow_library():
    code = (
        "import sys; from cvrl_napari.gui.readers import get_reader; get_reader('a.nii.gz');"
        "print([name for name in ('torch', 'qtpy', 'PySide6', 'napari', 'SimpleITK', 'nibabel') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
