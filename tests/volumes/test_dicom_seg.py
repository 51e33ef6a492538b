import contextlib
import io
import warnings

import highdicom as hd
import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from cvrl_napari import __version__
from cvrl_napari.volumes.dicom_seg import read_seg, write_seg
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read, read_labels
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.writing import write

SEGMENTS = (Segment(1, "left atrium", "#e8a03c"), Segment(2, "Läsion 左", "#2060ff"))
SERIES = [
    "hippocampus_series",
    "ct_seg_pair/image",
    "ct_seg_pair/multiframe/mf.dcm",
    "ct_rtstruct/oriented_data",
    "ct_phantom_series",
]


def blobs(scan, seed=0):
    """Labels 0, 1, 2 without any symmetry; the last slice is empty."""
    labels = np.random.default_rng(seed).choice([0, 0, 1, 2], scan.array.shape).astype(np.uint8)
    labels[-1] = 0
    return scan.with_array(labels)


@pytest.fixture
def series(make_series):
    """A series that says who it is of and in which space it lies."""
    space = generate_uid()

    def about(header, index):
        header.FrameOfReferenceUID = space
        header.PatientName, header.PatientID, header.PatientBirthDate = "Grün^Ötzi", "ID-4711", "19600229"
        header.PatientSex, header.StudyDate, header.AccessionNumber = "O", "20240131", "A-1"
        header.SpecificCharacterSet = "ISO_IR 100"
        header.InstanceNumber = index + 1

    return lambda name="series", edit=lambda header, index: None, **more: make_series(
        name, edit=lambda header, index: (about(header, index), edit(header, index)), **more
    )


def other_seg(folder, pixels, kind="BINARY", names=("one", "two"), change=lambda seg: None, **more):
    """A SEG as another program would write it: by highdicom, not by us; `pixels` as its Segmentation takes them."""
    images = sorted((pydicom.dcmread(file) for file in folder.iterdir()), key=lambda one: one.ImagePositionPatient[2])
    for image in images:
        for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"):
            setattr(image, keyword, image.get(keyword))
        image.AccessionNumber = None
    algorithm = hd.AlgorithmIdentificationSequence("somebody", codes.CID7162.ArtificialIntelligence, "1")
    kinds = codes.CID7150.Tissue, codes.CID7166.Tissue
    descriptions = [hd.seg.SegmentDescription(n, name, *kinds, "AUTOMATIC", algorithm) for n, name in enumerate(names, 1)]
    seg = hd.seg.Segmentation(
        images, pixels, kind, descriptions, generate_uid(), 1, generate_uid(), 1, "m", "m", "1", "1", **more
    )  # fmt: skip
    change(seg)
    path = folder.parent / "other.dcm"
    seg.save_as(path)
    return path


def refused(path, scan, words):
    with pytest.raises(VolumeError, match=words) as caught:
        read_seg(path, scan)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_real_segmentation_is_the_label_map_beside_it(shared_data):
    pair = shared_data / "clinical" / "dicom" / "ct_seg_pair"
    labels, segments = read_seg(pair / "seg" / "label.seg", read(pair / "image"))
    expected = read_labels(pair / "nrrd" / "label.nrrd")
    assert np.array_equal(labels.array, expected.array)
    assert labels.same_grid(expected)
    assert segments == (Segment(1, "Liver", "#dd8265"),)
    assert labels.notice == ""


@pytest.mark.parametrize("name", SERIES)
def test_what_is_written_comes_back(tmp_path, shared_data, name):
    source = shared_data / "clinical" / "dicom" / name
    labels = blobs(read(source))
    write_seg(tmp_path / "mask.dcm", labels, source, SEGMENTS)
    again, segments = read_seg(tmp_path / "mask.dcm", read(source))
    assert again.array.dtype == np.uint8
    assert np.array_equal(again.array, labels.array)
    assert again.same_grid(labels)
    assert segments == SEGMENTS


@pytest.mark.parametrize("name", ["hippocampus_series", "ct_seg_pair/image"])
def test_highdicom_finds_each_pixel_on_its_image(tmp_path, shared_data, name):
    folder = shared_data / "clinical" / "dicom" / name
    labels = blobs(read(folder))
    write_seg(tmp_path / "mask.dcm", labels, folder, SEGMENTS)
    seg = hd.seg.segread(tmp_path / "mask.dcm")
    images = [pydicom.dcmread(file) for file in folder.iterdir()]
    found = seg.get_pixels_by_source_instance(
        [image.SOPInstanceUID for image in images], combine_segments=True, ignore_spatial_locations=True,
        assert_missing_frames_are_empty=True,
    )  # fmt: skip
    for image, pixels in zip(images, found, strict=True):
        for row, column in ((0, 0), (5, 9), (image.Rows - 1, image.Columns - 1)):
            right, down = np.split(np.array(image.ImageOrientationPatient, float), 2)
            place = np.array(image.ImagePositionPatient, float)
            place = place + column * image.PixelSpacing[1] * right + row * image.PixelSpacing[0] * down
            at = np.linalg.solve(labels.affine, (*(place * (-1, -1, 1)), 1))[:3]
            assert np.allclose(at, np.rint(at), atol=1e-3)
            assert pixels[row, column] == labels.array[tuple(np.rint(at).astype(int))]
    volume = seg.get_volume(combine_segments=True)  # without the empty slice at its end
    assert volume.array.shape[0] == labels.array.shape[0] - 1
    assert np.array_equal(np.bincount(volume.array.ravel()), np.bincount(labels.array[:-1].ravel()))


