import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.reading import read, read_labels

REFUSED = {  # below shared/data/clinical; everything else that looks like a scan opens
    "dicom/ct_rtstruct/one_slice_data": "a single slice of unknown thickness",
    "nifti/example_nifti2.nii.gz": "holds 2 volumes",
    "nifti/functional.nii": "holds 20 volumes",
}


def test_every_real_scan_opens_or_is_refused_for_a_reason(shared_data):
    clinical = shared_data / "clinical"
    scans = find_scans(clinical)
    assert len(scans) > 45
    refused = {}
    for scan in scans:
        try:
            volume = read(scan)
        except VolumeError as error:
            refused[scan.relative_to(clinical).as_posix()] = str(error)
        else:
            assert volume.orientation == "SPL"
            assert min(volume.array.shape) > 1
            assert volume.array.dtype.isnative
            assert volume.array.dtype == np.float32 or volume.array.dtype.kind in "iu"
            assert volume.source.path == scan
    assert refused.keys() == REFUSED.keys()
    for name, reason in REFUSED.items():
        assert reason in refused[name]


def test_every_other_real_file_is_refused_with_a_sentence(shared_data):
    clinical = shared_data / "clinical"
    others = [path for path in clinical.rglob("*") if path.suffix in ("", ".md", ".txt", ".seg") and path.is_file()]
    others = [path for path in others if path.name[0] != "I"]  # the nameless slices of the phantom
    assert len(others) == 5
    for path in others:
        with pytest.raises(VolumeError) as caught:
            read(path)
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["scan.nii.gz", "scan.nrrd", "scan.mha", "scan.dcm", "folder"])
def test_a_missing_file(tmp_path, name):
    with pytest.raises(VolumeError, match=f"{name}.*No such file"):
        read(tmp_path / name)


def test_a_file_of_no_known_kind(tmp_path):
    (tmp_path / "scan.jpg").write_bytes(b"\xff\xd8\xff" * 100)
    with pytest.raises(VolumeError, match="use NIfTI, NRRD, MetaImage, MGH, ANALYZE or DICOM"):
        read(tmp_path / "scan.jpg")


@pytest.mark.parametrize("name", ["a b/scan 1.nii.gz", "Ärzte/脳.nrrd", "Ärzte/脳.mha", "Ärzte/脳.nii"])
def test_names_in_any_script(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir()
    image = sitk.GetImageFromArray(np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    sitk.WriteImage(image, str(path))
    assert read(path).array.sum() == 276


class TestLabels:
    @pytest.fixture
    def labels(self, tmp_path):
        def save_and_read(array, name="mask.nii.gz"):
            sitk.WriteImage(sitk.GetImageFromArray(np.array(array).reshape(2, 2, 2)), str(tmp_path / name))
            return read_labels(tmp_path / name)

        return save_and_read

    @pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
    @pytest.mark.parametrize("name", ["mask.nii", "mask.nii.gz", "mask.nrrd", "mask.mha"])
    def test_whole_numbers_of_any_type(self, labels, dtype, name):
        volume = labels(np.array((0, 1, 2, 3, 4, 5, 254, 255), dtype), name)
        assert volume.array.dtype == np.uint8
        assert volume.array.ravel().tolist() == [0, 1, 2, 3, 4, 5, 254, 255]
        assert volume.array.flags.writeable
        assert volume.array.flags.c_contiguous

    @pytest.mark.parametrize("wrong", [-1.0, 256.0, 0.5])
    def test_other_numbers_are_refused(self, labels, wrong):
        with pytest.raises(VolumeError, match=r"not a mask.*whole numbers from 0 to 255"):
            labels(np.array((0, 1, 2, 3, 4, 5, 6, wrong)))

    def test_real_masks_lie_on_their_scans(self, shared_data):
        labelled = shared_data / "clinical" / "labelled"
        for scan, mask in (
            ("t1w.nii.gz", "t1w_seg-manual.nii.gz"),
            ("t2.nii.gz", "t2_seg-manual.nii.gz"),
            ("sub-spleen2_ct.nii.gz", "sub-spleen2_ct_seg-manual.nii.gz"),
            ("brain1_image.nrrd", "brain1_label.nrrd"),
            ("breast1_image.nrrd", "breast1_label.nrrd"),
        ):
            labels = read_labels(labelled / mask)
            assert labels.same_grid(read(labelled / scan)), scan
            assert labels.array.any()
