"""What is listed of a folder of DICOM series, and which of them is suggested."""

import dataclasses

import numpy as np
import pytest
from pydicom.uid import generate_uid

from cvrl_napari.volumes.dicom_catalog import THUMBNAIL_PIXELS, list_series, needs_choice, thumbnail
from cvrl_napari.volumes.dicom_series import dicom_files, group_slices
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read

WHO = {"PatientName": "Avasarala^Chrisjen", "PatientID": "MRN-4711-0815", "PatientBirthDate": "19510203"}


def described(description, number=1, **changes):
    def edit(header, index):
        header.SeriesDescription, header.SeriesNumber = description, number
        for name, value in {**WHO, **changes}.items():
            setattr(header, name, value)

    return edit


@pytest.fixture
def visit(make_series):
    """Two studies; the first has a scout, a thin and a thick series in one folder and a saved screen in another."""
    make_series("visit/a", slices=12, prefix="thick", edit=described("Abdomen 5mm", 3))
    make_series("visit/a", slices=20, prefix="thin", edit=described("Abdomen 1mm", 4))
    make_series("visit/a", slices=30, prefix="top", edit=described("Topogram", 1))
    screen = described("Dose", 99, ImageType=["DERIVED", "SECONDARY", "SCREEN SAVE"])
    make_series("visit/b/c", slices=40, edit=screen)
    folder = make_series("visit/d", slices=6, edit=described("Head", 2, StudyInstanceUID=generate_uid())).parent
    (folder / "readme.txt").write_text("burnt by the hospital")
    (folder / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    return folder


def test_all_series_of_nested_folders_the_likely_ones_first(visit):
    series = list_series(visit)
    assert [one.name for one in series] == ["4 Abdomen 1mm", "3 Abdomen 5mm", "99 Dose", "1 Topogram", "2 Head"]
    assert [one.preselected for one in series] == [True, False, False, False, True]
    assert [one.is_scout for one in series] == [False, False, True, True, False]
    assert {one.modality for one in series} == {"CT"}
    assert series[0].size == (4, 6, 20)
    assert series[0].spacing == pytest.approx((0.5, 0.75, 2.5))


def test_each_path_reads_as_what_was_listed(visit):
    for one in list_series(visit):
        assert read(one.path).array.shape == one.size[::-1]
        assert one.path.is_dir() == (one.name in ("99 Dose", "2 Head"))


def test_time_points_are_counted(make_series):
    (one,) = list_series(make_series(slices=12, z=[index // 3 for index in range(12)]))
    assert (one.parts, one.size) == (3, (4, 6, 4))


def test_a_choice_is_needed_where_series_share_a_folder_or_a_study(visit, make_series):
    assert needs_choice(list_series(visit))
    assert needs_choice(list_series(visit / "a"))
    assert not needs_choice(list_series(visit / "d"))
    assert not needs_choice([])
    make_series("two/x", slices=5)
    assert not needs_choice(list_series(make_series("two/y", slices=5, edit=described("", StudyInstanceUID="1.2")).parent))
    make_series("two/z", slices=5)
    assert needs_choice(list_series(visit.parent / "two"))


def test_a_person_who_goes_away_is_not_waited_for(visit):
    answers = iter([True, True, False])
    assert len(list_series(visit, lambda: next(answers))) == 3  # the folder itself and 'a'


def test_nothing_of_the_patient_is_in_it(visit):
    for one in list_series(visit):
        told = repr(dataclasses.asdict(one)) + repr(one) + one.name
        assert not [value for value in WHO.values() if value in told]


def test_what_goes_wrong_names_nobody(make_series):
    """The sentences hold paths, numbers and the names of files."""
    cases = [
        {"z": (0, 1, 2, 4, 5)}, {"z": (0, 1, 1, 2, 3)}, {"z": (0, 0, 1, 1, 2, 2), "slices": 6}, {"step": (0, 1, 2.5)},
    ]  # fmt: skip
    for number, kwargs in enumerate(cases):
        with pytest.raises(VolumeError) as caught:
            read(make_series(f"case {number}", edit=described("Head"), **kwargs))
        assert not [value for value in WHO.values() if value in str(caught.value)]
    with pytest.raises(VolumeError) as caught:
        read(make_series("photo", edit=described("Head", PhotometricInterpretation="RGB")))
    assert not [value for value in WHO.values() if value in str(caught.value)]


def test_a_thumbnail_is_the_middle_slice_in_its_proportions(make_series):
    def stripes(header, index):
        header.Rows, header.Columns = 300, 200
        pixels = np.full((300, 200), 1000 * (index == 2), "<i2")
        pixels[:, 100:] += 100
        pixels[0, 0] = 32_000  # one hot pixel does not make the rest dark
        header.PixelData = pixels.tobytes()

    (one,) = list_series(make_series(slices=5, edit=stripes))
    picture = thumbnail(one)
    assert picture.dtype == np.uint8
    assert picture.shape == (THUMBNAIL_PIXELS, round(THUMBNAIL_PIXELS * 200 * 0.5 / (300 * 0.75)))
    assert picture[64, 10] == 0
    assert picture[64, -10] == 255


def test_a_flat_slice_has_a_thumbnail(make_series):
    def flat(header, index):
        header.PixelData = bytes(6 * 4 * 2)

    (one,) = list_series(make_series(edit=flat))
    assert not thumbnail(one).any()


def test_all_real_series_open_or_say_why_not(shared_data):
    dicom = shared_data / "clinical" / "dicom"
    found = {}
    for one in list_series(dicom):
        assert max(thumbnail(one).shape) <= THUMBNAIL_PIXELS
        try:
            found[one.path.relative_to(dicom).as_posix()] = read(one.path).array.shape
        except VolumeError as error:
            found[one.path.relative_to(dicom).as_posix()] = str(error).split(" is ")[-1]
        else:
            assert read(one.path).array.shape == one.size[::-1]
    assert found == {
        "ct_phantom_series": (28, 512, 512),
        "ct_rtstruct/mock_data": (2, 512, 512),
        "ct_rtstruct/one_slice_data": "a single slice of unknown thickness: choose a series of several slices.",
        "ct_rtstruct/oriented_data": (3, 50, 100),
        "ct_seg_pair/image": (3, 38, 23),
        "ct_seg_pair/multiframe": (3, 38, 23),
        "hippocampus_series": (32, 51, 35),
    }


def test_all_other_real_files_are_refused_with_the_reason(shared_data):
    dicom = shared_data / "clinical" / "dicom"
    listed = {one.middle.file.parent for one in list_series(dicom)}
    stacks = [stack for folder in listed for stack in group_slices(dicom_files(folder))]
    in_series = {one.file for stack in stacks for one in stack}
    told = {}
    for file in sorted(path for path in dicom.rglob("*") if path.is_file() and path not in in_series):
        try:
            told[file.relative_to(dicom).as_posix()] = f"read {read(file).array.shape}"
        except VolumeError as error:
            told[file.relative_to(dicom).as_posix()] = str(error)
    expected = {
        "LICENSE.dcmqi": "not a scan this program knows",
        "ct_phantom_series/DIRFILE": "without slices that have a place in space",
        "ct_rtstruct/LICENSE": "not a scan this program knows",
        "ct_rtstruct/mock_data/invalid_reference_rt.dcm": "a set of contours",
        "ct_rtstruct/mock_data/non_existent_reference_rt.dcm": "a set of contours",
        "ct_rtstruct/mock_data/rt.dcm": "a set of contours",
        "ct_rtstruct/oriented_data/info.txt": "not a scan this program knows",
        "ct_seg_pair/nrrd/label.nrrd": "read (3, 38, 23)",
        "ct_seg_pair/seg/label.seg": "a DICOM segmentation",
    }
    assert told.keys() == expected.keys()
    assert [name for name, words in expected.items() if words not in told[name]] == []
