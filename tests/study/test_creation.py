import os
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.reading import read


@pytest.fixture
def labels(make_file, stroke) -> Path:
    """A label file for scan_1 and one for scan_2, values 0, 1, 2 and 255, in the order of the file (i, j, k)."""
    in_file = stroke.transpose(2, 1, 0)  # the scans run to Right and Anterior: only their axes are counted here
    path = make_file("labels/scan_1_seg.nii.gz", in_file)
    make_file("labels/scan_2.nii.gz", in_file)
    return path.parent


def test_labels_given_become_complete_cases(tmp_path, scans, labels):
    with Study.create(tmp_path / "study", scans, classes=["atrium", "wall"], labels=labels, held_out=["scan_2"]) as study:
        assert [(case.id, case.state, case.held_out) for case in study.cases] == [
            ("scan_1", "complete", False),
            ("scan_2", "complete", True),
            ("scan_3", "unlabeled", False),
        ]
        original = read(labels / "scan_1_seg.nii.gz")
        assert np.array_equal(study.read_labels("scan_1"), original.array)
        assert study.notice == ""


def test_classes_are_made_of_the_values_found(tmp_path, scans, labels):
    with Study.create(tmp_path / "study", scans, labels=labels) as study:
        assert [(one.id, one.name) for one in study.classes] == [(1, "structure 1"), (2, "structure 2")]


def test_without_classes_and_labels_there_is_one_structure(tmp_path, scans):
    with Study.create(tmp_path / "study", scans) as study:
        assert [one.name for one in study.classes] == ["structure"]


def test_masks_of_0_and_255_are_taken_for_the_structure(tmp_path, scans, make_file):
    mask = np.zeros((6, 5, 4), dtype=np.uint8)
    mask[1:3] = 255
    folder = make_file("masks/scan_1.nii.gz", mask).parent
    with Study.create(tmp_path / "study", scans, labels=folder) as study:
        assert (study.read_labels("scan_1") == 1).sum() == (mask == 255).sum()
        assert "255 was taken for the structure" in study.notice
    with pytest.raises(StudyError, match="2 classes are declared"):
        Study.create(tmp_path / "other", scans, labels=folder, classes=["a", "b"])


def test_empty_label_files_count_as_unlabeled_and_are_told(tmp_path, scans, labels, make_file):
    make_file("labels/scan_3.nii.gz", np.zeros((6, 5, 4), dtype=np.uint8))
    with Study.create(tmp_path / "study", scans, labels=labels) as study:
        assert study.case("scan_3").state == "unlabeled"
        assert "(scan_3)" in study.notice


def test_labels_lying_among_the_scans_are_told_from_them(tmp_path, make_file, stroke):
    make_file("all/t1.nii.gz")
    make_file("all/t1_seg.nii.gz", stroke.transpose(2, 1, 0))
    everything = find_scans(tmp_path / "all")
    with Study.create(tmp_path / "one", everything, labels=tmp_path / "all") as study:
        assert [(case.id, case.state) for case in study.cases] == [("t1", "complete")]
    with Study.create(tmp_path / "two", everything) as study:
        assert [case.id for case in study.cases] == ["t1"]
        assert "t1_seg.nii.gz" in study.notice


BAD = {
    "value": (lambda make, stroke: make("bad/scan_1.nii.gz", np.full((6, 5, 4), 7, dtype=np.uint8)), "value 7"),
    "shape": (
        lambda make, stroke: make("bad/scan_1.nii.gz", np.ones((6, 5, 3), dtype=np.uint8)),
        "3 x 5 x 6 voxels.*4 x 5 x 6",
    ),
    "spacing": (
        lambda make, stroke: make("bad/scan_1.nii.gz", np.ones((6, 5, 4), dtype=np.uint8), spacing=(1, 1, 3)),
        "affine",
    ),
    "origin": (lambda make, stroke: make("bad/scan_1.nii.gz", np.ones((6, 5, 4), dtype=np.uint8), origin=(0, 9, 0)), "affine"),
    "fraction": (lambda make, stroke: make("bad/scan_1.nii.gz", np.full((6, 5, 4), 0.5, dtype=np.float32)), "whole numbers"),
    "name": (lambda make, stroke: make("bad/scan_17.nii.gz", np.ones((6, 5, 4), dtype=np.uint8)), "named like a scan"),
}


