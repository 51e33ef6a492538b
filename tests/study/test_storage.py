import json
import subprocess
import sys
from pathlib import Path

import pytest

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.storage import FILE_NAME, absolute_scan, atomic_write, portable_path, read_study_file
from cvrl_napari.study.study import Study


def test_what_is_written_is_read(study):
    record = read_study_file(study.folder)
    assert record.classes == study.classes
    assert record.cases == study.cases
    assert all(case.scan.is_file() for case in record.cases)


@pytest.mark.parametrize(
    ("scan", "stored"),
    [
        ("/disk/a/study/scans/x.nii", "scans/x.nii"),
        ("/disk/a/scans/x.nii", "../scans/x.nii"),
        ("/disk/b/x.nii", "/disk/b/x.nii"),
    ],
)
def test_scans_below_and_beside_the_study_are_kept_relative(scan, stored):
    assert portable_path(Path(scan), Path("/disk/a/study")) == stored


def test_a_study_below_the_root_keeps_absolute_paths():
    assert portable_path(Path("/data/x.nii"), Path("/study")) == "/data/x.nii"


def test_a_study_moves_together_with_its_scans(study, tmp_path, stroke):
    study.write_labels("scan_1", stroke)
    study.close()
    elsewhere = tmp_path / "new place"
    elsewhere.mkdir()
    for name in ("study", "scans"):
        (tmp_path / name).rename(elsewhere / name)
    with Study.open(elsewhere / "study") as moved:
        assert moved.read_scan("scan_2").array.shape == (4, 5, 6)
        assert (moved.read_labels("scan_1") == stroke).all()


def test_a_linked_scan_keeps_its_own_name(tmp_path):
    (tmp_path / "content.bin").touch()
    (tmp_path / "scan.nii.gz").symlink_to(tmp_path / "content.bin")
    assert absolute_scan(tmp_path / "scan.nii.gz").name == "scan.nii.gz"


def _edited(text: str, **changes: object) -> str:
    return json.dumps(json.loads(text) | changes)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: "", "is damaged"),
        (lambda text: "[]", "is damaged"),
        (lambda text: "\0" * len(text), "is damaged"),
        (lambda text: "[" * 100_000, "is damaged"),
        (lambda text: _edited(text, schema_version=3), "newer version"),
        (lambda text: _edited(text, schema_version="x"), "is damaged"),
        (lambda text: _edited(text, surprise=1), "is damaged"),
        (lambda text: _edited(text, classes=[]), "is damaged"),
        (lambda text: text.replace('"scan_1"', '"../scan_1"'), "is damaged"),
        (lambda text: text.replace('"scan_1"', '"scan_2"'), "is damaged"),
        (lambda text: text.replace('"unlabeled"', '"perhaps"'), "is damaged"),
    ],
)
def test_a_file_that_is_not_right_gets_a_sentence_and_is_left_alone(study, scans, damage, words):
    study.close()
    path = study.folder / FILE_NAME
    path.write_text(damage(path.read_text()))
    broken = path.read_bytes()
    with pytest.raises(StudyError, match=words) as caught:
        Study.open(study.folder)
    assert str(path) in str(caught.value)
    with pytest.raises(StudyError, match="already holds a study"):
        Study.create(study.folder, scans)
    assert path.read_bytes() == broken


def test_a_study_of_the_first_version_is_read_and_written_as_the_present_one(study, stroke):
    study.write_labels("scan_1", stroke, state="complete")
    study.close()
    path = study.folder / FILE_NAME
    content = json.loads(path.read_text())
    content["schema_version"] = 1
    for case in content["cases"]:
        del case["note"], case["needs_look"]
    path.write_text(json.dumps(content))
    with Study.open(study.folder) as old:
        assert old.case("scan_1").state == "complete"
        assert json.loads(path.read_text())["schema_version"] == 1
        old.set_remark("scan_2", note="motion at the apex", needs_look=True)
    with Study.open(study.folder) as new:
        assert (new.case("scan_2").note, new.case("scan_2").needs_look) == ("motion at the apex", True)
        new.set_remark("scan_2", needs_look=False)
        assert (new.case("scan_2").note, new.case("scan_2").needs_look) == ("motion at the apex", False)
    assert json.loads(path.read_text())["schema_version"] == 2


def test_a_folder_without_a_study_gets_a_sentence(tmp_path):
    with pytest.raises(StudyError, match="is not a study"):
        Study.open(tmp_path)
    with pytest.raises(StudyError, match="is not a study"):
        Study.open(tmp_path / "nowhere")


def test_a_write_that_fails_midway_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "file.json"
    atomic_write(path, b"old")

    def fail(temporary: Path) -> None:
        temporary.write_bytes(b"half")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        atomic_write(path, fail)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


FULL_DISK = """
import resource, signal, sys
import numpy as np
from cvrl_napari.study.study import Study
from cvrl_napari.study.errors import StudyError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
study = Study.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
noise = np.random.default_rng(0).integers(0, 3, (4, 5, 6)).astype(np.uint8)
for change in (lambda: study.write_labels("scan_1", noise), lambda: study.set_held_out("scan_2", True)):
    try:
        change()
    except StudyError as error:
        print(error)
print(study.cases[1].held_out)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits a file's size by a means of Unix")
def test_a_full_disk_gets_a_sentence_and_loses_nothing(study, stroke):
    study.write_labels("scan_1", stroke)
    study.close()
    before = {path: path.read_bytes() for path in (study.folder / FILE_NAME, study.folder / "labels" / "scan_1.nii.gz")}
    done = subprocess.run([sys.executable, "-c", FULL_DISK, study.folder, "100"], capture_output=True, text=True, check=True)
    labels_sentence, json_sentence, believed = done.stdout.splitlines()
    assert "scan_1.nii.gz" in labels_sentence
    assert "free some space" in labels_sentence
    assert "study.json could not be saved, the disk is full" in json_sentence
    assert believed == "False"
    assert {path: path.read_bytes() for path in before} == before
    assert [path.name for path in (study.folder / "labels").iterdir() if path.is_file()] == ["scan_1.nii.gz"]
