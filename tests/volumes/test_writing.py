import os
import subprocess
import sys

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.volume import Source, Volume
from cvrl_napari.volumes.writing import write

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".mha"]
SCANS = [
    "labelled/t2.nii.gz",
    "labelled/sub-spleen2_ct.nii.gz",
    "labelled/brain1_image.nrrd",
    "nifti/CT_pitch.nii.gz",
    "nifti/avg152T1_RL_nifti.nii.gz",
    "nifti/minimal.nii.gz",
    "nifti/reoriented_anat_moved.nii",
    "nrrd_mha/FLAIR.nrrd",
    "nrrd_mha/mha.mha",
    "dicom/hippocampus_series",
    "dicom/ct_rtstruct/oriented_data",
    "dicom/ct_seg_pair/multiframe/mf.dcm",
]


def places_by_nibabel(path, value):
    image = nibabel.load(path)
    return np.argwhere(np.asanyarray(image.dataobj) == value) @ image.affine[:3, :3].T + image.affine[:3, 3]


def places_by_itk(path, value):
    image = sitk.ReadImage(str(path))
    indices = np.argwhere(sitk.GetArrayViewFromImage(image) == value)[:, ::-1]
    points = np.array([image.TransformIndexToPhysicalPoint(index.tolist()) for index in indices])
    return points * (-1, -1, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("name", SCANS)
def test_a_mask_lies_on_its_scan_for_nibabel_and_itk(tmp_path, shared_data, name, suffix):
    scan = read(shared_data / "clinical" / name)
    labels = np.zeros(scan.array.shape, np.uint8)
    marked = [(0, 0, 0), (1, 2, 3), tuple(size - 1 for size in labels.shape), tuple(size // 2 for size in labels.shape)]
    for value, index in enumerate(marked, start=1):
        labels[index] = value
    path = tmp_path / f"mask{suffix}"
    write(path, scan.with_array(labels))

    has_no_forms = name == "nifti/minimal.nii.gz" and suffix.startswith(".nii")  # ITK and nibabel place such a scan differently
    readers = [places_by_itk] if not suffix.startswith(".nii") else [places_by_nibabel, *[places_by_itk] * (not has_no_forms)]
    for places in readers:
        for value, index in enumerate(marked, start=1):
            assert np.allclose(places(path, value), scan.world_mm(index), rtol=0, atol=1e-4), (places.__name__, index)
    again = read(path)
    assert again.array.dtype == np.uint8
    assert np.array_equal(again.array, labels)


def test_a_mask_has_the_axis_order_of_its_scan(tmp_path, shared_data):
    scan = shared_data / "clinical" / "labelled" / "t2.nii.gz"
    volume = read(scan)
    for suffix in (".nrrd", ".mha", ".nii.gz"):
        write(tmp_path / f"mask{suffix}", volume)
        assert sitk.ReadImage(str(tmp_path / f"mask{suffix}")).GetSize() == nibabel.load(scan).shape


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.tuples(*[st.integers(2, 5)] * 3),
    suffix=st.sampled_from(SUFFIXES),
    dtype=st.sampled_from(
        ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32"]
    ),
)
def test_volumes_made_in_memory_come_back(tmp_path_factory, seed, shape, suffix, dtype):
    generator = np.random.default_rng(seed)
    axes = np.linalg.qr(generator.normal(size=(3, 3)))[0]
    affine = np.eye(4)
    affine[:3, :3] = axes * generator.uniform(0.2, 5, 3)
    affine[:3, 3] = generator.uniform(-300, 300, 3)
    volume = Volume(generator.integers(0, 2 if dtype == "bool" else 120, shape).astype(dtype), affine)
    path = tmp_path_factory.mktemp("made") / f"volume{suffix}"
    write(path, volume)
    again = read(path)
    stored = {np.dtype("bool"): np.uint8, np.dtype("float16"): np.float32}.get(volume.array.dtype, volume.array.dtype)
    assert again.array.dtype == stored
    for index in np.ndindex(shape):
        at = np.linalg.solve(again.affine[:3, :3], volume.world_mm(index) - again.affine[:3, 3])
        assert np.allclose(at, np.rint(at), rtol=0, atol=1e-3)
        assert again.array[tuple(np.rint(at).astype(int))] == volume.array[index]


def test_a_cropped_volume_does_not_get_the_grid_of_its_source(tmp_path, shared_data):
    scan = read(shared_data / "clinical" / "labelled" / "t2.nii.gz")
    affine = scan.affine.copy()
    affine[:3, 3] = scan.world_mm((5, 0, 0))
    crop = Volume(scan.array[5:], affine, scan.source)
    write(tmp_path / "crop.nii.gz", crop)
    again = read(tmp_path / "crop.nii.gz")
    assert again.same_grid(crop)
    assert np.array_equal(again.array, crop.array)


def test_the_same_mask_gives_the_same_bytes(tmp_path, shared_data):
    scan = read(shared_data / "clinical" / "labelled" / "t2.nii.gz")
    for suffix in SUFFIXES:
        write(tmp_path / f"one{suffix}", scan)
        write(tmp_path / f"two{suffix}", scan)
        assert (tmp_path / f"one{suffix}").read_bytes() == (tmp_path / f"two{suffix}").read_bytes()


def test_a_scan_can_be_replaced_by_itself(tmp_path, make_affine):
    path = tmp_path / "scan.nii"  # mapped into memory while it is replaced
    nibabel.save(nibabel.Nifti1Image(np.arange(60, dtype=np.int16).reshape(3, 4, 5), make_affine()), path)
    before = path.read_bytes()
    volume = read(path)
    write(path, volume)
    assert path.read_bytes()[352:] == before[352:]
    assert np.array_equal(read(path).array, volume.array)


@pytest.fixture
def volume(make_affine) -> Volume:
    return Volume(np.random.default_rng(0).integers(0, 255, (20, 50, 60)).astype(np.uint8), make_affine((2, 1, 0), (1, -1, -1)))


@pytest.mark.parametrize("name", ["mask", "mask.txt", "mask.gz", "mask.mhd", "mask.nhdr", "mask.hdr", "mask.dcm"])
def test_endings_that_are_not_written(tmp_path, volume, name):
    with pytest.raises(VolumeError, match=r"\.nii\.gz, \.nii, \.nrrd, \.mha"):
        write(tmp_path / name, volume)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_folder(tmp_path, volume, suffix):
    with pytest.raises(VolumeError, match=r"Cannot write.*No such file"):
        write(tmp_path / "nowhere" / f"mask{suffix}", volume)


def test_a_mask_that_does_not_read_back_the_same_leaves_the_old_file(tmp_path, volume):
    path = tmp_path / "mask.nii.gz"
    write(path, volume)
    before = path.read_bytes()
    # The header of another scan, as a fault in reading would give: NIfTI keeps its place, which is not the volume's.
    header = nibabel.Nifti1Image(np.zeros((60, 50, 20), np.uint8), np.eye(4)).header
    source = Source(tmp_path / "scan.nii", "nifti", (60, 50, 20), volume.affine[:, (2, 1, 0, 3)], header)
    with pytest.raises(VolumeError, match="does not read back the same"):
        write(path, Volume(volume.array, volume.affine, source))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


FILL_THE_DISK = """if True:
    import resource, sys
    from pathlib import Path
    import numpy as np
    from cvrl_napari.volumes.errors import VolumeError
    from cvrl_napari.volumes.volume import Source, Volume
    from cvrl_napari.volumes.writing import write
    volume = Volume(np.random.default_rng(1).integers(0, 255, (20, 50, 60)).astype(np.uint8), np.eye(4))
    for path in map(Path, sys.argv[1:]):
        write(path.with_name("whole" + path.name), volume)
        whole = path.with_name("whole" + path.name).stat().st_size
        for room in (0, 200, whole // 2, whole - 3000, whole - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            try:
                write(path, volume)
            except VolumeError as error:
                print(room, error)
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        path.with_name("whole" + path.name).unlink()
"""


@pytest.mark.skipif(os.name == "nt", reason="needs a limit on the size of files")
def test_a_full_disk_is_said_and_the_old_file_survives(tmp_path, volume):
    paths = [tmp_path / f"mask{suffix}" for suffix in SUFFIXES]
    for path in paths:
        write(path, volume)
    before = [path.read_bytes() for path in paths]
    done = subprocess.run([sys.executable, "-c", FILL_THE_DISK, *paths], capture_output=True, text=True, check=True, timeout=60)
    errors = done.stdout.splitlines()
    assert len(errors) == 5 * len(paths)
    for number, line in enumerate(errors):
        assert f"Cannot write {paths[number // 5]} (" in line
    assert [path.read_bytes() for path in paths] == before
    assert sorted(tmp_path.iterdir()) == sorted(paths)
