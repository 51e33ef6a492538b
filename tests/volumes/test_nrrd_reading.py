import gzip
import re

import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.itk import ras_affine
from cvrl_napari.volumes.reading import read

ARRAY = np.random.default_rng(0).integers(-999, 999, (4, 3, 5)).astype("<i2")  # (i, j, k)
DIRECTIONS = "space directions: (0,2,0) (0.5,0,0.1) (0,-0.1,3)"
SPACE = f"space: left-posterior-superior\n{DIRECTIONS}\nspace origin: (1,-2,3.25)"


@pytest.fixture
def nrrd(tmp_path):
    """Save a header's own lines and voxels, (i, j, k) or with more axes."""

    def save(*lines, array=ARRAY, content=None, name="scan.nrrd", **fields):
        given = {
            "type": "short",
            "dimension": array.ndim,
            "sizes": " ".join(map(str, array.shape)),
            "endian": "little",
            "encoding": "raw",
        }
        header = [f"{key}: {value}" for key, value in (given | fields).items() if value is not None]
        path = tmp_path / name
        text = "\n".join(["NRRD0005", *header, *lines, "", ""])
        path.write_bytes(text.encode() + (array.tobytes(order="F") if content is None else content))
        return path

    return save


def in_file_order(volume):
    return volume.source.order.to_file(volume.array)


@pytest.mark.parametrize(
    "lines",
    [
        (SPACE,),
        (SPACE.replace("left-posterior-superior", "RAS"),),
        (SPACE.replace("left-posterior-superior", "left-anterior-superior"),),
        (SPACE.replace("left-posterior-superior", "LPS"), "# a comment", "key:=value", "kinds: domain domain domain"),
        ("space dimension: 3", DIRECTIONS),
        ("space: scanner-xyz", DIRECTIONS),
        ("spacings: 0.5 1.25 3",),
        ("spacings: 0.5 1.25 3", "axis mins: 10 20 30"),
        ("spacings: 0.5 1.25 3", "axis mins: 10 20 30", "centerings: node node node"),
        (),
    ],
)
def test_it_lies_where_itk_puts_it(nrrd, lines):
    path = nrrd(*lines)
    volume, image = read(path), sitk.ReadImage(str(path))
    assert np.allclose(volume.source.affine, ras_affine(image), rtol=0, atol=1e-12)
    assert np.array_equal(in_file_order(volume), sitk.GetArrayFromImage(image).T)
    says_left = any("left" in line or "RAS" in line or "LPS" in line for line in lines)
    assert ("which way is left" in volume.notice) == (not says_left)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "gz", "ascii", "text", "txt"])
@pytest.mark.parametrize("skipped", [0, 11])
def test_encodings(nrrd, encoding, skipped):
    content = ARRAY.tobytes(order="F")
    lines = (SPACE,)
    if encoding[0] == "g":
        content, lines = gzip.compress(bytes(skipped) + content), (*lines, f"byte skip: {skipped}")
    elif encoding == "raw":
        content, lines = bytes(skipped) + content, (*lines, f"byteskip: {skipped}")
    else:
        content = b"a line\n" * skipped + "\n".join(map(str, ARRAY.ravel(order="F"))).encode()
        lines = (*lines, f"line skip: {skipped}")
    assert np.array_equal(in_file_order(read(nrrd(*lines, content=content, encoding=encoding))), ARRAY)


def test_voxels_at_the_end_of_a_file(nrrd):
    content = b"something of another program" + ARRAY.tobytes(order="F")
    assert np.array_equal(in_file_order(read(nrrd(SPACE, "byte skip: -1", content=content))), ARRAY)


