import nibabel
import numpy as np
import pytest

from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.verifying import check_written
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]


@pytest.fixture
def array() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (6, 5, 4)).astype(np.uint8)  # (i, j, k)


@pytest.fixture
def affine(make_affine) -> np.ndarray:
    return make_affine((0, 1, 2), (-1, -1, 1), 20)


@pytest.fixture(params=SUFFIXES)
def written(request, tmp_path, array, affine):
    path = tmp_path / f"mask{request.param}"
    write(path, Volume(array.T, affine[:, (2, 1, 0, 3)]))
    return path


def differs(written, array, affine):
    with pytest.raises(VolumeError, match="does not read back the same") as caught:
        check_written(written.with_name("wanted"), written, array, affine)
    assert "wanted" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_was_written_is_found(written, array, affine):
    check_written(written, written, array, affine)


def test_one_bit_of_one_voxel(written, array, affine):
    array[-1, -1, -1] ^= 1
    differs(written, array, affine)


def test_another_type_of_the_same_numbers(written, array, affine):
    if ".nii" in written.name:
        write(written, Volume(array.T.astype(np.float32), affine[:, (2, 1, 0, 3)]))
        check_written(written, written, array.astype(np.float32), affine)
    else:
        differs(written, array.astype(np.int8), affine)


@pytest.mark.parametrize("row", range(3))
@pytest.mark.parametrize("column", range(4))
def test_a_place_that_is_a_thousandth_of_a_mm_away(written, array, affine, row, column):
    moved = affine.copy()
    moved[row, column] += 1e-3
    differs(written, array, moved)


def test_swapped_axes(written, array, affine):
    differs(written, array.transpose(1, 0, 2), affine)


@pytest.mark.parametrize("missing", [1, 9, 40])
def test_a_file_that_is_cut_off(written, array, affine, missing):
    written.write_bytes(written.read_bytes()[:-missing])
    differs(written, array, affine)


def test_a_damaged_checksum(tmp_path, array, affine):
    path = tmp_path / "mask.nii.gz"
    write(path, Volume(array.T, affine[:, (2, 1, 0, 3)]))
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    differs(path, array, affine)


def test_scaled_voxels(tmp_path, array, affine):
    image = nibabel.Nifti1Image(array, affine)
    image.header.set_slope_inter(2, 0)
    path = tmp_path / "mask.nii"
    nibabel.save(image, path)
    differs(path, array, affine)


def test_infinite_and_undefined_voxels_keep_their_bits(tmp_path, affine):
    array = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, 3, 4], np.float32).reshape(2, 2, 2)
    for suffix in SUFFIXES:
        write(tmp_path / f"odd{suffix}", Volume(array.T, affine[:, (2, 1, 0, 3)]))


def test_far_from_the_origin_nifti_is_as_exact_as_it_can_be(tmp_path, array, affine):
    affine[:3, 3] = (12345.678, -5432.1, 999.9)
    write(tmp_path / "far.nii.gz", Volume(array.T, affine[:, (2, 1, 0, 3)]))
