from pathlib import Path

import pytest

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.matching import match_labels, split_labels_from_scans

SCANS = [Path("scans/patient_1.nii.gz"), Path("scans/patient_2.nii.gz")]
WHERE = Path("labels")


@pytest.mark.parametrize(
    "name",
    [
        "patient_1.nii.gz",
        "patient_1.nrrd",
        "PATIENT_1_SEG.nii.gz",
        "patient_1_label.nii.gz",
        "patient_1_labels.nii.gz",
        "patient_1-label.nrrd",
        "patient_1-seg.nii.gz",
        "patient_1_mask.nii",
        "patient_1_seg-manual.nii.gz",
        "patient_1.seg.nrrd",
        "patient_1_gt.nii.gz",
        "label_patient_1.mha",
    ],
)
def test_a_label_finds_its_scan(name):
    matches, notice = match_labels(SCANS, [WHERE / name], WHERE)
    assert matches == {SCANS[0]: WHERE / name}
    assert notice == ""


@pytest.mark.parametrize(("scan", "label"), [("brain_image.nrrd", "brain_label.nrrd"), ("la_003_0000.nii.gz", "la_003.nii.gz")])
def test_scans_have_affixes_too(scan, label):
    matches, _ = match_labels([Path(scan)], [Path(label)], WHERE)
    assert matches == {Path(scan): Path(label)}


def test_the_exact_name_wins_over_an_affix():
    files = [WHERE / "patient_1_seg.nii.gz", WHERE / "patient_1.nii.gz"]
    assert match_labels(SCANS, files, WHERE)[0] == {SCANS[0]: files[1]}


def test_the_folder_decides_between_scans_of_one_name():
    scans = [Path("scans/sub-1/T1.nii.gz"), Path("scans/sub-2/T1.nii.gz")]
    files = [Path("labels/sub-2/T1_seg.nii.gz"), Path("labels/sub-1/T1_seg.nii.gz")]
    assert match_labels(scans, files, WHERE)[0] == {scans[1]: files[0], scans[0]: files[1]}
    with pytest.raises(StudyError, match="several scans"):
        match_labels(scans, [Path("labels/T1.nii.gz")], WHERE)


def test_two_labels_for_one_scan_are_refused_and_named():
    with pytest.raises(StudyError, match=r"patient_1_seg.*patient_1_mask"):
        match_labels(SCANS, [WHERE / "patient_1_seg.nii.gz", WHERE / "patient_1_mask.nii.gz"], WHERE)


def test_labels_left_over_are_told():
    _, notice = match_labels(SCANS, [WHERE / "patient_1.nii.gz", WHERE / "patient_7.nii.gz"], WHERE)
    assert notice.startswith("1 of 2 label files")
    assert "patient_7.nii.gz" in notice


def test_no_label_for_any_scan_is_an_error():
    with pytest.raises(StudyError, match="named like a scan"):
        match_labels(SCANS, [WHERE / "patient_11.nii.gz"], WHERE)


def test_labels_are_told_from_scans_in_one_folder():
    files = [Path(name) for name in ("t1.nii.gz", "t1_seg.nii.gz", "brain_image.nrrd", "brain_label.nrrd", "lone_mask.nii.gz")]
    scans, labels = split_labels_from_scans(files, files)
    assert [path.name for path in scans] == ["t1.nii.gz", "brain_image.nrrd", "lone_mask.nii.gz"]
    assert [path.name for path in labels] == ["t1_seg.nii.gz", "brain_label.nrrd"]
