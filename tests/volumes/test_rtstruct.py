import warnings

import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid
from scipy import ndimage
from skimage.measure import points_in_poly

from cvrl_napari.volumes.dicom_seg import read_seg, write_seg
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.rtstruct import read_rtstruct, write_rtstruct
from cvrl_napari.volumes.segments import Segment

SEGMENTS = (Segment(1, "left atrium", "#e8a03c"), Segment(2, "Läsion 左", "#2060ff"))
SERIES = ["hippocampus_series", "ct_seg_pair/image", "ct_seg_pair/multiframe/mf.dcm", "ct_rtstruct/oriented_data"]


def blobs(scan):
    """Labels 0, 1, 2 without any symmetry: pieces that touch at corners, holes, islands in holes, single pixels."""
    generator = np.random.default_rng(0)
    labels = (ndimage.gaussian_filter(generator.normal(size=scan.array.shape), (0, 1.5, 1.5)) > 0).astype(np.uint8)
    labels[:, :12, :10] = generator.choice([0, 1, 1, 2], labels[:, :12, :10].shape)
    labels[:, 22:29, 11:18] = 2
    labels[:, 23:28, 12:17] = 0
    labels[:, 25, 14] = 2
    return scan.with_array(labels)


@pytest.fixture
def mock(shared_data):
    return shared_data / "clinical" / "dicom" / "ct_rtstruct" / "mock_data"


def refused(path, scan, words):
    with pytest.raises(VolumeError, match=words) as caught:
        read_rtstruct(path, scan)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def pixels_inside(path, folder, roi):
    """The mask of one structure by image, read with pydicom and filled by scikit-image's point test, contour by contour."""
    structure_set = pydicom.dcmread(path)
    masks = {}
    for image in map(pydicom.dcmread, (file for file in folder.iterdir() if file.suffix == ".dcm")):
        if "PixelData" not in image:
            continue
        right, down = np.split(np.array(image.ImageOrientationPatient, float), 2)
        origin = np.array(image.ImagePositionPatient, float)
        mask = np.zeros((image.Rows, image.Columns), bool)
        for contour in structure_set.ROIContourSequence[roi].ContourSequence:
            assert contour.ContourGeometricType == "CLOSED_PLANAR"
            corners = np.array(contour.ContourData, float).reshape(-1, 3) - origin
            assert len(corners) == contour.NumberOfContourPoints >= 3
            if contour.ContourImageSequence[0].ReferencedSOPInstanceUID == image.SOPInstanceUID:
                assert np.abs(corners @ np.cross(right, down)).max() < 1e-4
                corners = np.stack([corners @ down / image.PixelSpacing[0], corners @ right / image.PixelSpacing[1]], axis=1)
                mask ^= points_in_poly(list(np.ndindex(mask.shape)), corners).reshape(mask.shape)
        masks[image.SOPInstanceUID] = (origin, mask)
    return masks


def test_a_real_structure_set(mock):
    scan = read(mock)
    labels, segments = read_rtstruct(mock / "rt.dcm", scan)
    assert segments == (Segment(1, "ROI-1", "#a2885f"),)
    expected = np.zeros_like(labels.array)
    for z, (_, mask) in enumerate(sorted(pixels_inside(mock / "rt.dcm", mock, 0).values(), key=lambda one: one[0][2])):
        expected[z] = mask  # these images run to Left and Posterior as canonical ones do
    assert np.array_equal(labels.array, expected)
    # A square of 24 mm with a hole: of 0.488 mm pixels.
    assert 0.5 * (24 / 0.488281) ** 2 < labels.array.sum() < (24 / 0.488281) ** 2
    assert not labels.array[1].any()


@pytest.mark.parametrize("name", ["invalid_reference_rt.dcm", "non_existent_reference_rt.dcm"])
def test_contours_on_missing_images_are_refused(mock, name):
    refused(mock / name, read(mock), "has 4 of 12 contours on images that .*mock_data lacks .*'ROI-1'")


