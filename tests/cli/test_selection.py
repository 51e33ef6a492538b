from pathlib import Path

import pytest

from cvrl_napari.cli.selection import choose_held_out, choose_scans
from cvrl_napari.study.errors import StudyError


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.nii.gz").touch()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_all_scans_are_taken_by_name(scans: Path) -> None:
    assert names(choose_scans(scans, None)) == ["a.nii.gz", "b.nii.gz", "c.nii.gz"]


def test_labels_beside_the_scans_are_no_scans(scans: Path) -> None:
    (scans / "b_seg.nii.gz").touch()
    assert names(choose_scans(scans, None)) == ["a.nii.gz", "b.nii.gz", "c.nii.gz"]


def test_a_list_says_which_scans_in_which_order(scans: Path, tmp_path: Path) -> None:
    (tmp_path / "order.txt").write_text("c\n\n  a.nii.gz \n")
    assert names(choose_scans(scans, tmp_path / "order.txt")) == ["c.nii.gz", "a.nii.gz"]


@pytest.mark.parametrize(
    ("content", "complaint"), [(b"c\nd\n", "names the scan 'd'"), (b"\n \n", "is empty"), (b"\xff\xfe", "cannot be read")]
)
def test_a_bad_list_is_named(scans: Path, tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / "order.txt").write_bytes(content)
    with pytest.raises(StudyError, match=complaint) as raised:
        choose_scans(scans, tmp_path / "order.txt")
    assert "order.txt" in str(raised.value)


def test_an_empty_folder_has_no_scans(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no scans"):
        choose_scans(tmp_path, None)


@pytest.mark.parametrize(("text", "held_out"), [("", ()), ("2", ("b", "c")), ("0", ()), ("c, a", ("c", "a"))])
def test_held_out_are_names_or_the_last_few(scans: Path, text: str, held_out: tuple[str, ...]) -> None:
    assert choose_held_out(choose_scans(scans, None), text) == held_out


def test_a_name_that_is_a_number_is_a_name() -> None:
    assert choose_held_out([Path("1.nii"), Path("2.nii"), Path("3.nii")], "1") == ("1",)


@pytest.mark.parametrize("text", ["3", "d"])
def test_what_cannot_be_held_out_is_refused(scans: Path, text: str) -> None:
    with pytest.raises(StudyError, match="--held-out"):
        choose_held_out(choose_scans(scans, None), text)
