"""What was painted and not saved is there when the study is opened again; what does not belong to its labels never is."""

import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from cvrl_napari.study.journal import MOST_VOXELS, Journal
from cvrl_napari.study.storage import label_path
from cvrl_napari.study.study import Study


@pytest.fixture
def study(study: Study, stroke: np.ndarray) -> Study:
    """The study with something painted on its first scan."""
    study.write_labels(study.cases[0].id, stroke)
    return study


def case_and_labels(study: Study) -> tuple[str, np.ndarray]:
    case = next(one.id for one in study.cases if one.is_labeled)
    labels = study.read_labels(case)
    assert labels is not None
    return case, labels.copy()


def note_of(study: Study, case: str):
    return study.folder / "journal" / f"{case}.safetensors"


def opened_again(study: Study) -> Study:
    study.close()
    return Study.open(study.folder)


def test_what_was_noted_is_put_back_with_its_time_and_once(study):
    case, labels = case_and_labels(study)
    journal = Journal(study)
    labels[1:3, 2:4, 3:6] = 1
    labels[3, 4, 5] = 0
    journal.note(case, labels)
    labels[0, 0, 0] = 255
    journal.note(case, labels)
    assert not np.array_equal(study.read_labels(case), labels)
    os.utime(note_of(study, case), (1_000_000_000, 1_000_000_000))
    with opened_again(study) as again:
        assert np.array_equal(again.read_labels(case), labels)
        assert label_path(again.folder, case).stat().st_mtime == 1_000_000_000
        assert not note_of(again, case).exists()


def test_the_first_strokes_on_a_scan_are_put_back_and_make_it_partial(study):
    case = next(one.id for one in study.cases if not one.is_labeled)
    labels = np.zeros(study.read_scan(case).array.shape, np.uint8)
    labels[3, 3, 3] = 1
    Journal(study).note(case, labels)
    with opened_again(study) as again:
        assert np.array_equal(again.read_labels(case), labels)
        assert again.case(case).state == "partial"


def test_saved_labels_need_no_note_and_a_stale_one_is_dropped(study):
    case, labels = case_and_labels(study)
    journal = Journal(study)
    labels[0, 0, 0] = 1
    journal.note(case, labels)
    stale = note_of(study, case).read_bytes()
    labels[0, 0, 1] = 1
    study.write_labels(case, labels)
    journal.saved(case, labels.copy())
    assert not note_of(study, case).exists()
    journal.note(case, labels)
    assert not note_of(study, case).exists(), "nothing differs"
    note_of(study, case).write_bytes(stale)
    saved = labels.copy()
    saved[0, 0, 0] = 0
    study.write_labels(case, saved)
    with opened_again(study) as again:
        assert np.array_equal(again.read_labels(case), saved)
        assert not note_of(again, case).exists()


def test_labels_that_somebody_else_wrote_are_what_the_next_note_is_about(study):
    case, labels = case_and_labels(study)
    journal = Journal(study)
    journal.saved(case, labels.copy())
    restored = labels.copy()
    restored[2, 2, 2] = 1
    study.write_labels(case, restored)
    painted = restored.copy()
    painted[3, 3, 3] = 1
    journal.note(case, painted)
    with opened_again(study) as again:
        assert np.array_equal(again.read_labels(case), painted)


def broken(note: dict[str, np.ndarray], how: str) -> dict[str, np.ndarray]:
    changes = {
        "a voxel outside": {"at": np.full_like(note["at"], 10**9)},
        "values missing": {"values": note["values"][:-1]},
        "of signed places": {"at": note["at"].astype(np.int32)},
        "of another shape": {"shape": np.array([3, 3])},
    }
    return note | changes[how]


@pytest.mark.parametrize(
    "how", ["a voxel outside", "values missing", "of signed places", "of another shape", "cut short", "huge"]
)
def test_a_damaged_note_is_dropped_and_the_labels_stay(study, how):
    case, labels = case_and_labels(study)
    painted = labels.copy()
    painted[1:3, 2:5, 3:6] = 1
    Journal(study).note(case, painted)
    path = note_of(study, case)
    if how == "cut short":
        path.write_bytes(path.read_bytes()[:-20])
    elif how == "huge":
        with path.open("r+b") as file:
            file.truncate(33 * MOST_VOXELS)
    else:
        save_file(broken(load_file(path), how), path)
    with opened_again(study) as again:
        assert np.array_equal(again.read_labels(case), labels)
        assert not path.exists()


def test_a_note_on_a_scan_that_is_away_waits(study, tmp_path):
    case = next(one.id for one in study.cases if not one.is_labeled)
    labels = np.zeros(study.read_scan(case).array.shape, np.uint8)
    labels[3, 3, 3] = 1
    Journal(study).note(case, labels)
    scan = study.case(case).scan
    scan.rename(tmp_path / "away")
    with opened_again(study) as again:
        assert note_of(again, case).exists()
        (tmp_path / "away").rename(scan)
    with opened_again(again) as once_more:
        assert np.array_equal(once_more.read_labels(case), labels)