def test_what_the_file_says(tmp_path, series):
    folder = series()
    labels = blobs(read(folder))
    path = tmp_path / "mask.dcm"
    write_seg(path, labels, folder, SEGMENTS, algorithm="quick model")
    seg = pydicom.dcmread(path)
    images = {str(one.SOPInstanceUID): one for one in map(pydicom.dcmread, folder.iterdir())}
    image = next(iter(images.values()))
    assert seg.SegmentationType == "BINARY"
    assert seg.BitsAllocated == 1
    for keyword in (
        "StudyInstanceUID",
        "FrameOfReferenceUID",
        "PatientID",
        "PatientBirthDate",
        "PatientSex",
        "AccessionNumber",
    ):
        assert seg[keyword].value == image[keyword].value
    assert str(seg.PatientName) == "Grün^Ötzi"
    assert seg.SeriesInstanceUID != image.SeriesInstanceUID
    (referenced,) = seg.ReferencedSeriesSequence
    assert referenced.SeriesInstanceUID == image.SeriesInstanceUID
    assert {one.ReferencedSOPInstanceUID for one in referenced.ReferencedInstanceSequence} == set(images)
    for group in seg.PerFrameFunctionalGroupsSequence:
        (derived,) = group.DerivationImageSequence
        (of,) = derived.SourceImageSequence
        position = images[of.ReferencedSOPInstanceUID].ImagePositionPatient
        assert group.PlanePositionSequence[0].ImagePositionPatient == position
    first, second = seg.SegmentSequence
    assert [first.SegmentLabel, second.SegmentLabel] == ["left atrium", "Läsion 左"]
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == codes.SCT.LeftAtrium.value
    assert first.SegmentedPropertyCategoryCodeSequence[0].CodeMeaning == "Anatomical Structure"
    assert second.SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Tissue"
    assert first.SegmentAlgorithmType == "AUTOMATIC"
    assert first.SegmentAlgorithmName == "quick model"
    assert first.SegmentationAlgorithmIdentificationSequence[0].AlgorithmVersion == __version__
    assert hd.color.CIELabColor.from_dicom_value(first.RecommendedDisplayCIELabValue).to_rgb() == (0xE8, 0xA0, 0x3C)
    write_seg(path, labels, folder, SEGMENTS)
    first = pydicom.dcmread(path).SegmentSequence[0]
    assert (first.SegmentAlgorithmType, first.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "cvrl_napari")


def test_values_are_numbered_and_nameless_ones_get_a_name(tmp_path, series):
    folder = series()
    scan = read(folder)
    labels = np.zeros(scan.array.shape, np.int64)
    labels[1, 2, 3], labels[0, 0, 0], labels[2, 5, 1] = 200, 3, 9
    write_seg(tmp_path / "mask.dcm", scan.with_array(labels), folder, [Segment(200, "x" * 90 + "\\\n", "#010203")])
    again, segments = read_seg(tmp_path / "mask.dcm", scan)
    assert [segment.name for segment in segments] == ["label 3", "label 9", "x" * 64]
    assert (again.array[0, 0, 0], again.array[2, 5, 1], again.array[1, 2, 3]) == (1, 2, 3)
    assert np.count_nonzero(again.array) == 3


