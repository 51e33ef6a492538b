"""Every real scan that is not DICOM: what it opens as, or why it is refused."""

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.reading import read

OPENED = {  # file: its axes, their letters, the type of a voxel
    "labelled/brain1_image.nrrd": ((256, 256, 25), "LAS", "int16"),
    "labelled/brain1_label.nrrd": ((256, 256, 25), "LAS", "int32"),
    "labelled/breast1_image.nrrd": ((45, 120, 21), "LPS", "int16"),
    "labelled/breast1_label.nrrd": ((45, 120, 21), "LPS", "int16"),
    "labelled/sub-spleen2_ct.nii.gz": ((164, 166, 26), "RAS", "float32"),
    "labelled/sub-spleen2_ct_seg-manual.nii.gz": ((164, 166, 26), "RAS", "uint8"),
    "labelled/t1w.nii.gz": ((42, 76, 77), "RAS", "int16"),
    "labelled/t1w_seg-manual.nii.gz": ((42, 76, 77), "RAS", "uint8"),
    "labelled/t2.nii.gz": ((60, 55, 52), "PSR", "int16"),
    "labelled/t2_seg-manual.nii.gz": ((60, 55, 52), "PSR", "uint8"),
    "nifti/CT_pitch.nii.gz": ((175, 248, 58), "RAS", "uint8"),
    "nifti/avg152T1_RL_nifti.nii.gz": ((91, 109, 91), "RAS", "uint8"),
    "nifti/minimal.nii.gz": ((64, 64, 10), "LAS", "uint8"),
    "nifti/reoriented_anat_moved.nii": ((21, 26, 22), "RAS", "float32"),
    "nifti/standard.nii.gz": ((4, 5, 7), "RAS", "uint8"),
    "nrrd_mha/3DCT_lung_baseline_small.mha": ((57, 78, 64), "LPS", "int16"),
    "nrrd_mha/FLAIR.nrrd": ((124, 160, 140), "RAS", "uint8"),
    "nrrd_mha/mha.mha": ((64, 64, 37), "LAS", "int16"),
}
ORIENTATIONS = [  # the axes of the file of that name
    "AIL", "ALI", "ARI", "ASL", "IAL", "ILA", "IPL", "IRA", "LAI", "LIA", "LPI", "LSA",
    "PIL", "PLI", "PRI", "PSL", "RAI", "RIA", "RPI", "RSA", "SAL", "SLA", "SPL", "SRA",
]  # fmt: skip
SEVERAL = {"nifti/example_nifti2.nii.gz": ((32, 20, 12), 2), "nifti/functional.nii": ((17, 21, 3), 20)}
NO_SCANS = ["labelled/LICENSE.pyradiomics", "labelled/LICENSE.spinalcord"]
NOTICES = {"nifti/minimal.nii.gz": "does not say how it lies"}


@pytest.fixture(scope="module")
def clinical(shared_data):
    return shared_data / "clinical"


def test_every_file_is_expected(clinical):
    found = [path for name in ("labelled", "nifti", "nrrd_mha", "orientations") for path in (clinical / name).rglob("*")]
    expected = {*OPENED, *SEVERAL, *NO_SCANS, *(f"orientations/{letters}.nii.gz" for letters in ORIENTATIONS)}
    assert {path.relative_to(clinical).as_posix() for path in found if path.is_file()} == expected


def test_a_scan_opens_the_right_way_up(clinical):
    for name, (shape, letters, dtype) in OPENED.items():
        volume = read(clinical / name)
        assert volume.orientation == "SPL", name
        assert volume.source.shape == shape, name
        assert "".join(nibabel.aff2axcodes(volume.source.affine)) == letters, name
        assert volume.array.dtype == np.dtype(dtype), name
        assert NOTICES.get(name, "") in volume.notice, name
        assert bool(volume.notice) == (name in NOTICES), name


def test_24_axis_orders_of_one_brain_are_one_array(clinical):
    first = read(clinical / "orientations" / "RAI.nii.gz")
    for letters in ORIENTATIONS:
        volume = read(clinical / "orientations" / f"{letters}.nii.gz")
        assert "".join(nibabel.aff2axcodes(volume.source.affine)) == letters
        assert np.array_equal(volume.array, first.array), letters
        assert volume.same_grid(first, tolerance_mm=1e-4), letters
        assert volume.notice == ""


def test_each_of_several_volumes(clinical):
    for name, (shape, count) in SEVERAL.items():
        with pytest.raises(SeveralVolumesError, match=f"holds {count} volumes"):
            read(clinical / name)
        stored = np.asanyarray(nibabel.load(clinical / name).dataobj)
        for part in (0, count - 1):
            volume = read(clinical / name, part=part)
            assert volume.source.shape == shape
            assert np.allclose(volume.source.order.to_file(volume.array), stored[..., part], rtol=1e-6)


def test_other_files_are_refused(clinical):
    for name in NO_SCANS:
        with pytest.raises(VolumeError, match="is not a scan this program knows"):
            read(clinical / name)


def test_random_voxels_lie_where_nibabel_and_itk_put_them(clinical):
    random = np.random.default_rng(0)
    for name in OPENED:
        path = clinical / name
        volume = read(path)
        in_file_order = volume.source.order.to_file(volume.array)
        indices = np.array([random.integers(0, volume.source.shape) for _ in range(20)])
        image = sitk.ReadImage(str(path))
        places = {"itk": [np.array(image.TransformIndexToPhysicalPoint(index.tolist())) * (-1, -1, 1) for index in indices]}
        values = [image[index.tolist()] for index in indices]
        if ".nii" in name:
            affine = nibabel.load(path).affine
            places["nibabel"] = list(indices @ affine[:3, :3].T + affine[:3, 3])
        if name == "nifti/minimal.nii.gz":
            del places["itk"]  # neither sform nor qform: the two place it differently
        for who, points in places.items():
            at = np.linalg.solve(volume.affine[:3, :3], (np.array(points) - volume.affine[:3, 3]).T).T
            canonical = np.rint(at).astype(int)
            assert np.allclose(volume.world_mm(canonical), points, rtol=0, atol=1e-4), (name, who)
            assert np.allclose([volume.array[tuple(index)] for index in canonical], values, rtol=1e-6), (name, who)
        assert np.allclose([in_file_order[tuple(index)] for index in indices], values, rtol=1e-6), name
