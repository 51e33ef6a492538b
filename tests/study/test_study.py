import os
import tempfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.study.case import Case
from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.storage import StudyFile, write_study_file
from cvrl_napari.study.study import Study


def reopened(study: Study) -> Study:
    return Study.open(study.folder, read_only=True)


def test_labels_come_back_as_painted_on_the_grid_of_the_scan(study, scans, stroke):
    study.write_labels("scan_1", stroke)
    assert np.array_equal(reopened(study).read_labels("scan_1"), stroke)
    scan, labels = nibabel.load(scans[0]), nibabel.load(study.folder / "labels" / "scan_1.nii.gz")
    assert np.array_equal(scan.affine, labels.affine)
    assert labels.get_data_dtype() == np.uint8


def test_a_scan_nobody_painted_has_no_labels(study):
    assert study.read_labels("scan_2") is None
    assert (study.training_target("scan_2") == 255).all()


@pytest.mark.parametrize(
    ("before", "edited", "after"),
    [
        ("unlabeled", True, "partial"),
        ("partial", True, "partial"),
        ("complete", True, "complete"),
        ("accepted", True, "complete"),
        ("accepted", False, "accepted"),
    ],
)
def test_painting_changes_the_state(study, stroke, before, edited, after):
    if before != "unlabeled":
        study.write_labels("scan_1", stroke, state=before)
    if edited:
        stroke[0, 0, 0] = 1
    study.write_labels("scan_1", stroke)
    assert study.case("scan_1").state == reopened(study).case("scan_1").state == after


def test_erasing_everything_makes_a_case_unlabeled(study, stroke):
    study.write_labels("scan_1", stroke, state="complete")
    study.write_labels("scan_1", np.zeros_like(stroke), state="complete")
    assert study.case("scan_1").state == "unlabeled"
    assert study.labeled_cases() == ()


def test_accepting_is_dated(study, stroke):
    study.write_labels("scan_1", stroke, state="accepted")
    assert study.case("scan_1").accepted_at.endswith("+00:00")
    study.set_state("scan_1", "partial")
    assert study.case("scan_1").accepted_at is None


def test_a_case_is_not_complete_before_something_is_painted(study):
    with pytest.raises(StudyError, match="Nothing is painted on case 'scan_1'"):
        study.set_state("scan_1", "complete")


def test_painted_background_alone_makes_a_scan_without_the_structure(study):
    labels = np.zeros((4, 5, 6), dtype=np.uint8)
    labels[0, 0, 0] = 255
    study.write_labels("scan_1", labels, state="complete")
    assert study.labeled_cases() == ("scan_1",)
    assert not study.training_target("scan_1").any()


def test_targets_follow_the_state(study, stroke):
    study.write_labels("scan_1", stroke)
    assert study.training_target("scan_1")[0, 0, 0] == 255
    study.set_state("scan_1", "complete")
    assert study.training_target("scan_1")[0, 0, 0] == 0
    assert study.training_target("scan_1")[1, 2, 3] == 1


def test_cases_are_labeled_unlabeled_or_held_out_in_study_order(study, stroke):
    for case_id in ("scan_3", "scan_1"):
        study.write_labels(case_id, stroke)
    assert study.labeled_cases() == ("scan_1", "scan_3")
    study.set_held_out("scan_1", True)
    study.set_held_out("scan_2", True)
    assert (study.labeled_cases(), study.unlabeled_cases()) == (("scan_3",), ())
    assert reopened(study).held_out_cases() == ("scan_1",)  # what is not labeled cannot be measured


def test_labels_that_do_not_fit_are_refused_and_the_old_ones_stay(study, stroke):
    study.write_labels("scan_1", stroke)
    with pytest.raises(StudyError, match=r"\(4, 5, 7\).*\(4, 5, 6\)"):
        study.write_labels("scan_1", np.ones((4, 5, 7), dtype=np.uint8))
    with pytest.raises(StudyError, match="value 3"):
        study.write_labels("scan_1", np.full_like(stroke, 3))
    assert np.array_equal(study.read_labels("scan_1"), stroke)


def test_labels_that_vanished_are_not_taken_for_nothing(study, stroke):
    study.write_labels("scan_1", stroke, state="complete")
    (study.folder / "labels" / "scan_1.nii.gz").unlink()
    with pytest.raises(StudyError, match="are gone from"):
        study.read_labels("scan_1")
    study.set_state("scan_1", "unlabeled")
    assert study.read_labels("scan_1") is None


def test_labels_swapped_for_those_of_another_scan_are_noticed(study, stroke, make_file):
    study.write_labels("scan_1", stroke)
    other = make_file("other.nii.gz", np.ones((3, 3, 3), dtype=np.uint8))
    other.replace(study.folder / "labels" / "scan_1.nii.gz")
    with pytest.raises(StudyError, match="3 x 3 x 3 voxels but its scan has 4 x 5 x 6"):
        study.read_labels("scan_1")


