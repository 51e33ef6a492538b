import nibabel
import numpy as np
import pytest

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.writing import write


def save(path, array, affine=None):
    nibabel.save(nibabel.MGHImage(array, affine), path)
    return path


@pytest.mark.parametrize("suffix", [".mgh", ".mgz"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32", "float32"])
def test_every_voxel_lies_where_nibabel_says(tmp_path, axis_orders, make_affine, suffix, dtype):
    array = np.random.default_rng(0).integers(0, 120, (3, 4, 5)).astype(dtype)
    for number, (axes, signs) in enumerate(axis_orders[::5]):
        path = save(tmp_path / f"scan{number}{suffix}", array, make_affine(axes, signs, 25))
        volume, image = read(path), nibabel.load(path)
        assert volume.array.dtype == np.dtype(dtype)
        assert volume.notice == ""
        assert np.array_equal(volume.source.affine, image.affine)
        assert np.array_equal(volume.source.order.to_file(volume.array), np.asanyarray(image.dataobj))


def test_a_mask_for_it_lies_on_it(tmp_path, make_affine):
    scan = read(save(tmp_path / "scan.mgz", np.zeros((3, 4, 5), np.uint8), make_affine((2, 0, 1), (1, -1, 1), 25)))
    labels = np.zeros(scan.array.shape, np.uint8)
    labels[1, 2, 0] = 7
    write(tmp_path / "mask.nii.gz", scan.with_array(labels))
    image = nibabel.load(tmp_path / "mask.nii.gz")
    (at,) = np.argwhere(np.asanyarray(image.dataobj) == 7)
    assert image.shape == (3, 4, 5)
    assert np.allclose(image.affine[:3, :3] @ at + image.affine[:3, 3], scan.world_mm((1, 2, 0)), atol=1e-4)


def test_one_of_several_frames(tmp_path):
    array = np.random.default_rng(0).integers(0, 120, (3, 4, 5, 2)).astype(np.int16)
    path = save(tmp_path / "scan.mgz", array, np.eye(4))
    with pytest.raises(SeveralVolumesError, match="2 volumes"):
        read(path)
    volume = read(path, part=1)
    assert np.array_equal(volume.source.order.to_file(volume.array), array[..., 1])


def test_a_file_that_does_not_say_how_it_lies(tmp_path):
    path = save(tmp_path / "scan.mgh", np.zeros((3, 4, 5), np.uint8), np.diag((2, 2, 2, 1)))
    content = bytearray(path.read_bytes())
    content[28:30] = bytes(2)  # goodRASFlag
    path.write_bytes(content)
    volume = read(path)
    assert "does not say how it lies" in volume.notice
    assert np.array_equal(volume.source.affine, nibabel.load(path).affine)


def test_values_on_a_surface_are_no_scan(tmp_path):
    path = save(tmp_path / "lh.thickness.mgh", np.zeros((2562, 1, 1), np.float32), np.eye(4))
    with pytest.raises(VolumeError, match="values on a surface"):
        read(path)


@pytest.mark.parametrize("content", [b"not a scan" * 100, bytes(10), b"\0\0\0\1" + bytes(300)])
def test_other_files(tmp_path, content):
    (tmp_path / "scan.mgh").write_bytes(content)
    with pytest.raises(VolumeError, match=r"not an MGH file|damaged"):
        read(tmp_path / "scan.mgh")
