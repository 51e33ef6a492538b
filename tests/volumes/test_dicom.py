import shutil
from contextlib import suppress

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError, VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.writing import write


def refused(path, words, error=VolumeError):
    with pytest.raises(error, match=words) as caught:
        read(path)
    assert type(caught.value) is error
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


def test_greys_from_tables_of_the_file_keep_their_type(make_series):
    def hounsfield(header, index):
        header.BitsStored, header.HighBit, header.PixelRepresentation = 12, 11, 0
        header.RescaleSlope, header.RescaleIntercept = 1, -1024

    volume = read(make_series(edit=hounsfield))
    assert volume.array.dtype == np.int16
    assert volume.array[2, 3, 1] == 231 - 1024


def test_overlays_beside_the_stored_bits_are_dropped(make_series):
    def overlay(header, index):
        header.BitsStored, header.HighBit, header.PixelRepresentation = 12, 11, 0
        header.PixelData = (np.frombuffer(header.PixelData, "<u2") | 0x3000).tobytes()

    assert read(make_series(edit=overlay)).array[2, 3, 1] == 231


@pytest.mark.parametrize(("modality", "is_turned"), [("MR", True), ("CT", False), ("PT", False)])
def test_greys_that_are_stored_upside_down(make_series, modality, is_turned):
    def turn(header, index):
        header.Modality, header.PhotometricInterpretation, header.PixelRepresentation = modality, "MONOCHROME1", 0
        header.BitsStored, header.HighBit = 12, 11

    volume = read(make_series(edit=turn))
    assert volume.array[2, 3, 1] == (4095 - 231 if is_turned else 231)
    assert ("upside down" in volume.notice) == is_turned


def test_a_deflated_series_and_a_big_endian_one(make_series):
    expected = read(make_series()).array

    def deflate(header, index):
        header.file_meta.TransferSyntaxUID = pydicom.uid.DeflatedExplicitVRLittleEndian

    def swap(header, index):
        header.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRBigEndian
        header.PixelData = np.frombuffer(header.PixelData, "<i2").astype(">i2").tobytes()

    assert np.array_equal(read(make_series("deflated", edit=deflate)).array, expected)
    assert np.array_equal(read(make_series("big endian", edit=swap)).array, expected)


class TestParts:
    @pytest.fixture
    def beating(self, make_series):
        """Three positions, two phases of the heart; the later one comes first in the files."""

        def phase(header, index):
            header.TriggerTime = 400 * ((index + 1) % 2)

        return make_series(slices=6, z=(0, 0, 1, 1, 2, 2), edit=phase)

    def test_one_has_to_be_chosen(self, beating):
        with pytest.raises(SeveralVolumesError, match="holds 2 volumes") as caught:
            read(beating)
        assert (caught.value.path, caught.value.count) == (beating, 2)

    def test_they_come_in_the_order_of_time(self, beating):
        assert read(beating, part=0).array[:, 0, 0].tolist() == [100, 300, 500]
        assert read(beating, part=1).array[:, 0, 0].tolist() == [0, 200, 400]
        assert read(beating, part=1).spacing == (2.5, 0.75, 0.5)

    def test_there_is_none_of_that_number(self, beating):
        with pytest.raises(VolumeError, match="2"):
            read(beating, part=2)

    def test_without_any_time_the_number_of_the_image_decides(self, make_series):
        folder = make_series(slices=6, z=(0, 1, 2, 0, 1, 2))
        assert read(folder, part=1).array[:, 0, 0].tolist() == [300, 400, 500]