@pytest.mark.parametrize("name", SERIES)
def test_what_is_written_comes_back(tmp_path, shared_data, name):
    source = shared_data / "clinical" / "dicom" / name
    labels = blobs(read(source))
    write_rtstruct(tmp_path / "contours.dcm", labels, source, SEGMENTS)
    again, segments = read_rtstruct(tmp_path / "contours.dcm", read(source))
    assert again.array.dtype == np.uint8
    assert np.array_equal(again.array, labels.array)
    assert again.same_grid(labels)
    assert segments == SEGMENTS
    assert again.notice == ""


@pytest.mark.parametrize("name", ["ct_seg_pair/image", "ct_rtstruct/oriented_data"])
def test_another_program_fills_the_same_pixels(tmp_path, shared_data, name):
    folder = shared_data / "clinical" / "dicom" / name
    labels = blobs(read(folder))
    write_rtstruct(tmp_path / "contours.dcm", labels, folder, SEGMENTS)
    images = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, folder.glob("*.dcm"))}
    for roi, value in enumerate((1, 2)):
        for instance, (origin, mask) in pixels_inside(tmp_path / "contours.dcm", folder, roi).items():
            right, down = np.split(np.array(images[instance].ImageOrientationPatient, float), 2)
            spacing = images[instance].PixelSpacing
            rows, columns = np.indices(mask.shape)[..., None] * np.array([*spacing]).reshape(2, 1, 1, 1)
            places = (origin + rows * down + columns * right) * (-1, -1, 1)
            at = (places - labels.affine[:3, 3]) @ np.linalg.inv(labels.affine[:3, :3]).T
            assert np.allclose(at, np.rint(at), atol=2e-3)
            z, y, x = np.rint(at).astype(int).transpose(2, 0, 1)
            assert np.array_equal(labels.array[z, y, x] == value, mask)


def test_what_the_file_says(tmp_path, make_series):
    def about(header, index):
        header.PatientName, header.PatientID, header.PatientBirthDate = "Grün^Ötzi", "ID-4711", "19600229"
        header.SpecificCharacterSet, header.FrameOfReferenceUID, header.SeriesNumber = "ISO_IR 100", "1.2.3", 7

    folder = make_series(slices=3, edit=about)
    scan = read(folder)
    labels = scan.with_array(np.pad(np.full((1, 2, 2), 5), ((1, 1), (2, 2), (1, 1))))
    path = tmp_path / "contours.dcm"
    write_rtstruct(path, labels, folder, [Segment(5, "Läsion 左", "#2060ff"), Segment(6, "not drawn", "#000000")])
    file = pydicom.dcmread(path)
    images = sorted(map(pydicom.dcmread, folder.iterdir()), key=lambda one: one.ImagePositionPatient[2])
    assert (str(file.PatientName), file.PatientID, file.PatientBirthDate) == ("Grün^Ötzi", "ID-4711", "19600229")
    assert file.PatientSex is None or file.PatientSex == ""
    assert (file.Modality, file.SeriesNumber, file.StudyInstanceUID) == ("RTSTRUCT", 1007, images[0].StudyInstanceUID)
    (space,) = file.ReferencedFrameOfReferenceSequence
    (study,) = space.RTReferencedStudySequence
    (series,) = study.RTReferencedSeriesSequence
    assert (space.FrameOfReferenceUID, study.ReferencedSOPInstanceUID) == ("1.2.3", images[0].StudyInstanceUID)
    assert series.SeriesInstanceUID == images[0].SeriesInstanceUID
    assert [one.ReferencedSOPInstanceUID for one in series.ContourImageSequence] == [one.SOPInstanceUID for one in images]
    (roi,) = file.StructureSetROISequence
    assert (roi.ROIName, roi.ROINumber, roi.ROIGenerationAlgorithm) == ("Läsion 左", 1, "SEMIAUTOMATIC")
    (drawn,) = file.ROIContourSequence
    assert list(drawn.ROIDisplayColor) == [0x20, 0x60, 0xFF]
    (contour,) = drawn.ContourSequence
    assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID == images[1].SOPInstanceUID
    corners = np.array(contour.ContourData, float).reshape(-1, 3)
    # Pixels 1..2 of each row from -10 mm in steps of 0.5, rows 2..3 from 20 mm in steps of 0.75, and half a pixel around.
    assert np.allclose(corners.min(axis=0), (-10 + 0.25, 20 + 1.5 * 0.75, 32.5))
    assert np.allclose(corners.max(axis=0), (-10 + 1.25, 20 + 3.5 * 0.75, 32.5))
    assert file.RTROIObservationsSequence[0].ReferencedROINumber == 1
    write_rtstruct(path, labels, folder, [], algorithm="quick model")
    (roi,) = pydicom.dcmread(path).StructureSetROISequence
    assert (roi.ROIName, roi.ROIGenerationAlgorithm, roi.ROIGenerationDescription) == ("label 5", "AUTOMATIC", "quick model")


