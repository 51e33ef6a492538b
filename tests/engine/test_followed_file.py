"""What is appended to a file arrives once, in whole lines."""

from pathlib import Path

from cvrl_napari.engine import followed_file
from cvrl_napari.engine.followed_file import FollowedFile


def test_lines_arrive_once_and_whole(tmp_path: Path):
    path = tmp_path / "lines"
    followed = FollowedFile(path)
    assert followed.new_lines() == []
    path.write_bytes(b"one\ntw")
    assert followed.new_lines() == [b"one"]
    assert followed.new_lines() == []
    with path.open("ab") as file:
        file.write(b"o\n\nthree\nfo")
    assert followed.new_lines() == [b"two", b"", b"three"]
    path.unlink()
    assert followed.new_lines() == []


def test_a_long_file_comes_in_parts_and_a_line_without_end_is_not_kept(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(followed_file, "BLOCK", 10)
    monkeypatch.setattr(followed_file, "LONGEST_LINE", 20)
    path = tmp_path / "lines"
    path.write_bytes(b"0123456789\nab\n" + b"x" * 95 + b"\nlast\n")
    followed = FollowedFile(path)
    lines = []
    for _ in range(20):
        lines += followed.new_lines()
    assert lines[:2] == [b"0123456789", b"ab"]
    assert lines[-1] == b"last"
    assert len(lines) == 4
    assert len(lines[2]) <= 30