def test_a_scan_that_is_gone_gets_a_sentence(study, scans):
    scans[1].unlink()
    with pytest.raises(StudyError, match="'scan_2' is no longer at"):
        study.read_scan("scan_2")


def test_an_unknown_case_gets_a_sentence(study):
    with pytest.raises(StudyError, match="no case 'scan_9'"):
        study.case("scan_9")


def test_scans_are_added_once(study, make_file, scans):
    new = make_file("more/scan_1.nii.gz", np.zeros((2, 2, 2), dtype=np.int16))
    assert study.add_cases([scans[0], new, new]) == ("scan_1-2",)
    assert [case.id for case in reopened(study).cases] == ["scan_1", "scan_2", "scan_3", "scan_1-2"]


def test_a_removed_case_keeps_its_paint_but_leaves_none_to_its_namesake(study, make_file, stroke):
    study.write_labels("scan_1", stroke)
    study.remove_case("scan_1")
    assert len(list((study.folder / "labels" / "removed").glob("scan_1.*.nii.gz"))) == 1
    namesake = make_file("other/scan_1.nii.gz", np.zeros((6, 5, 4), dtype=np.int16))
    assert study.add_cases([namesake]) == ("scan_1",)
    assert study.read_labels("scan_1") is None


def test_a_removed_scan_that_is_added_again_has_its_labels_back_wherever_it_lies_now(study, scans, tmp_path, stroke):
    study.write_labels("scan_1", stroke, state="complete")
    study.set_remark("scan_1", note="ask the surgeon", needs_look=True)
    study.remove_case("scan_1")
    moved = scans[0].rename(tmp_path / "patient.nii.gz")
    assert study.add_cases([moved]) == ("patient",)
    back = reopened(study).case("patient")
    assert (back.state, back.note, back.needs_look) == ("complete", "ask the surgeon", True)
    assert np.array_equal(study.read_labels("patient"), stroke)


def test_classes_are_renamed_and_added_but_not_taken_away_when_painted(study, stroke):
    study.write_labels("scan_2", stroke)
    study.set_classes(make_classes(["left atrium", "wall", "aorta"]))
    assert [one.name for one in reopened(study).classes] == ["left atrium", "wall", "aorta"]
    study.set_classes(study.classes[:2])
    with pytest.raises(StudyError, match="'scan_2'"):
        study.set_classes(study.classes[:1])


def test_a_reader_sees_what_was_changed_after_reloading(study, stroke):
    reader = reopened(study)
    study.write_labels("scan_1", stroke)
    assert reader.labeled_cases() == ()
    reader.reload()
    assert reader.labeled_cases() == ("scan_1",)


def test_moved_and_renamed_scans_are_found_again(study, scans, tmp_path, stroke):
    study.write_labels("scan_1", stroke)
    (tmp_path / "archive").mkdir()
    scans[0].rename(tmp_path / "archive" / "renamed.nii.gz")
    scans[1].rename(tmp_path / "archive" / "scan_3.nii.gz")  # another scan's name: content decides
    assert study.relink(tmp_path / "archive") == ("scan_1", "scan_2")
    assert study.case("scan_2").scan == tmp_path / "archive" / "scan_3.nii.gz"
    assert np.array_equal(reopened(study).read_labels("scan_1"), stroke)


def test_a_thousand_cases_open_without_a_look_at_their_scans(tmp_path):
    cases = tuple(
        Case(id=f"case_{number}", scan=tmp_path / "scans" / f"{number}.nii.gz", hash="0" * 64) for number in range(1000)
    )
    write_study_file(tmp_path, StudyFile(classes=make_classes(["a"]), cases=cases))
    with Study.open(tmp_path) as study:  # none of the scans exists
        assert len(study.unlabeled_cases()) == 1000


@pytest.fixture
def nobody():
    """Someone who may not write everywhere: root becomes another user for the length of a test."""
    if os.name == "nt":
        pytest.skip("permissions of Unix")
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_folder_that_may_not_be_written_opens_for_reading(make_file, stroke, request):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folder is closed to other users
        root = Path(name)
        root.chmod(0o755)
        scan = make_file("scans/a.nii.gz")
        scan = Path(scan.replace(root / "a.nii.gz"))
        Study.create(root / "study", [scan]).close()
        (root / "study").chmod(0o555)
        request.getfixturevalue("nobody")
        with Study.open(root / "study") as study:
            assert study.read_only
            assert "reading only" in study.notice
            assert "write permission" in study.notice
            assert study.read_scan("a").array.shape == (4, 5, 6)
            with pytest.raises(StudyError, match="write permission"):
                study.write_labels("a", stroke)
        with pytest.raises(StudyError, match="write permission"):
            Study.create(root / "new", [scan])
        if os.getuid() == 0:
            os.seteuid(0)
        (root / "study").chmod(0o755)