@pytest.mark.parametrize("kind", BAD)
def test_labels_that_will_not_do_get_a_sentence_and_leave_no_study_behind(tmp_path, scans, make_file, stroke, kind):
    make, words = BAD[kind]
    file = make(make_file, stroke)
    make_file("bad/scan_2.nii.gz", np.ones((6, 5, 4), dtype=np.uint8)) if kind != "name" else None
    with pytest.raises(StudyError, match=words) as caught:
        Study.create(tmp_path / "study", scans[::-1], classes=["a", "b"], labels=file.parent)
    assert kind == "name" or str(file) in str(caught.value)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"scans": []}, "No scan was found"),
        ({"scans": ["missing.nii.gz"]}, "missing.nii.gz cannot be read"),
        ({"labels": "nowhere"}, "No label file was found in nowhere"),
        ({"held_out": ["scan_9"]}, "no case 'scan_9' to hold out"),
        ({"classes": ["a", "a"]}, "Two classes"),
    ],
)
def test_other_bad_input_gets_a_sentence(tmp_path, scans, change, words):
    with pytest.raises(StudyError, match=words):
        Study.create(tmp_path / "study", **({"scans": scans} | change))
    assert not (tmp_path / "study").exists()


def test_a_labels_folder_of_the_user_is_not_written_into(tmp_path, scans, labels):
    before = {path: path.read_bytes() for path in labels.iterdir()}
    with pytest.raises(StudyError, match="choose an empty folder"):
        Study.create(tmp_path, scans, labels=labels)
    assert {path: path.read_bytes() for path in labels.iterdir()} == before
    assert not (tmp_path / "study.json").exists()


def test_the_hippocampus_becomes_a_study(tmp_path, shared_data):
    folder = shared_data / "hippocampus"
    with Study.create(tmp_path / "study", find_scans(folder / "scans"), labels=folder / "labels") as study:
        assert len(study.labeled_cases()) == 200
        assert len(study.classes) == 2
        case = study.cases[17]
        original = nibabel.load(folder / "labels" / case.scan.name)
        copy = nibabel.load(study.folder / "labels" / f"{case.id}.nii.gz")
        assert np.array_equal(np.asanyarray(original.dataobj), np.asanyarray(copy.dataobj))
        assert np.array_equal(nibabel.load(case.scan).affine, copy.affine)


def test_left_atrium_and_other_formats_become_a_study(tmp_path, shared_data):
    clinical = shared_data / "clinical" / "labelled"
    scans = [path for path in find_scans(clinical) if "spleen" in path.name or "brain1" in path.name or "t2" in path.name]
    with Study.create(tmp_path / "mixed", scans, labels=clinical, classes=[f"class {n}" for n in range(1, 5)]) as study:
        assert sorted(study.labeled_cases()) == ["brain1_image", "sub-spleen2_ct", "t2"]
        labels = study.read_labels("brain1_image")
        assert np.array_equal(labels, read(clinical / "brain1_label.nrrd").array)
    atrium = shared_data / "left_atrium"
    first = (atrium / "train.list").read_text().split()[:2]
    with Study.create(
        tmp_path / "atrium",
        [atrium / "scans" / f"{name}.nii.gz" for name in first],
        labels=atrium / "labels",
        classes=["left atrium"],
    ) as study:
        assert study.labeled_cases() == tuple(first)
        assert study.training_target(first[0]).max() == 1
        assert "belong to no scan" in study.notice


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_linked_scans_are_named_like_the_link(tmp_path, make_file):
    content = make_file("store/0a1b2c.nii.gz")
    link = tmp_path / "patient_1.nii.gz"
    link.symlink_to(content)
    with Study.create(tmp_path / "study", [link]) as study:
        assert study.cases[0].id == "patient_1"
        assert study.read_scan("patient_1").array.shape == (4, 5, 6)
