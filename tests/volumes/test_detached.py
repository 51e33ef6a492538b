import pytest

from cvrl_napari.volumes.detached import beside, named, numbered
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read

ESCAPES = ["/etc/passwd", "../secret.raw", "sub/../../secret.raw", "..\\secret.raw", "C:\\secret.raw", "\\\\server\\secret.raw"]


@pytest.fixture
def header(tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    (tmp_path / "secret.raw").write_bytes(bytes(60))
    return folder / "scan.mhd"


@pytest.mark.parametrize("name", ESCAPES)
def test_a_name_that_leads_out_of_the_folder(header, name):
    with pytest.raises(VolumeError, match="outside its own folder"):
        beside(header, name)


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.raw"])
@pytest.mark.parametrize("listed", [False, True])
def test_a_header_cannot_make_the_program_open_another_file(header, name, listed):
    named = f"LIST\n{name}\n" if listed else f"{name}\n"
    header.write_text(f"NDims = 3\nDimSize = 3 4 5\nElementType = MET_UCHAR\nElementDataFile = {named}")
    nhdr = header.with_suffix(".nhdr")
    nhdr.write_text(f"NRRD0004\ntype: uchar\ndimension: 3\nsizes: 3 4 5\nencoding: raw\ndata file: {named}")
    for path in (header, nhdr):
        with pytest.raises(VolumeError, match="outside its own folder"):
            read(path)


def test_a_file_in_the_folder_or_below_it(header):
    for name in ("voxels.raw", "sub/voxels.raw"):
        path = header.parent / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        assert beside(header, name) == path


@pytest.mark.parametrize("name", ["gone.raw", ".", "x" * 5000])
def test_a_file_that_is_missing(header, name):
    with pytest.raises(VolumeError, match="which is missing: copy that file too"):
        beside(header, name)


def test_the_files_of_a_pattern(header):
    files = [header.parent / f"slice{number:02d}.raw" for number in (3, 5, 7)]
    for file in files:
        file.touch()
    assert numbered(header, "slice%02d.raw", 3, 7, 2) == files
    assert numbered(header, "slice%02d.raw", 7, 3, -2) == files[::-1]


@pytest.mark.parametrize(
    ("pattern", "first", "last", "step"),
    [("s%d", 1, 2, 0), ("s%s", 1, 2, 1), ("%d%d", 1, 2, 1), ("%n%d", 1, 2, 1), ("s%d", 0, 2**40, 1), ("s%d", 2, 1, 1)],
)
def test_a_pattern_that_names_nothing(header, pattern, first, last, step):
    with pytest.raises(VolumeError, match=r"pattern|names 0 files"):
        numbered(header, pattern, first, last, step)


def test_an_empty_list(header):
    with pytest.raises(VolumeError, match="names 0 files"):
        named(header, [])
