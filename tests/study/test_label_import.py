import nibabel
import numpy as np
import pytest

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.label_import import merge, survey
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.regridding import nearest_on_grid
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write

SPACING = (2.0, 1.0, 1.0)


def volume(array, *, spacing=SPACING, origin=(0.0, 0.0, 0.0)):
    """Return a volume whose axes run to Superior, Posterior and Left from `origin` (RAS mm)."""
    z, y, x = spacing
    affine = np.array([[0, 0, -x, origin[0]], [0, -y, 0, origin[1]], [z, 0, 0, origin[2]], [0, 0, 0, 1.0]])
    return Volume(array, affine)


@pytest.fixture
def scan(tmp_path):
    write(tmp_path / "scan.nii.gz", volume(np.zeros((6, 8, 10), np.int16)))
    return read(tmp_path / "scan.nii.gz")


@pytest.fixture
def save(tmp_path):
    def write_labels(name, array, segments=(), **grid):
        write(tmp_path / name, volume(array, **grid), segments)
        return tmp_path / name

    return write_labels


def test_values_are_counted_named_and_mapped(scan, save):
    array = np.zeros((6, 8, 10), np.uint16)
    array[0, :2], array[1, :3, 0] = 17, 4000
    file = save("aseg.nrrd", array, [Segment(17, "left hippocampus", "#e0a020")])
    looked = survey([file], scan)
    assert looked.files[0].counts == {17: 20, 4000: 3}
    assert looked.files[0].names == {17: "left hippocampus"}
    assert looked.on_grid
    labels, overlaps = merge(looked, {(0, 17): 2, (0, 4000): 255}, scan)
    assert labels.dtype == np.uint8
    assert np.array_equal(labels, np.select([array == 17, array == 4000], [2, 255]))
    assert overlaps == 0
    assert not merge(looked, {}, scan).labels.any()


def test_a_file_a_structure_is_merged_and_the_later_one_holds(scan, save):
    liver, spleen = np.zeros((2, 6, 8, 10), np.uint8)
    liver[:3], spleen[2:] = 1, 1
    looked = survey([save("liver.nii.gz", liver), save("spleen.mha", spleen)], scan)
    labels, overlaps = merge(looked, {(0, 1): 1, (1, 1): 2}, scan)
    assert overlaps == 80
    assert [int(one) for one in labels[:, 0, 0]] == [1, 1, 2, 2, 2, 2]


def test_another_grid_is_resampled_only_when_told_to(scan, save):
    fine = np.zeros((12, 16, 20), np.uint8)
    fine[4:8, 6:10, 4:12] = 1
    file = save("fine.nii.gz", fine, spacing=(1.0, 0.5, 0.5), origin=(0.25, 0.25, -0.5))
    looked = survey([file], scan)
    assert not looked.on_grid
    with pytest.raises(StudyError, match=r"12 x 16 x 20 voxels of 1 x 0.5 x 0.5 mm.*6 x 8 x 10 voxels of 2 x 1 x 1 mm"):
        merge(looked, {(0, 1): 1}, scan)
    labels = merge(looked, {(0, 1): 1}, scan, resample=True).labels
    expected = np.zeros((6, 8, 10), np.uint8)
    expected[2:4, 3:5, 2:6] = 1
    assert np.array_equal(labels, expected)


def test_what_lies_outside_the_other_grid_is_not_labeled(scan):
    labels = nearest_on_grid(volume(np.ones((1, 8, 10), np.uint8), origin=(0.0, 0.0, 4.0)), scan)
    assert [int(one) for one in labels[:, 0, 0]] == [0, 0, 1, 0, 0, 0]


def test_a_scan_is_no_label_file(scan, save, tmp_path):
    grey = np.arange(480, dtype=np.int16).reshape(6, 8, 10)
    with pytest.raises(StudyError, match="has 479 different values and looks like a scan"):
        survey([save("grey.nii.gz", grey)], scan)
    nibabel.save(nibabel.Nifti1Image(np.full((3, 3, 3), 0.5), np.eye(4)), tmp_path / "half.nii")
    with pytest.raises(StudyError, match="no whole numbers"):
        survey([tmp_path / "half.nii"], scan)


def test_grey_values_are_told_from_many_structures(scan, save):
    rng = np.random.default_rng(0)
    grey = rng.normal(90, 20, (6, 8, 10)).clip(0, 254).astype(np.uint8)
    z, y, x = np.indices((6, 8, 10))
    cells = (1 + z // 2 * 20 + y // 2 * 5 + x // 2).astype(np.uint8)  # 60 structures of two voxels along each axis
    few = rng.integers(0, 5, (6, 8, 10)).astype(np.uint8)  # noisy, but a person can say what four values are
    looked = survey([save("grey.nii.gz", grey), save("cells.nii.gz", cells), save("few.nii.gz", few)], scan)
    assert [len(file.counts) > 20 for file in looked.files] == [True, True, False]
    assert [file.path.name for file in looked.like_scans] == ["grey.nii.gz"]


def test_a_class_number_is_checked(scan, save):
    looked = survey([save("one.nii.gz", np.ones((6, 8, 10), np.uint8))], scan)
    with pytest.raises(StudyError, match="class numbers"):
        merge(looked, {(0, 1): 300}, scan)