def test_a_contour_longer_than_64_kib(tmp_path, shared_data, mock):
    scan = read(mock)
    teeth = np.zeros(scan.array.shape, np.uint8)
    teeth[0, 10:500, 10:500] = 1
    teeth[0, 12:500, 12:500:4] = 0
    write_rtstruct(tmp_path / "contours.dcm", scan.with_array(teeth), mock, SEGMENTS)
    file = pydicom.dcmread(tmp_path / "contours.dcm")
    assert max(len(one.ContourData) for one in file.ROIContourSequence[0].ContourSequence) > 1000
    assert np.array_equal(read_rtstruct(tmp_path / "contours.dcm", scan)[0].array, teeth)


@pytest.mark.parametrize("more", [{"slices": 6, "z": [0, 1, 2, 3.5, 5, 6]}, {"slices": 8, "step": (0.0, 0.75, 2.5)}])
def test_a_resampled_scan_gives_the_contours_of_its_own_images(tmp_path, make_series, more):
    folder = make_series(**more)
    scan = read(folder, resample=True)
    labels = scan.with_array(np.random.default_rng(0).choice([0, 1, 2], scan.array.shape).astype(np.uint8))
    write_rtstruct(tmp_path / "contours.dcm", labels, folder, SEGMENTS)
    write_seg(tmp_path / "mask.dcm", labels, folder, SEGMENTS)
    contours, _ = read_rtstruct(tmp_path / "contours.dcm", scan)
    mask, _ = read_seg(tmp_path / "mask.dcm", scan)  # whose pixels are compared with the images elsewhere
    assert np.array_equal(contours.array, mask.array)
    assert contours.array.any()


@pytest.fixture
def structure_set(tmp_path, make_series):
    """(folder, scan, change): a series of 3 slices; `change` writes its structure set, changed by a function."""
    folder = make_series("a", slices=3, edit=lambda header, index: setattr(header, "FrameOfReferenceUID", "1.2.3"))
    scan = read(folder)
    labels = np.zeros(scan.array.shape, np.uint8)
    labels[:, 1:5, 1:3] = 1
    labels[1, 2:4, 1] = 2
    write_rtstruct(tmp_path / "whole.dcm", scan.with_array(labels), folder, SEGMENTS)

    def change(how):
        file = pydicom.dcmread(tmp_path / "whole.dcm")
        how(file)
        file.save_as(tmp_path / "changed.dcm")
        return tmp_path / "changed.dcm"

    return folder, scan, change


def contours_of(file):
    return [contour for roi in file.ROIContourSequence for contour in roi.ContourSequence]


def test_contours_without_images_go_by_series_and_space(structure_set, make_series):
    _, scan, change = structure_set

    def nameless(file):
        for contour in contours_of(file):
            del contour.ContourImageSequence

    def of_no_series(file):
        nameless(file)
        del file.ReferencedFrameOfReferenceSequence[0].RTReferencedStudySequence

    def of_nothing(file):
        of_no_series(file)
        file.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = generate_uid()
        for roi in file.StructureSetROISequence:
            roi.ReferencedFrameOfReferenceUID = file.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID

    for how in (nameless, of_no_series):
        assert read_rtstruct(change(how), scan)[0].array.any()
    refused(change(of_nothing), scan, "in another frame of reference than")
    refused(change(nameless), read(make_series("b", slices=3)), "of another series than .*b: choose")


