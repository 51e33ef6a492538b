import os
import shutil
import signal
import sys
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.renumbering import count_voxels, is_older_than_classes, renumbering_since
from cvrl_napari.study.study import Study
from cvrl_napari.study.versions import read_version, versions


def die_after(changes: int) -> None:
    """End this process, without warning, before it renames, links or removes one file more than `changes`."""
    left = changes

    def count(event: str, _: object) -> None:
        nonlocal left
        if event in ("os.rename", "os.remove", "os.rmdir", "os.link"):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


@pytest.fixture
def painted(study: Study, stroke) -> Study:
    """Classes atrium, wall, aorta; scan_1 shows all of them and background, scan_2 the atrium alone, scan_3 the wall alone."""
    study.set_classes(make_classes(["atrium", "wall", "aorta"]))
    stroke[0, 0, :2] = 3
    study.write_labels("scan_1", stroke, state="accepted")
    study.write_labels("scan_2", (stroke == 1).astype(np.uint8))
    study.write_labels("scan_3", (stroke == 2).astype(np.uint8) * 2, state="accepted")
    return study


def names(study: Study) -> list[str]:
    return [one.name for one in study.classes]


def test_a_deleted_class_is_counted_first_then_gone_everywhere(painted: Study, stroke):
    assert count_voxels(painted.folder, painted.cases, 1) == {"scan_1": 1, "scan_2": 1}
    color = painted.classes[1].color
    painted.renumber_classes([2, 3])
    with Study.open(painted.folder, read_only=True) as again:
        assert names(again) == ["wall", "aorta"]
        assert again.classes[0].color == color
        expected = np.choose(np.minimum(stroke, 4), (0, 0, 1, 2, 255))
        assert np.array_equal(again.read_labels("scan_1"), expected)
        assert np.array_equal(again.read_labels("scan_3"), stroke == 2)
        # Something accepted is gone from scan_1; scan_3 shows what it showed.
        assert [case.state for case in again.cases] == ["complete", "unlabeled", "accepted"]


def test_reordered_classes_keep_names_colors_voxels_and_states(painted: Study, stroke):
    before = {one.name: one.color for one in painted.classes}
    painted.renumber_classes([3, 1, 2])
    assert names(painted) == ["aorta", "atrium", "wall"]
    assert {one.name: one.color for one in painted.classes} == before
    assert [case.state for case in painted.cases] == ["accepted", "partial", "accepted"]
    painted.renumber_classes([2, 3, 1])
    assert np.array_equal(painted.read_labels("scan_1"), stroke)


def test_what_was_there_is_kept(painted: Study, stroke):
    labels = (painted.folder / "labels" / "scan_1.nii.gz").read_bytes()
    described = (painted.folder / "study.json").read_bytes()
    painted.renumber_classes([2, 3])
    (kept,) = (painted.folder / "labels" / "removed").glob("classes.*")
    assert (kept / "scan_1.nii.gz").read_bytes() == labels
    assert (kept / "study.json").read_bytes() == described


def test_earlier_versions_and_removed_cases_come_back_in_the_numbers_of_today(painted: Study, scans, stroke):
    painted.write_labels("scan_1", np.zeros_like(stroke) + 3)
    painted.remove_case("scan_3")
    painted.renumber_classes([3, 2])
    version = versions(painted.folder, "scan_1")[-1]
    expected = np.choose(np.minimum(stroke, 4), (0, 0, 2, 1, 255))
    assert np.array_equal(read_version(painted.folder, version, painted.read_scan("scan_1"), 2), expected)
    painted.add_cases([scans[2]])
    assert np.array_equal(painted.read_labels("scan_3"), (stroke == 2) * 2)


def test_a_model_made_before_is_of_other_classes(painted: Study, tmp_path):
    model = tmp_path / "model.safetensors"
    model.touch()
    assert not is_older_than_classes(model, painted.folder)
    painted.renumber_classes([2, 1, 3])
    assert is_older_than_classes(model, painted.folder)
    assert renumbering_since(painted.folder, datetime.now(UTC) - timedelta(hours=1)).tolist()[:4] == [0, 2, 1, 3]
    assert renumbering_since(painted.folder, datetime.now(UTC)).tolist() == list(range(256))


@pytest.mark.parametrize("order", [[], [1, 1], [1, 4]])
def test_an_order_that_is_none_is_refused(painted: Study, order):
    with pytest.raises(StudyError):
        painted.renumber_classes(order)
    assert names(painted) == ["atrium", "wall", "aorta"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a fork of the test is killed")
def test_killed_at_any_moment_all_files_have_the_old_classes_or_all_the_new(painted: Study, tmp_path, stroke):
    painted.close()
    old = {name: (painted.folder / "labels" / name).read_bytes() for name in ("scan_1.nii.gz", "scan_2.nii.gz")}
    new = np.choose(np.minimum(stroke, 4), (0, 0, 1, 2, 255))
    outcomes = []
    for moment in range(100):
        copy = tmp_path / f"copy-{moment}"
        shutil.copytree(painted.folder, copy)
        pid = os.fork()
        if pid == 0:
            study = Study.open(copy)
            die_after(moment)
            study.renumber_classes([2, 3])
            os._exit(0)
        survived = os.waitpid(pid, 0)[1] == 0
        with Study.open(copy) as study:
            outcomes.append(names(study) == ["wall", "aorta"])
            if outcomes[-1]:
                assert np.array_equal(study.read_labels("scan_1"), new)
                assert study.case("scan_2").state == "unlabeled"
            else:
                assert {name: (copy / "labels" / name).read_bytes() for name in old} == old
        assert not (copy / "labels" / ".renumbering").exists()
        if survived:
            break
    assert survived
    assert outcomes == sorted(outcomes)
    assert outcomes.count(False) > 2
    assert outcomes.count(True) > 2