class TestResampled:
    """A ramp over world coordinates has the same values wherever and however its slices were taken."""

    RAMP = np.array((3.0, -5.0, 7.0))

    @pytest.fixture
    def make_ramp(self, make_series):
        def make(**kwargs):
            def fill(header, index):
                rows, columns = np.mgrid[:30, :40]
                header.Rows, header.Columns = 30, 40
                x, y, z = (float(mm) for mm in header.ImagePositionPatient)
                world = np.stack((x + 0.5 * columns, y + 0.75 * rows, np.full((30, 40), z)), axis=-1)
                header.PixelData = np.rint(world @ self.RAMP).astype("<i2").tobytes()

            return make_series(edit=fill, **kwargs)

        return make

    @pytest.mark.parametrize(
        ("kwargs", "rows"),
        [
            ({"slices": 8, "step": (0.0, 0.5, 2.5)}, 30 + 5),
            ({"slices": 8, "step": (0.0, -0.5, 2.5)}, 30 + 5),
            ({"slices": 8, "z": (0, 1, 2, 3.4, 4, 5, 6.3, 7)}, 30),
            ({"slices": 7, "z": (0, 1, 2, 4, 5, 6, 7)}, 30),
            ({"slices": 7, "z": (0, 1, 2, 4, 5, 6, 7), "step": (0.25, 0.5, 2.5)}, 30 + 5),
        ],
    )
    def test_a_ramp_stays_a_ramp(self, make_ramp, kwargs, rows):
        volume = read(make_ramp(**kwargs), resample=True)
        assert "resampled" in volume.notice
        assert volume.array.shape[:2] == (8, rows)
        assert volume.spacing == pytest.approx((2.5, 0.75, 0.5))
        assert np.allclose(volume.direction.T @ volume.direction, np.eye(3), atol=1e-9)
        index = np.array(list(np.ndindex(volume.array.shape)))
        expected = (volume.world_mm(index) * (-1, -1, 1)) @ self.RAMP  # the ramp is over LPS
        covered = volume.array.ravel() != volume.array.min()
        assert covered.mean() > 0.7
        assert np.abs(volume.array.ravel() - expected)[covered].max() <= 1.0

    def test_a_mask_for_it_lies_on_the_new_grid(self, make_ramp, tmp_path):
        volume = read(make_ramp(slices=8, step=(0.0, 0.5, 2.5)), resample=True)
        write(tmp_path / "mask.nrrd", volume.with_array((volume.array > 0).astype(np.uint8)))
        assert read(tmp_path / "mask.nrrd").same_grid(volume)

    def test_too_little_to_make_a_scan_of(self, make_series):
        with pytest.raises(VolumeError, match="too few slices"):
            read(make_series(slices=4, z=(0, 1, 2, 40)), resample=True)

    def test_a_regular_series_is_left_as_it_is(self, make_series):
        folder = make_series(step=(0.0, 0.0005, 2.5))
        volume = read(folder, resample=True)
        assert np.array_equal(volume.array, read(folder).array)
        assert volume.notice == ""
        assert np.allclose(volume.world_mm((4, 0, 0)), (10, -20 - 4 * 0.0005, 40), rtol=0, atol=1e-9)

    def test_positions_rounded_to_a_tenth_are_regular(self, make_series):
        def rounded(header, index):
            header.ImagePositionPatient[2] = round(index * 0.625, 1)

        assert read(make_series(slices=9, edit=rounded)).spacing[0] == pytest.approx(0.625)


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
        refused(folder, r"lacks image 4 \(5 mm between image 3 and image 5, 2.5 mm elsewhere\)", UnevenSlicesError)

    def test_several_missing_slices(self, make_series):
        refused(make_series(slices=6, z=(0, 1, 2, 5, 6, 7)), "lacks 2 slices .7.5 mm between image 3 and", UnevenSlicesError)

    def test_uneven_slices(self, make_series):
        refused(make_series(slices=5, z=(0, 1, 2, 3.2, 4)), "unevenly spaced slices .3 mm between image 3 a", UnevenSlicesError)

    def test_a_tilted_gantry(self, make_series):
        refused(make_series(step=(0.0, 0.5, 2.5)), "tilted gantry .by 11.3 degrees", UnevenSlicesError)

    def test_slices_shifted_against_each_other(self, make_series):
        def shift(header, index):
            header.ImagePositionPatient[0] += 3.0 * (index == 2)

        refused(make_series(edit=shift), "shifted against each other .image 3 by 3 mm", UnevenSlicesError)

    def test_several_images_at_one_position(self, make_series):
        refused(make_series(slices=5, z=(0, 1, 2, 2, 3)), "2 images at one position .image 3 and image 4 at 35 mm")

    def test_a_time_point_that_is_not_complete(self, make_series):
        refused(make_series(slices=5, z=(0, 0, 1, 1, 2)), "2 images at most positions but 1 at 35 mm .image 5")

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
            ("ct_seg_pair/seg/label.seg", "a DICOM segmentation"),
            ("ct_rtstruct/mock_data/rt.dcm", "contours"),
            ("ct_phantom_series/DIRFILE", "place in space"),
            ("ct_rtstruct/one_slice_data/0.dcm", "unknown thickness"),
        ],
    )
    def test_what_is_no_scan(self, shared_data, name, words):
        refused(shared_data / "clinical" / "dicom" / name, words)
