import gzip
import re

import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.writing import write

FORMATS = [".nrrd", ".nhdr", ".mha", ".mhd"]


def image(make_affine, axes=(0, 1, 2), signs=(1, 1, 1), degrees=0.0, dtype=np.int16) -> sitk.Image:
    made = sitk.GetImageFromArray(np.random.default_rng(0).integers(0, 120, (5, 4, 3)).astype(dtype))
    affine = make_affine(axes, signs, degrees)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    made.SetSpacing(spacing)
    made.SetOrigin(affine[:3, 3])
    made.SetDirection((affine[:3, :3] / spacing).ravel())
    return made


def assert_every_voxel_lies_where_itk_says(volume, made):
    for index in np.ndindex(volume.array.shape):
        l, p, s = volume.world_mm(index) * (-1, -1, 1)  # noqa: E741 - Left, Posterior, Superior
        at = made.TransformPhysicalPointToContinuousIndex((l, p, s))
        assert np.allclose(at, np.rint(at), atol=1e-4)
        assert made[tuple(round(i) for i in at)] == volume.array[index]


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("compressed", [False, True])
def test_every_voxel_lies_where_itk_says(tmp_path, make_affine, suffix, compressed):
    made = image(make_affine, (2, 0, 1), (1, -1, 1), degrees=25)
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(made, str(path), useCompression=compressed)
    volume = read(path)
    assert volume.array.dtype == np.int16
    assert volume.orientation == "SPL"
    assert_every_voxel_lies_where_itk_says(volume, made)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("degrees", [0, 25])
def test_round_trips_of_all_48_axis_orders(tmp_path, axis_orders, make_affine, suffix, degrees):
    dtypes = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32"]
    for number, (axes, signs) in enumerate(axis_orders):
        made = image(make_affine, axes, signs, degrees, dtypes[number % len(dtypes)])
        scan, copy = tmp_path / f"scan{number}{suffix}", tmp_path / f"copy{number}{suffix}"
        sitk.WriteImage(made, str(scan))
        write(copy, read(scan))
        written = sitk.ReadImage(str(copy))
        assert written.GetPixelID() == made.GetPixelID()
        assert np.array_equal(sitk.GetArrayViewFromImage(written), sitk.GetArrayViewFromImage(made))
        for after, before in (
            (written.GetSpacing(), made.GetSpacing()),
            (written.GetOrigin(), made.GetOrigin()),
            (written.GetDirection(), made.GetDirection()),
        ):
            assert np.allclose(after, before, rtol=0, atol=1e-12)


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize("name", ["labelled/brain1_image.nrrd", "nrrd_mha/FLAIR.nrrd", "nrrd_mha/mha.mha"])
def test_real_scans_keep_their_place(tmp_path, shared_data, suffix, name):
    scan, copy = shared_data / "clinical" / name, tmp_path / f"copy{suffix}"
    volume = read(scan)
    write(copy, volume)
    before, after = sitk.ReadImage(str(scan)), sitk.ReadImage(str(copy))
    assert np.array_equal(sitk.GetArrayViewFromImage(after), sitk.GetArrayViewFromImage(before))
    far = [size - 1 for size in before.GetSize()]
    for corner in ((0, 0, 0), far):
        assert np.allclose(
            after.TransformIndexToPhysicalPoint(corner), before.TransformIndexToPhysicalPoint(corner), rtol=0, atol=1e-9
        )


def test_a_nrrd_in_ras_space_comes_to_the_same_place(tmp_path, make_affine):
    sitk.WriteImage(image(make_affine), str(tmp_path / "lps.nrrd"))
    header, _, data = (tmp_path / "lps.nrrd").read_bytes().partition(b"\n\n")
    ras = header.replace(b"left-posterior-superior", b"right-anterior-superior")
    ras = ras.replace(b"space directions: (0.5,0,0) (0,1.25,0)", b"space directions: (-0.5,0,0) (0,-1.25,0)")
    ras = ras.replace(b"space origin: (-31.5,42.25,", b"space origin: (31.5,-42.25,")
    assert ras.count(b"-") != header.count(b"-")
    (tmp_path / "ras.nrrd").write_bytes(ras + b"\n\n" + data)
    lps, ras = read(tmp_path / "lps.nrrd"), read(tmp_path / "ras.nrrd")
    assert np.array_equal(lps.array, ras.array)
    assert ras.same_grid(lps, tolerance_mm=1e-9)