@pytest.mark.parametrize("moved", [(0, 0, 1.25), (0, 0, 7.5)])
def test_contours_off_the_slices_are_refused(structure_set, moved):
    _, scan, change = structure_set

    def move(file):
        for contour in contours_of(file):
            contour.ContourData = (np.array(contour.ContourData, float).reshape(-1, 3) + moved).ravel().round(4).tolist()

    refused(change(move), scan, "contour of 'left atrium' that lies on no slice of the scan")


def test_contours_across_the_slices_are_refused(structure_set):
    _, scan, change = structure_set

    def turn(file):
        for contour in contours_of(file):
            corners = np.array(contour.ContourData, float).reshape(-1, 3)
            corners[:, 2] += corners[:, 0] - corners[:, 0].mean()
            contour.ContourData = corners.ravel().round(4).tolist()

    refused(change(turn), scan, "lies on no slice of the scan")


def test_points_and_open_lines_are_left_out(structure_set):
    _, scan, change = structure_set

    def points(file):
        for contour in file.ROIContourSequence[0].ContourSequence:
            contour.ContourGeometricType = "POINT"

    labels, segments = read_rtstruct(change(points), scan)
    assert segments == (Segment(1, SEGMENTS[1].name, SEGMENTS[1].color),)
    assert labels.array.sum() == 2

    def nothing(file):
        for contour in contours_of(file):
            contour.ContourGeometricType = "OPEN_PLANAR"

    refused(change(nothing), scan, "has no closed contour")


def test_an_outline_of_the_body_does_not_hide_what_is_in_it(structure_set):
    _, scan, change = structure_set

    def body(file):
        large = "\\".join(f"{x}\\{y}\\30" for x, y in ((-50, -50), (50, -50), (50, 50), (-50, 50)))
        file.ROIContourSequence[1].ContourSequence[0].ContourData = large.split("\\")

    labels, _ = read_rtstruct(change(body), scan)
    assert (labels.array[0, 1:5, 1:3] == 1).all()
    assert (np.delete(labels.array[0], slice(1, 5), axis=0) == 2).all()
    assert "overlap (8 voxels)" in labels.notice


def test_what_cannot_be_written(tmp_path, make_series):
    folder = make_series(slices=3)
    scan = read(folder)
    with pytest.raises(VolumeError, match="nothing is drawn"):
        write_rtstruct(tmp_path / "contours.dcm", scan.with_array(np.zeros(scan.array.shape, np.uint8)), folder, SEGMENTS)
    with pytest.raises(VolumeError, match=r"Cannot write .*No such file"):
        write_rtstruct(tmp_path / "no" / "contours.dcm", scan.with_array(np.ones(scan.array.shape, int)), folder, SEGMENTS)
    assert not list(tmp_path.glob("*.dcm"))


def test_other_files_and_missing_ones(tmp_path, make_series):
    folder = make_series(slices=3)
    refused(next(folder.iterdir()), read(folder), r"is not a set of DICOM contours \(RTSTRUCT\)")
    refused(tmp_path / "none.dcm", read(folder), "Cannot read")


@pytest.mark.parametrize("data", ["1\\2", "", "1e9\\0\\0", "nan\\0\\0"])
def test_contours_that_are_none(tmp_path, structure_set, data):
    _, scan, change = structure_set
    path = change(lambda file: None)
    file = pydicom.dcmread(path)
    with pydicom.config.disable_value_validation():
        file.ROIContourSequence[0].ContourSequence[0].add_new("ContourData", "UN", data.encode())
        file.save_as(path)
    refused(path, scan, "damaged set of contours")


def test_damaged_files_are_refused_with_a_sentence(tmp_path, mock):
    scan = read(mock)
    whole = (mock / "rt.dcm").read_bytes()
    generator = np.random.default_rng(0)
    path = tmp_path / "damaged.dcm"
    for number in range(120):
        content = bytearray(whole)
        if number % 3 == 0:
            del content[int(generator.integers(1, len(content))) :]
        else:
            for at in generator.integers(132, len(content), 1 + number % 7):
                content[at] = generator.integers(256)
        path.write_bytes(content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                labels, _ = read_rtstruct(path, scan)
            except VolumeError:
                continue
        assert labels.array.shape == scan.array.shape