@pytest.mark.parametrize(
    "kinds", ["list domain domain domain", "vector domain domain domain", "domain domain domain list", "space space space time"]
)
def test_channels_and_time_points(nrrd, kinds):
    is_first = kinds.startswith(("list", "vector"))
    array = np.random.default_rng(0).integers(-999, 999, (2, 4, 3, 5) if is_first else (4, 3, 5, 2)).astype("<i2")
    directions = "none (0,2,0) (0.5,0,0.1) (0,-0.1,3)" if is_first else "(0,2,0) (0.5,0,0.1) (0,-0.1,3) none"
    path = nrrd("space: LPS", f"space directions: {directions}", f"kinds: {kinds}", array=array)
    with pytest.raises(SeveralVolumesError, match="holds 2 volumes"):
        read(path)
    for part in (0, 1):
        assert np.array_equal(in_file_order(read(path, part=part)), array[part] if is_first else array[..., part])


def test_four_axes_as_itk_writes_them(tmp_path):
    path = tmp_path / "scan.nrrd"
    image = sitk.GetImageFromArray(np.arange(120, dtype=np.int16).reshape(2, 5, 4, 3), isVector=False)
    image.SetSpacing((0.5, 1.25, 3, 2))
    image.SetOrigin((1, 2, 3, 4))
    sitk.WriteImage(image, str(path))
    volume = read(path, part=1)
    assert np.array_equal(in_file_order(volume), sitk.GetArrayFromImage(image)[1].T)
    assert np.allclose(volume.source.affine, ras_affine(image))


@pytest.mark.parametrize("listed", [False, True])
def test_a_file_for_every_slice(tmp_path, nrrd, listed):
    for number in range(5):
        (tmp_path / f"slice{number}.raw").write_bytes(ARRAY[:, :, number].tobytes(order="F"))
    names = "LIST 2\n" + "\n".join(f"slice{number}.raw" for number in range(5)) if listed else "slice%d.raw 0 4 1 2"
    assert np.array_equal(in_file_order(read(nrrd(SPACE, f"data file: {names}", content=b"", name="scan.nhdr"))), ARRAY)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("RGB-color", "colors"), ("RGBA-color", "colors"), ("complex", "complex numbers"), ("quaternion", "rotations"),
        ("3D-symmetric-matrix", "tensors"), ("2D-matrix", "tensors"),
    ],
)  # fmt: skip
def test_what_is_no_grey_value(nrrd, kind, words):
    array = np.zeros((2, 4, 3, 5), np.int16)
    with pytest.raises(VolumeError, match=f"holds {words}, not grey values"):
        read(nrrd(f"kinds: {kind} domain domain domain", array=array))


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        ((SPACE, "sizes: 4 3 5"), {}),
        ((SPACE,), {"sizes": "4 3"}),
        ((SPACE,), {"sizes": "4 3 -5"}),
        ((SPACE,), {"sizes": "4 3 5.5"}),
        ((SPACE,), {"type": "block"}),
        ((SPACE,), {"endian": None}),
        ((SPACE, "byte skip: -2"), {}),
        ((SPACE, "line skip: x"), {}),
        (("space: LPS", "space directions: (1,0,0) (0,1,0)"), {}),
        (("space: LPS", "space directions: (1,0,0) (0,1,0) (0,0,x)"), {}),
        (("spacings: 1 2 a",), {}),
    ],
)
def test_headers_that_make_no_sense(nrrd, lines, fields):
    with pytest.raises(VolumeError, match="cut off or damaged"):
        read(nrrd(*lines, **fields))


@pytest.mark.parametrize("encoding", ["bzip2", "hex", "zrl"])
def test_encodings_that_are_not_known(nrrd, encoding):
    with pytest.raises(VolumeError, match="save it as raw or gzip"):
        read(nrrd(SPACE, encoding=encoding))


@pytest.mark.parametrize("vector", ["(0,0,0)", "(nan,0,0)", "(1e400,0,0)", "(0,4,0)"])
def test_axes_that_span_no_space(nrrd, vector):
    with pytest.raises(VolumeError, match="does not say where its voxels lie"):
        read(nrrd(re.sub(r"\(0\.5,0,0\.1\)", vector, SPACE)))


def test_channels_between_the_axes_of_space(nrrd):
    with pytest.raises(VolumeError, match="between its axes of space"):
        read(nrrd("kinds: domain list domain domain", array=np.zeros((4, 2, 3, 5), np.int16)))