@pytest.mark.parametrize(
    ("more", "shifted"),
    [({"slices": 6, "z": [0, 1, 2, 3.5, 5, 6]}, False), ({"slices": 8, "step": (0.0, 0.75, 2.5)}, True)],
    ids=["unevenly spaced", "tilted gantry"],
)
def test_a_resampled_scan_gives_the_masks_of_its_own_images(tmp_path, series, more, shifted):
    folder = series(**more)
    scan = read(folder, resample=True)
    labels = blobs(scan)
    assert labels.array.shape != (more["slices"], 6, 4)
    write_seg(tmp_path / "mask.dcm", labels, folder, SEGMENTS)
    seg = hd.seg.segread(tmp_path / "mask.dcm")
    to_index = np.linalg.inv(scan.affine)
    for file in folder.iterdir():
        image = pydicom.dcmread(file)
        pixels = seg.get_pixels_by_source_instance(
            [image.SOPInstanceUID], combine_segments=True, ignore_spatial_locations=True, assert_missing_frames_are_empty=True
        )[0]
        for row, column in np.ndindex(6, 4):
            x, y, z = np.add(np.array(image.ImagePositionPatient, float), (column * 0.5, row * 0.75, 0))
            at = (to_index @ (-x, -y, z, 1))[:3]
            if np.abs(at - np.floor(at) - 0.5).min() > 0.01:  # half way either voxel is the nearest
                assert pixels[row, column] == labels.array[tuple(np.rint(at).astype(int))]
    again, _ = read_seg(tmp_path / "mask.dcm", scan)
    # Back on the regular grid each voxel has the label of an image half a gap away or less.
    assert again.same_grid(scan)
    assert set(np.unique(again.array)) == {0, 1, 2}
    solid = scan.with_array(np.ones(scan.array.shape, np.uint8))
    write_seg(tmp_path / "solid.dcm", solid, folder, SEGMENTS[:1])
    again, _ = read_seg(tmp_path / "solid.dcm", scan)
    assert (again.array == 1).mean() > (0.4 if shifted else 0.99)


def test_frames_in_any_order_and_orientation(series):
    folder = series(slices=5)
    scan = read(folder)
    labels = blobs(scan)
    images = sorted((pydicom.dcmread(file) for file in folder.iterdir()), key=lambda one: one.ImagePositionPatient[2])
    straight = hd.Volume.from_components(
        labels.array, spacing=(2.5, 0.75, 0.5), coordinate_system="PATIENT",
        frame_of_reference_uid=images[0].FrameOfReferenceUID,
        position=[float(mm) for mm in images[0].ImagePositionPatient], direction=np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0.0]]),
    )  # fmt: skip
    for turned in (
        straight.flip_spatial(0),
        straight.flip_spatial(1),
        straight.flip_spatial((0, 2)),
        straight.permute_spatial_axes((0, 2, 1)),
        straight.permute_spatial_axes((0, 2, 1)).flip_spatial((1, 2)),
        straight[:, 1:, :3],
        straight.pad(((0, 0), (2, 1), (0, 3))),
    ):
        again, _ = read_seg(other_seg(folder, turned), scan)
        expected = labels.array
        if turned.array.shape == (5, 5, 3):
            expected = np.zeros_like(expected)
            expected[:, 1:, :3] = labels.array[:, 1:, :3]
        assert np.array_equal(again.array, expected)


def test_probabilities_count_from_one_half_on(series):
    folder = series(slices=4)
    scan = read(folder)
    shares = np.random.default_rng(0).uniform(0, 1, (4, 6, 4, 1)).astype(np.float32)
    shares[0, 0, 0], shares[0, 0, 1] = 0.49, 0.51
    again, segments = read_seg(other_seg(folder, shares, "FRACTIONAL", ["maybe"]), scan)
    assert np.array_equal(again.array, (np.rint(shares[..., 0] * 255) * 2 >= 255).astype(np.uint8))
    assert segments[0].name == "maybe"


def test_a_label_map(series):
    folder = series(slices=4)
    labels = blobs(read(folder))
    again, segments = read_seg(other_seg(folder, labels.array, "LABELMAP"), read(folder))
    assert np.array_equal(again.array, labels.array)
    assert [segment.name for segment in segments] == ["one", "two"]


def test_of_structures_that_overlap_the_smaller_one_is_taken(series):
    folder = series(slices=3)
    body, liver = np.zeros((2, 3, 6, 4), np.uint8)
    body[:, 1:5] = 1
    liver[1, 2:5, 1] = 1
    for pixels, number in ((np.stack([body, liver], axis=-1), 2), (np.stack([liver, body], axis=-1), 1)):
        labels, _ = read_seg(other_seg(folder, pixels), read(folder))
        assert np.array_equal(labels.array == number, liver == 1)
        assert np.array_equal(labels.array != 0, body == 1)
        assert "overlap (3 voxels)" in labels.notice


def test_segmentations_of_something_else_are_refused(tmp_path, series):
    folder, other = series("a"), series("b")
    scan = read(folder)
    write_seg(tmp_path / "mask.dcm", blobs(scan), folder, SEGMENTS)
    refused(tmp_path / "mask.dcm", read(other), "of another series than .*b: choose")

    def in_other_space(seg):
        seg.FrameOfReferenceUID = generate_uid()

    refused(other_seg(folder, blobs(scan).array, change=in_other_space), scan, "in another frame of reference than")

    def moved(millimetres):
        def move(seg):
            for group in seg.PerFrameFunctionalGroupsSequence:
                position = group.PlanePositionSequence[0]
                position.ImagePositionPatient = list(np.array(position.ImagePositionPatient, float) + millimetres)

        return move

    for millimetres in ((0.25, 0, 0), (0, 0, 1.25), (0, 0, -5), (1.0, 0, 0)):
        one_structure = (blobs(scan).array == 1).astype(np.uint8)  # of several, highdicom's frames share their positions
        path = other_seg(folder, one_structure, names=["one"], change=moved(millimetres))
        refused(path, scan, "does not lie on the voxels of the scan")
    refused(next(folder.iterdir()), scan, "is not a DICOM segmentation")


