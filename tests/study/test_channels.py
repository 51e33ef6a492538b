import nibabel
import numpy as np
import pytest

from cvrl_napari.study.case import Case, Image, images_of, named_by
from cvrl_napari.study.channels import group_channels, volumes_as_channels
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.study import Study


@pytest.fixture
def save(tmp_path):
    def write(name, value=0, shape=(4, 5, 6), spacing=1.0):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(np.full(shape, value, np.int16), np.diag([spacing] * 3 + [1.0])), path)
        return path

    return write


def test_scans_are_grouped_by_the_endings_of_their_names(tmp_path):
    names = ["a_T1.nii.gz", "a_t2.nii.gz", "b-t2.nrrd", "b-t1.nrrd", "sub/t1.mha", "sub/t2.mha", "a_flair.nii.gz"]
    scans = [tmp_path / name for name in names]
    assert group_channels(scans, ["t1", "t2"]) == [
        (scans[0], scans[1]),
        (scans[3], scans[2]),
        (scans[4], scans[5]),
    ]


def test_a_missing_a_double_and_no_channel_are_said(tmp_path):
    with pytest.raises(StudyError, match=r"There is no 't2' beside .*a_t1"):
        group_channels([tmp_path / "a_t1.nii", tmp_path / "b_t1.nii", tmp_path / "b_t2.nii"], ["t1", "t2"])
    with pytest.raises(StudyError, match="both 't1' of one case"):
        group_channels([tmp_path / "a_t1.nii", tmp_path / "a_t1.nrrd"], ["t1"])
    with pytest.raises(StudyError, match="No scan is named like a channel"):
        group_channels([tmp_path / "a.nii"], ["t1"])


def test_the_volumes_of_a_file_are_channels(save):
    assert volumes_as_channels(save("one.nii")) == (Image(scan=save("one.nii")),)
    four = save("four.nii", shape=(4, 5, 6, 3))
    assert [image.part for image in volumes_as_channels(four)] == [0, 1, 2]
    with pytest.raises(StudyError, match="20 volumes, more than 16 channels"):
        volumes_as_channels(save("many.nii", shape=(4, 5, 6, 20)))


def test_a_study_keeps_the_channels_and_how_they_are_read(save, tmp_path):
    first, second = save("scans/a_t1.nii", 1), save("scans/a_t2.nii", 2, shape=(8, 10, 12), spacing=0.5)
    several = save("scans/b.nii", 3, shape=(4, 5, 6, 2))
    scans = [(Image(scan=first), Image(scan=second)), Image(scan=several, part=1)]
    with Study.create(tmp_path / "study", scans) as study:
        study.write_labels("a", np.ones((6, 5, 4), np.uint8))
        study.set_reading("b", part=0)
    text = (tmp_path / "study" / "study.json").read_text()
    assert "../scans/a_t2.nii" in text
    with Study.open(tmp_path / "study") as study:
        case = study.case("a")
        assert [image.scan for image in case.images] == [first, second]
        assert len({image.hash for image in case.images}) == 2
        assert study.read_channel("a", 1).array.shape == (12, 10, 8)
        assert study.read_scan("a").array.max() == 1
        assert study.case("b").part == 0
        assert study.read_scan("b").array.shape == (6, 5, 4)
        assert images_of(case) == case.images
        assert isinstance(case, Case)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["sub-01_t1", "sub-01_t2"], "sub-01"),
        (["t1", "t2"], "scans"),
        (["flair", "flow"], "scans"),
        (["a", "a"], "a"),
        (["cord", "cord_t2"], "cord"),
    ],
)
def test_a_case_goes_by_what_the_names_of_its_images_share(names, expected, tmp_path):
    assert named_by([Image(scan=tmp_path / "scans" / f"{name}.nii.gz") for name in names]).name.split(".")[0] == expected


def test_labels_are_matched_to_a_case_by_its_name(save, tmp_path):
    first, second = save("scans/a_t1.nii", 1), save("scans/a_t2.nii", 2)
    save("labels/a_seg.nii", 1)
    with Study.create(tmp_path / "study", [(Image(scan=first), Image(scan=second))], labels=tmp_path / "labels") as study:
        assert study.labeled_cases() == ("a",)


def test_every_channel_is_found_again_after_a_move(save, tmp_path):
    first, second = save("scans/a_t1.nii", 1), save("scans/a_t2.nii", 2)
    with Study.create(tmp_path / "study", [(Image(scan=first), Image(scan=second))]) as study:
        (tmp_path / "elsewhere").mkdir()
        second.rename(tmp_path / "elsewhere" / "renamed.nii")
        with pytest.raises(StudyError, match="no longer at"):
            study.read_channel("a", 1)
        assert study.relink(tmp_path / "elsewhere") == ("a",)
        assert study.read_channel("a", 1).array.max() == 2
        assert study.case("a").scan == first
