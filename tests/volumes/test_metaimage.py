import zlib

import numpy as np
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.itk import ras_affine
from cvrl_napari.volumes.reading import read

ARRAY = np.random.default_rng(0).integers(-999, 999, (4, 3, 5)).astype("<i2")  # (i, j, k)


@pytest.fixture
def mha(tmp_path):
    def save(*lines, array=ARRAY, content=None, name="scan.mha", **fields):
        given = {"NDims": array.ndim, "DimSize": " ".join(map(str, array.shape)), "ElementType": "MET_SHORT"}
        place = {"ElementDataFile": fields.pop("ElementDataFile", "LOCAL")}
        header = [f"{key} = {value}" for key, value in (given | fields).items()]
        path = tmp_path / name
        text = "\n".join([*header, *lines, *(f"{key} = {value}" for key, value in place.items()), ""])
        path.write_bytes(text.encode() + (array.tobytes(order="F") if content is None else content))
        return path

    return save


def in_file_order(volume):
    return volume.source.order.to_file(volume.array)


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("ElementSpacing = 0.5 1.25 3",),
        ("ElementSpacing = -0.5 1.25 3",),
        ("ElementSize = 0.5 1.25 3",),
        ("ElementSpacing = 2 2 2", "ElementSize = 0.5 1.25 3"),
        ("Position = 1 2 3",),
        ("Origin = 1 2 3",),
        ("Offset = 1 2 3", "TransformMatrix = 0 0.6 0.8 1 0 0 0 -0.8 0.6", "ElementSpacing = 0.5 1.25 3"),
        ("Rotation = 0 0.6 0.8 1 0 0 0 -0.8 0.6",),
        ("Orientation = 0 0.6 0.8 1 0 0 0 -0.8 0.6", "CenterOfRotation = 1 2 3", "AnatomicalOrientation = LPS"),
        ("BinaryData = True", "BinaryDataByteOrderMSB = False", "Comment = a = b"),
        ("HeaderSize = -1",),
    ],
)
def test_it_lies_where_itk_puts_it(mha, lines):
    path = mha("ObjectType = Image", *lines)
    volume, image = read(path), sitk.ReadImage(str(path))
    assert np.allclose(volume.source.affine, ras_affine(image), rtol=0, atol=1e-12)
    assert np.array_equal(in_file_order(volume), sitk.GetArrayFromImage(image).T)


def test_bytes_in_the_other_order_zipped_and_as_text(mha):
    big = ARRAY.astype(">i2")
    assert np.array_equal(in_file_order(read(mha("BinaryDataByteOrderMSB = True", array=big))), ARRAY)
    assert np.array_equal(in_file_order(read(mha("ElementByteOrderMSB = True", array=big))), ARRAY)
    zipped = zlib.compress(ARRAY.tobytes(order="F"))
    assert np.array_equal(in_file_order(read(mha("CompressedData = True", content=zipped))), ARRAY)
    text = " ".join(map(str, ARRAY.ravel(order="F"))).encode()
    assert np.array_equal(in_file_order(read(mha("BinaryData = False", content=text))), ARRAY)


def test_channels(mha):
    array = np.random.default_rng(0).integers(-999, 999, (2, 4, 3, 5)).astype("<i2")
    path = mha("ElementNumberOfChannels = 2", array=array, NDims=3, DimSize="4 3 5")
    with pytest.raises(SeveralVolumesError, match="holds 2 volumes"):
        read(path)
    for part in (0, 1):
        assert np.array_equal(in_file_order(read(path, part=part)), array[part])


def test_time_points(tmp_path):
    path = tmp_path / "scan.mha"
    image = sitk.GetImageFromArray(np.arange(120, dtype=np.int16).reshape(2, 5, 4, 3), isVector=False)
    image.SetSpacing((0.5, 1.25, 3, 2))
    sitk.WriteImage(image, str(path), useCompression=True)
    volume = read(path, part=1)
    assert np.array_equal(in_file_order(volume), sitk.GetArrayFromImage(image)[1].T)
    assert np.allclose(volume.source.affine, ras_affine(image))


@pytest.mark.parametrize("listed", [False, True])
def test_a_file_for_every_slice(tmp_path, mha, listed):
    for number in range(5):
        (tmp_path / f"slice{number}.raw").write_bytes(b"head" + ARRAY[:, :, number].tobytes(order="F"))
    names = "LIST\n" + "\n".join(f"slice{number}.raw" for number in range(5)) if listed else "slice%d.raw 0 4 1"
    path = mha("HeaderSize = 4", ElementDataFile=names, content=b"", name="scan.mhd")
    assert np.array_equal(in_file_order(read(path)), ARRAY)


def test_colors(mha):
    colors = np.zeros((3, 4, 3, 5), np.uint8)
    path = mha("ElementNumberOfChannels = 3", array=colors, NDims=3, DimSize="4 3 5", ElementType="MET_UCHAR")
    with pytest.raises(VolumeError, match="holds colors"):
        read(path)


@pytest.mark.parametrize(
    ("lines", "fields"),
    [
        (("NDims = 3",), {}),
        ((), {"NDims": -3}),
        ((), {"NDims": 2**31}),
        ((), {"DimSize": "4 3"}),
        ((), {"DimSize": "4 3 0"}),
        ((), {"DimSize": "4 3 nan"}),
        ((), {"ElementType": "MET_ARRAY"}),
        (("ElementSpacing = 1 2",), {}),
        (("TransformMatrix = 1 0 0 1",), {}),
        (("ElementNumberOfChannels = 0",), {}),
        (("HeaderSize = -2",), {}),
        (("ElementSpacing = 1 2 x",), {}),
    ],
)
def test_headers_that_make_no_sense(mha, lines, fields):
    with pytest.raises(VolumeError, match="cut off or damaged"):
        read(mha(*lines, **fields))


def test_a_header_without_an_end(tmp_path):
    path = tmp_path / "scan.mha"
    path.write_bytes(b"NDims = 3\nDimSize = 4 3 5\n")
    with pytest.raises(VolumeError, match="no MHA file"):
        read(path)
