from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cvrl_napari.study.case import MIB, content_hash, name_cases


def test_a_case_is_named_like_its_scan():
    assert name_cases([Path("a/patient_01.nii.gz"), Path("a/Übung 2.nrrd")]) == ["patient_01", "Übung_2"]


def test_scans_of_one_name_are_told_apart_by_their_folder():
    scans = [Path("sub-01/T1.nii.gz"), Path("sub-02/t1.nii"), Path("sub-02/T2.nii.gz")]
    assert name_cases(scans) == ["sub-01_T1", "sub-02_t1", "T2"]


def test_names_taken_are_not_given_again():
    assert name_cases([Path("a/x.nii"), Path("b/y.nii")], taken=["X", "x-2"]) == ["x-3", "y"]


@given(st.lists(st.text(min_size=1, max_size=150), max_size=6))
def test_ids_are_unlike_and_safe_whatever_the_files_are_called(names):
    ids = name_cases([Path("folder") / name.replace("/", "\\").replace("\x00", "") for name in names])
    assert len({one.casefold() for one in ids}) == len(names)
    for one in ids:
        assert one == Path(one).name
        assert not set(one) & set('/\\:*?"<>|\n ')
        assert one.strip(".") == one
        assert one.split(".")[0].lower() not in {"con", "nul", "aux", "prn"}
        assert len(one) < 120


def test_the_fingerprint_follows_the_content_not_the_name(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"same")
    other.write_bytes(b"same")
    assert content_hash(one) == content_hash(other)
    other.write_bytes(b"samE")
    assert content_hash(one) != content_hash(other)


def test_large_files_differ_by_head_middle_tail_and_size(tmp_path):
    content = bytearray(5 * MIB)
    path = tmp_path / "large"
    hashes = set()
    for changed in (None, 0, len(content) // 2, len(content) - 1):
        if changed is not None:
            content[changed] ^= 1
        path.write_bytes(content)
        hashes.add(content_hash(path))
    path.write_bytes(content + b"\0")
    assert len(hashes | {content_hash(path)}) == 5


def test_a_series_folder_has_a_fingerprint(tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.dcm").write_bytes(bytes([number]))
    before = content_hash(tmp_path)
    (tmp_path / "1.dcm").write_bytes(b"other")
    assert content_hash(tmp_path) != before