def test_a_sheared_grid_survives(tmp_path, make_affine):
    from cvrl_napari.volumes.volume import Volume

    affine = make_affine((2, 1, 0), (1, -1, -1))
    affine[:3, 0] += 0.3 * affine[:3, 1]  # a tilted gantry
    volume = Volume(np.arange(60, dtype=np.uint8).reshape(5, 4, 3), affine)
    for suffix in (".nrrd", ".mha", ".nii"):
        write(tmp_path / f"mask{suffix}", volume)
        copy = read(tmp_path / f"mask{suffix}")
        assert copy.same_grid(volume, tolerance_mm=1e-4), suffix
        assert np.array_equal(copy.array, volume.array)


def save(array, path, is_vector=False):
    sitk.WriteImage(sitk.GetImageFromArray(array, isVector=is_vector), str(path))


def refused(path, words):
    with pytest.raises(VolumeError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", FORMATS)
class TestRefused:
    def test_several_volumes(self, tmp_path, suffix):
        save(np.zeros((2, 5, 4, 3), np.int16), tmp_path / f"scan{suffix}")
        refused(tmp_path / f"scan{suffix}", "2 volumes")

    def test_a_flat_image(self, tmp_path, suffix):
        save(np.zeros((5, 4), np.int16), tmp_path / f"scan{suffix}")
        refused(tmp_path / f"scan{suffix}", "2 axes")

    def test_colors(self, tmp_path, suffix):
        save(np.zeros((5, 4, 3, 3), np.uint8), tmp_path / f"scan{suffix}", is_vector=True)
        refused(tmp_path / f"scan{suffix}", "colors")

    def test_voxels_that_are_not_finite(self, tmp_path, suffix):
        array = np.zeros((5, 4, 3))
        array[1, 2] = np.nan
        save(array, tmp_path / f"scan{suffix}")
        refused(tmp_path / f"scan{suffix}", "3 voxels that are not finite")

    @pytest.mark.parametrize("compressed", [False, True])
    def test_a_file_that_is_cut_off(self, tmp_path, make_affine, suffix, compressed):
        path = tmp_path / f"scan{suffix}"
        sitk.WriteImage(image(make_affine), str(path), useCompression=compressed)
        data = next((file for file in tmp_path.iterdir() if file != path), path)
        data.write_bytes(data.read_bytes()[:-20])
        refused(path, "cut off")

    def test_a_text_file(self, tmp_path, suffix):
        (tmp_path / f"scan{suffix}").write_text("this is not a scan\n" * 100)
        refused(tmp_path / f"scan{suffix}", "cut off, damaged or no")

    def test_a_header_that_promises_petabytes(self, tmp_path, make_affine, suffix):
        path = tmp_path / f"scan{suffix}"
        sitk.WriteImage(image(make_affine), str(path))
        content = path.read_bytes()
        huge = re.sub(rb"(sizes:|DimSize =) 3 4 5", rb"\1 60000 60000 60000", content)
        assert huge != content
        path.write_bytes(huge)
        refused(path, "promises|cut off")


@pytest.mark.parametrize("axes", [b"-3", b"0", b"99999", b"x"])
def test_a_number_of_axes_that_would_end_the_process_in_itk(tmp_path, make_affine, axes):
    path = tmp_path / "scan.mha"
    sitk.WriteImage(image(make_affine), str(path))
    path.write_bytes(path.read_bytes().replace(b"NDims = 3", b"NDims = " + axes))
    refused(path, "damaged")


def test_a_gzipped_nrrd_with_a_flipped_bit(tmp_path, make_affine):
    path = tmp_path / "scan.nrrd"
    sitk.WriteImage(image(make_affine), str(path), useCompression=True)
    header, _, data = path.read_bytes().partition(b"\n\n")
    voxels = bytearray(gzip.compress(gzip.decompress(data), 0))
    voxels[40] ^= 1
    path.write_bytes(header + b"\n\n" + bytes(voxels))
    refused(path, "damaged")
