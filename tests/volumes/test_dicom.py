import shutil
from contextlib import suppress

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read


def refused(path, words):
    with pytest.raises(VolumeError, match=words) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_slices_are_sorted_by_position_and_every_pixel_has_its_place(make_series):
    volume = read(make_series(slices=5))
    assert volume.array.shape == (5, 6, 4)
    assert volume.array.dtype == np.int16
    assert volume.spacing == (2.5, 0.75, 0.5)
    assert volume.origin == (10.0, -20.0, 30.0)  # RAS; the header says (-10, 20, 30) in LPS
    assert volume.orientation == "SPL"
    z, y, x = np.indices((5, 6, 4))
    assert np.array_equal(volume.array, 100 * z + 10 * y + x)


def test_one_file_stands_for_its_series(make_series):
    folder = make_series(slices=5)
    assert np.array_equal(read(folder / "003.dcm").array, read(folder).array)


def test_names_and_endings_do_not_matter(make_series):
    folder = make_series(slices=5)
    expected = read(folder).array
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(folder / f"I{7 * number % 5}0")
    assert np.array_equal(read(folder).array, expected)
    assert np.array_equal(read(folder / "I20").array, expected)


def test_a_tilted_gantry_stays_in_the_affine(make_series):
    volume = read(make_series(slices=5, step=(0.0, 0.5, 2.5)))
    assert np.allclose(volume.world_mm((4, 0, 0)), (10, -20 - 4 * 0.5, 30 + 4 * 2.5))
    assert np.allclose(volume.world_mm((0, 5, 3)), (10 - 3 * 0.5, -20 - 5 * 0.75, 30))


def test_the_place_is_the_one_itk_gives(make_series, shared_data):
    dicom = shared_data / "clinical" / "dicom"
    folders = [dicom / "hippocampus_series", dicom / "ct_phantom_series", dicom / "ct_seg_pair" / "image"]
    for folder in [make_series(slices=4), *folders]:
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
        image = sitk.ReadImage(names)
        volume = read(folder)
        assert np.array_equal(volume.array, sitk.GetArrayViewFromImage(image))  # all of them run to Left and Posterior
        for z, y, x in ((0, 0, 0), tuple(size - 1 for size in volume.array.shape)):
            left, posterior, superior = image.TransformIndexToPhysicalPoint((x, y, z))
            assert np.allclose(volume.world_mm((z, y, x)), (-left, -posterior, superior), rtol=0, atol=1e-4)


def test_an_oblique_series(shared_data):
    folder = shared_data / "clinical" / "dicom" / "ct_rtstruct" / "oriented_data"
    headers = sorted((pydicom.dcmread(file) for file in folder.glob("*.dcm")), key=lambda one: one.ImagePositionPatient[2])
    volume = read(folder)
    for k, header in enumerate(headers):
        left, posterior, superior = (float(mm) for mm in header.ImagePositionPatient)
        pixels = header.pixel_array * float(header.RescaleSlope)
        distance = np.linalg.norm(volume.world_mm(list(np.ndindex(volume.array.shape))) - (-left, -posterior, superior), axis=1)
        assert distance.min() < 1e-3
        index = np.unravel_index(distance.argmin(), volume.array.shape)
        assert volume.array[index] == pytest.approx(pixels[0, 0], abs=1e-6)
        assert index[0] in (k, len(headers) - 1 - k)


def test_a_multiframe_file_is_the_scan_its_slices_are(shared_data):
    pair = shared_data / "clinical" / "dicom" / "ct_seg_pair"
    one_file, slices = read(pair / "multiframe" / "mf.dcm"), read(pair / "image")
    assert one_file.same_grid(slices)
    assert np.array_equal(one_file.array, slices.array)


def test_each_slice_is_rescaled_by_its_own_header(make_series):
    def rescale(header, index):
        header.RescaleSlope, header.RescaleIntercept = (1, 0) if index == 0 else (0.5 * index, -7)

    volume = read(make_series(slices=3, edit=rescale))
    z, y, x = np.indices((3, 6, 4))
    stored = 100 * z + 10 * y + x
    assert volume.array.dtype == np.float32
    assert np.allclose(volume.array, np.where(z == 0, stored, 0.5 * z * stored - 7))


@pytest.mark.parametrize("how", ["run length", "JPEG 2000"])
def test_compressed_slices(make_series, tmp_path, how):
    image = np.random.default_rng(0).integers(-1000, 1000, (3, 64, 64)).astype(np.int16)

    def compress(header, index):
        header.Rows = header.Columns = 64
        header.PixelData = image[index].tobytes()
        if how == "run length":
            header.compress(pydicom.uid.RLELossless)
        else:
            encoded = tmp_path / "encoded.dcm"
            sitk.WriteImage(sitk.GetImageFromArray(image[index]), str(encoded), useCompression=True)
            header.PixelData = pydicom.dcmread(encoded).PixelData
            header.file_meta.TransferSyntaxUID = pydicom.uid.JPEG2000Lossless

    assert np.array_equal(read(make_series(slices=3, edit=compress)).array, image)