def test_masks_of_another_series_are_not_written(tmp_path, series, make_series):
    folder = series()
    labels = blobs(read(folder))
    elsewhere = series("elsewhere", edit=lambda header, index: setattr(header, "PixelSpacing", [0.75, 0.6]))
    with pytest.raises(VolumeError, match="does not lie on the images"):
        write_seg(tmp_path / "mask.dcm", labels, elsewhere, SEGMENTS)
    with pytest.raises(VolumeError, match="nothing is drawn"):
        write_seg(tmp_path / "mask.dcm", labels.with_array(labels.array * 0), folder, SEGMENTS)
    with pytest.raises(VolumeError, match=r"Cannot write .*No such file"):
        write_seg(tmp_path / "nowhere" / "mask.dcm", labels, folder, SEGMENTS)
    assert not list(tmp_path.glob("*.dcm"))


def test_a_series_that_says_little_of_itself(tmp_path, make_series):
    folder = make_series(slices=4)  # no frame of reference, no patient
    labels = blobs(read(folder))
    for name in ("one.dcm", "two.dcm"):
        write_seg(tmp_path / name, labels, folder, SEGMENTS)
        assert np.array_equal(read_seg(tmp_path / name, read(folder))[0].array, labels.array)
    spaces = {pydicom.dcmread(tmp_path / name).FrameOfReferenceUID for name in ("one.dcm", "two.dcm")}
    assert len(spaces) == 1


def test_odd_values_of_the_source_neither_stop_it_nor_are_quoted(tmp_path, series, caplog, capfd):
    def odd(header, index):
        with pydicom.config.disable_value_validation():
            header.PatientName, header.PatientBirthDate, header.PatientSex = "Grünberg", "1960.02.29", "unknown to us"

    folder = series(edit=odd)
    scan = read(folder)
    caplog.clear()
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        write_seg(tmp_path / "mask.dcm", blobs(scan), folder, SEGMENTS)
    said = " ".join(str(one.message) for one in caught) + caplog.text + "".join(capfd.readouterr())
    for secret in ("Grünberg", "1960", "unknown to us", "ID-4711"):
        assert secret not in said
    with pydicom.config.disable_value_validation():
        seg = pydicom.dcmread(tmp_path / "mask.dcm")
        assert (str(seg.PatientName), seg.PatientBirthDate, seg.PatientSex) == ("Grünberg", "1960.02.29", "unknown to us")


def test_a_scan_that_was_converted_takes_the_segmentation_of_its_series(tmp_path, shared_data):
    pair = shared_data / "clinical" / "dicom" / "ct_seg_pair"
    write(tmp_path / "scan.nii", read(pair / "image"))
    nibabel.save(nibabel.as_closest_canonical(nibabel.load(tmp_path / "scan.nii")), tmp_path / "turned.nii")
    for name in ("scan.nii", "turned.nii"):
        scan = read(tmp_path / name)
        labels, _ = read_seg(pair / "seg" / "label.seg", scan)
        assert np.array_equal(labels.array, read_labels(pair / "nrrd" / "label.nrrd").array)


def test_damaged_files_are_refused_with_a_sentence(tmp_path, shared_data):
    pair = shared_data / "clinical" / "dicom" / "ct_seg_pair"
    scan = read(pair / "image")
    whole = (pair / "seg" / "label.seg").read_bytes()
    path = tmp_path / "damaged.seg"
    generator = np.random.default_rng(0)
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
            with contextlib.suppress(VolumeError):
                assert read_seg(path, scan)[0].array.shape == scan.array.shape


@pytest.mark.parametrize(("keyword", "value"), [("Rows", 60000), ("NumberOfFrames", 2**31 - 1), ("Columns", 0)])
def test_headers_that_promise_too_much(tmp_path, shared_data, keyword, value):
    pair = shared_data / "clinical" / "dicom" / "ct_seg_pair"
    seg = pydicom.dcmread(io.BytesIO((pair / "seg" / "label.seg").read_bytes()))
    setattr(seg, keyword, value)
    seg.save_as(tmp_path / "large.seg")
    refused(tmp_path / "large.seg", read(pair / "image"), "cut off or damaged|damaged segmentation")


def test_a_missing_file(tmp_path, series):
    refused(tmp_path / "none.dcm", read(series()), "Cannot read")
