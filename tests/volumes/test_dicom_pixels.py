"""Compressed pixels decode to what was stored, and broken ones end in a sentence."""

import io
import time

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from cvrl_napari.volumes import dicom_codecs
from cvrl_napari.volumes.dicom_pixels import read_pixels
from cvrl_napari.volumes.dicom_series import dicom_files, group_slices
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read

SIZE = 64


@pytest.fixture
def image():
    """Smooth with a little noise, of 12 bits and both signs, (slices, rows, columns)."""
    z, y, x = np.mgrid[:3, :SIZE, :SIZE]
    noise = np.random.default_rng(0).normal(0, 20, z.shape)
    return (1500 * np.sin(x / 9) * np.cos(y / 7 + z) + noise).astype(np.int16)


@pytest.fixture
def compressed(make_series, tmp_path):
    """compressed(image, syntax): a folder with a series of the slices of an image, compressed."""

    def encoded(pixels, syntax):
        """What ITK or Pillow make of a slice, where pydicom has no encoder."""
        if syntax == JPEGBaseline8Bit:
            jpeg = io.BytesIO()
            Image.fromarray(pixels).save(jpeg, "JPEG", quality=95)
            return jpeg.getvalue()
        writer = sitk.ImageFileWriter()
        writer.SetFileName(str(tmp_path / "encoded.dcm"))
        writer.UseCompressionOn()
        writer.SetCompressor("JPEG2000" if syntax in (JPEG2000, JPEG2000Lossless) else "JPEG")
        writer.Execute(sitk.GetImageFromArray(pixels))
        return next(generate_frames(pydicom.dcmread(tmp_path / "encoded.dcm").PixelData, number_of_frames=1))

    def make(image, syntax, edit=lambda header, index: None):
        def compress(header, index):
            pixels = image[index]
            header.Rows, header.Columns = pixels.shape
            header.BitsAllocated = header.BitsStored = 8 * pixels.itemsize
            header.HighBit, header.PixelRepresentation = header.BitsStored - 1, int(pixels.dtype.kind == "i")
            header.PixelData = pixels.tobytes()
            if syntax == JPEGLSNearLossless:
                header.compress(syntax, jls_error=2)
            elif syntax in (RLELossless, JPEGLSLossless):
                header.compress(syntax)
            else:
                header.PixelData = encapsulate([encoded(pixels, syntax)])
                header["PixelData"].VR, header["PixelData"].is_undefined_length = "OB", True
                header.file_meta.TransferSyntaxUID = syntax
            edit(header, index)

        return make_series(slices=len(image), edit=compress)

    return make


