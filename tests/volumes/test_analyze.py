import nibabel
import numpy as np
import pytest
from nibabel.spm2analyze import Spm2AnalyzeImage
from nibabel.spm99analyze import Spm99AnalyzeImage

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.writing import write


@pytest.fixture
def array() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 120, (3, 4, 5)).astype(np.int16)


def zooms(image, *sizes):
    image.header.set_zooms(sizes)
    return image


def test_its_notice_says_which_side_was_assumed(tmp_path, array):
    path = tmp_path / "scan.img"
    nibabel.save(zooms(nibabel.AnalyzeImage(array, None), 0.5, 1.25, 3), path)
    volume, from_header = read(path), read(path.with_suffix(".hdr"))
    assert np.array_equal(volume.array, from_header.array)
    assert np.array_equal(volume.source.affine, nibabel.load(path).affine)
    assert nibabel.aff2axcodes(volume.source.affine) == ("L", "A", "S")
    assert "does not say left from right" in volume.notice
    assert "towards LAS" in volume.notice
    write(tmp_path / "mask.nii", volume)
    assert np.array_equal(np.asanyarray(nibabel.load(tmp_path / "mask.nii").dataobj), array)
    assert np.allclose(nibabel.load(tmp_path / "mask.nii").affine, volume.source.affine, atol=1e-6)


@pytest.mark.parametrize(
    ("orient", "towards"), [(0, "LAS"), (1, "LSA"), (2, "ASL"), (3, "LPS"), (4, "LIA"), (5, "AIL"), (99, "LAS")]
)
def test_the_plane_it_was_taken_in(tmp_path, array, orient, towards):
    path = tmp_path / "scan.hdr"
    nibabel.save(zooms(nibabel.AnalyzeImage(array, None), 0.5, 1.25, 3), path)
    content = bytearray(path.read_bytes())
    content[252] = orient
    path.write_bytes(content)
    volume = read(path)
    assert "".join(nibabel.aff2axcodes(volume.source.affine)) == towards
    assert np.allclose(np.linalg.norm(volume.source.affine[:3, :3], axis=0), (0.5, 1.25, 3))
    assert np.allclose(volume.world_mm((np.array(volume.array.shape) - 1) / 2), 0)  # the centre
    assert f"towards {towards}" in volume.notice


@pytest.mark.parametrize("image_class", [Spm99AnalyzeImage, Spm2AnalyzeImage])
def test_the_mat_file_of_spm_places_it(tmp_path, array, make_affine, image_class):
    path = tmp_path / "scan.img"
    nibabel.save(image_class(array, make_affine((2, 0, 1), (1, -1, 1), 25)), path)
    assert path.with_suffix(".mat").exists()
    volume = read(path)
    assert np.allclose(volume.source.affine, nibabel.load(path).affine, atol=1e-12)
    assert np.array_equal(volume.source.order.to_file(volume.array), array)
    assert "scan.mat" in volume.notice
    path.with_suffix(".mat").write_bytes(b"MATLAB 5.0 MAT-file" + bytes(200))
    with pytest.raises(VolumeError, match="no SPM file"):
        read(path)


def test_the_scale_of_spm(tmp_path, array):
    path = tmp_path / "scan.img"
    image = Spm99AnalyzeImage(array, np.eye(4))
    nibabel.save(image, path)
    content = bytearray(path.with_suffix(".hdr").read_bytes())
    content[112:116] = np.float32(0.25).tobytes()
    path.with_suffix(".hdr").write_bytes(content)
    volume = read(path)
    assert volume.array.dtype == np.float32
    assert np.array_equal(volume.source.order.to_file(volume.array), array * np.float32(0.25))


def test_big_endian_and_several_volumes(tmp_path, array):
    path = tmp_path / "scan.img"
    several = np.stack([array, array + 1], axis=-1)
    nibabel.save(nibabel.AnalyzeImage(several, None, nibabel.AnalyzeHeader(endianness=">")), path)
    with pytest.raises(SeveralVolumesError, match="2 volumes"):
        read(path)
    volume = read(path, part=1)
    assert volume.array.dtype.isnative
    assert np.array_equal(volume.source.order.to_file(volume.array), array + 1)


def test_half_of_a_pair(tmp_path, array):
    nibabel.save(nibabel.AnalyzeImage(array, None), tmp_path / "scan.img")
    (tmp_path / "scan.hdr").unlink()
    with pytest.raises(VolumeError, match=r"scan\.hdr is missing beside it"):
        read(tmp_path / "scan.img")


def test_colors(tmp_path):
    colors = np.zeros((3, 4, 5), [("R", "u1"), ("G", "u1"), ("B", "u1")])
    nibabel.save(nibabel.AnalyzeImage(colors, None), tmp_path / "scan.img")
    with pytest.raises(VolumeError, match="colors"):
        read(tmp_path / "scan.img")