def test_of_several_series_a_folder_means_the_longest_and_a_file_its_own(make_series):
    folder = make_series("visit", slices=3, prefix="short")
    make_series("visit", slices=6, prefix="tall")
    assert read(folder).array.shape == (6, 6, 4)
    assert read(folder / "short001.dcm").array.shape == (3, 6, 4)


def test_a_scout_of_the_same_series_is_left_out(make_series):
    def turn_the_last(header, index):
        if index == 5:
            header.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]

    folder = make_series(slices=6, edit=turn_the_last)
    assert read(folder).array.shape == (5, 6, 4)


def test_copies_of_a_slice_count_once(make_series):
    folder = make_series(slices=4)
    shutil.copy(folder / "002.dcm", folder / "002 (copy).dcm")
    assert read(folder).array.shape == (4, 6, 4)


def test_careless_anonymization_gives_all_slices_one_identifier(make_series):
    def same(header, index):
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = "1.2.3"

    assert read(make_series(slices=4, edit=same)).array.shape == (4, 6, 4)


def test_a_single_slice_is_as_thick_as_it_says(make_series):
    assert read(make_series(slices=1)).spacing == (2.5, 0.75, 0.5)


class TestRefused:
    def test_a_missing_slice(self, make_series):
        folder = make_series(slices=6)
        (folder / "003.dcm").unlink()
        refused(folder, "5 mm between 004.dcm and 002.dcm, 2.5 mm elsewhere")

    def test_uneven_slices(self, make_series):
        refused(make_series(slices=5, z=(0, 1, 2, 3.2, 4)), "unevenly spaced")

    def test_several_images_at_one_position(self, make_series):
        refused(make_series(slices=6, z=(0, 0, 1, 1, 2, 2)), "several images at one position")

    def test_a_single_slice_of_unknown_thickness(self, make_series):
        def no_thickness(header, index):
            del header.SliceThickness

        refused(make_series(slices=1, edit=no_thickness), "unknown thickness")

    def test_a_spacing_of_zero(self, make_series):
        def flat(header, index):
            header.PixelSpacing = [0, 0.5]

        file = make_series(edit=flat) / "001.dcm"
        refused(file, "place in space")

    def test_colors(self, make_series):
        def color(header, index):
            header.SamplesPerPixel, header.PhotometricInterpretation, header.PlanarConfiguration = 3, "RGB", 0
            header.BitsAllocated = header.BitsStored = 8
            header.HighBit, header.PixelRepresentation = 7, 0
            header.PixelData = bytes(6 * 4 * 3)

        folder = make_series(slices=2, edit=color)
        with pytest.raises(VolumeError, match="in color"):
            read(folder)

    def test_no_place_in_space(self, make_series):
        def nowhere(header, index):
            del header.ImagePositionPatient

        folder = make_series(edit=nowhere)
        refused(folder / "002.dcm", "place in space")
        with pytest.raises(VolumeError, match=r"001\.dcm.*place in space"):
            read(folder)

    def test_a_slice_that_is_cut_off(self, make_series):
        file = make_series() / "002.dcm"
        file.write_bytes(file.read_bytes()[:-10])
        with pytest.raises(VolumeError, match=r"002\.dcm has pixels that cannot be read"):
            read(file.parent)

    def test_a_slice_that_promises_gigabytes(self, make_series):
        def huge(header, index):
            header.Rows = header.Columns = 65_535

        with pytest.raises(VolumeError, match="promises 8,589,672,450 bytes"):
            read(make_series(slices=2, edit=huge))

    def test_a_number_of_three_bytes(self, make_series):
        file = make_series(slices=1) / "001.dcm"
        rows = b"\x28\x00\x10\x00US\x02\x00\x06\x00"
        content = file.read_bytes()
        assert content.count(rows) == 1
        file.write_bytes(content.replace(rows, b"\x28\x00\x10\x00US\x03\x00\x06\x00\x00"))
        refused(file, "place in space|damaged")

    def test_damaged_headers_never_surprise(self, make_series):
        file = make_series(slices=1) / "001.dcm"
        content, generator = file.read_bytes(), np.random.default_rng(0)
        for _ in range(150):
            damaged = bytearray(content)
            for offset in generator.integers(0, len(content), 5):
                damaged[offset] = generator.integers(0, 256)
            file.write_bytes(damaged)
            with suppress(VolumeError):
                assert np.isfinite(read(file).array).all()

    def test_a_text_file(self, tmp_path):
        (tmp_path / "scan.dcm").write_text("this is not a scan\n" * 100)
        refused(tmp_path / "scan.dcm", "no DICOM file")

    def test_an_empty_folder(self, tmp_path):
        refused(tmp_path, "without a DICOM series")

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("ct_seg_pair/seg/label.seg", "segmentation"),
            ("ct_rtstruct/mock_data/rt.dcm", "contours"),
            ("ct_phantom_series/DIRFILE", "place in space"),
            ("ct_rtstruct/one_slice_data/0.dcm", "unknown thickness"),
        ],
    )
    def test_what_is_no_scan(self, shared_data, name, words):
        refused(shared_data / "clinical" / "dicom" / name, words)