@pytest.mark.parametrize(
    ("syntax", "dtype"),
    [
        (RLELossless, np.int16),
        (JPEGLossless, np.int16),
        (JPEGLosslessSV1, np.uint16),
        (JPEGLSLossless, np.int16),
        (JPEG2000Lossless, np.uint8),
        (JPEG2000Lossless, np.int16),
    ],
)
def test_what_loses_nothing_comes_back_exactly(compressed, image, syntax, dtype):
    shifted = (image // 16 + 128 if dtype == np.uint8 else image + 2048 * (dtype == np.uint16)).astype(dtype)
    volume = read(compressed(shifted, syntax))
    assert volume.array.dtype == dtype
    assert np.array_equal(volume.array, shifted)


@pytest.mark.parametrize(("syntax", "dtype", "off"), [(JPEGBaseline8Bit, np.uint8, 6), (JPEGLSNearLossless, np.int16, 2)])
def test_what_loses_a_little_comes_back_nearly(compressed, image, syntax, dtype, off):
    shifted = image if dtype == np.int16 else (image // 16 + 128).astype(dtype)
    volume = read(compressed(shifted, syntax))
    assert 0 < np.abs(volume.array.astype(int) - shifted).max() <= off


def test_each_compressed_slice_is_rescaled_by_its_own_header(compressed, image):
    def rescale(header, index):
        header.RescaleSlope, header.RescaleIntercept = index + 1, -7

    volume = read(compressed(image, JPEGLosslessSV1, rescale))
    assert np.array_equal(volume.array, image * np.array((1, 2, 3)).reshape(3, 1, 1) - 7)


def test_many_threads_read_what_one_does(make_series, compressed, image, monkeypatch):
    monkeypatch.setattr(dicom_codecs, "_BYTES_A_CHILD", 1)  # several children for a small series
    for folder in (make_series("plain", slices=20), compressed(image, RLELossless)):
        stack = group_slices(dicom_files(folder))[0]
        assert np.array_equal(read_pixels(stack, threads=1), read_pixels(stack, threads=4))


def test_frames_of_a_compressed_file(make_series, tmp_path):
    """Of a multi-frame file each frame is found, with a table of offsets and without."""
    frames = np.random.default_rng(0).integers(0, 4000, (4, SIZE, SIZE)).astype(np.uint16)
    for has_offsets in (True, False):
        file = _multiframe(make_series(f"{has_offsets}", slices=1) / "001.dcm", frames, has_offsets)
        volume = read(file)
        assert np.array_equal(volume.array, frames)
        assert volume.spacing == (3.0, 0.75, 0.5)


def _multiframe(file, frames, has_offsets):
    header = pydicom.dcmread(file)
    header.Rows, header.Columns, header.NumberOfFrames, header.PixelRepresentation = SIZE, SIZE, len(frames), 0
    header.PerFrameFunctionalGroupsSequence = []
    for frame in range(len(frames)):
        place, group = pydicom.Dataset(), pydicom.Dataset()
        place.ImagePositionPatient = [0, 0, 3.0 * frame]
        group.PlanePositionSequence = [place]
        header.PerFrameFunctionalGroupsSequence.append(group)
    header.PixelData = frames.tobytes()
    header.compress(RLELossless)
    if not has_offsets:
        parts = list(generate_frames(header.PixelData, number_of_frames=len(frames)))
        header.PixelData = encapsulate(parts, has_bot=False)
    pydicom.dcmwrite(file, header)
    return file


class TestBroken:
    @pytest.mark.parametrize("syntax", [RLELossless, JPEGLosslessSV1])
    def test_a_frame_that_is_cut_off(self, compressed, image, syntax):
        def cut(header, index):
            if index == 1:
                frame = next(generate_frames(header.PixelData, number_of_frames=1))
                header.PixelData = encapsulate([frame[: len(frame) // 20]])

        folder = compressed(image, syntax, cut)
        with pytest.raises(VolumeError, match=r"002\.dcm has pixels that cannot be read"):
            read(folder)

    def test_a_frame_of_another_size(self, compressed, image):
        def grow(header, index):
            header.Rows = header.Columns = 2 * SIZE

        with pytest.raises(VolumeError, match="cannot be read"):
            read(compressed(image, JPEGLosslessSV1, grow))

    def test_a_frame_that_ends_the_decoder(self, compressed, image, monkeypatch):
        """GDCM's lossless JPEG dies of some broken frames; here the child is made to die of the first."""
        monkeypatch.setattr(dicom_codecs, "_DECODER", ("-c", "import os; print(flush=True); os.abort()"))
        with pytest.raises(VolumeError, match="cannot be read"):
            read(compressed(image, JPEGLosslessSV1))

    def test_a_frame_that_keeps_the_decoder_for_ever(self, compressed, image, monkeypatch):
        """Some broken frames of JPEG 2000 do."""
        monkeypatch.setattr(dicom_codecs, "_DECODER", ("-c", "import time; print(flush=True); time.sleep(60)"))
        monkeypatch.setattr(dicom_codecs, "_FRAME_SECONDS", 0.2)
        start = time.monotonic()
        with pytest.raises(VolumeError, match="cannot be read"):
            read(compressed(image, JPEG2000Lossless))
        assert time.monotonic() - start < 30

    def test_it_leaves_no_file_behind(self, compressed, image, tmp_path, monkeypatch):
        (tmp_path / "scratch").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
        read(compressed(image, RLELossless))
        assert list((tmp_path / "scratch").iterdir()) == []


def test_real_compressed_files_are_what_pydicom_says(tmp_path):
    """Files of several scanners that come with pydicom."""
    for name in ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "J2K_pixelrep_mismatch.dcm"):
        path = pydicom.data.get_testdata_file(name, download=False)
        if path is None:
            pytest.skip("pydicom was installed without its test files")
        header = pydicom.dcmread(path)
        slope, intercept = float(header.get("RescaleSlope", 1)), float(header.get("RescaleIntercept", 0))
        assert np.array_equal(read(path).array[0], header.pixel_array * slope + intercept), name
