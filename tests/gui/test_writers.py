"""Layers on disk: on the grid of their scan, in the smallest type, without painted background."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from napari.layers import Labels

from cvrl_napari.gui.class_colors import class_colormap, class_names
from cvrl_napari.gui.placement import placement, provenance
from cvrl_napari.gui.readers import read_layers
from cvrl_napari.gui.writers import write_image, write_labels
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.dicom_seg import read_seg
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.segment_fields import read_segments
from cvrl_napari.volumes.segments import Segment

ABOUT = {"scale": (3.0, 2.0, 1.5), "translate": (30.0, 11.0, -7.0)}


def test_a_mask_lies_on_its_scan_bit_for_bit(ball_study: Study, tmp_path: Path):
    scan = ball_study.case("a").scan
    labels = ball_study.read_labels("a").astype(np.int64)
    path = str(tmp_path / "mask.nii.gz")
    assert write_labels(path, labels, {"metadata": {"cvrl_source": str(scan)}}) == [path]
    written, source = nibabel.load(path), nibabel.load(scan)
    np.testing.assert_array_equal(written.affine, source.affine)
    assert written.shape == source.shape
    assert written.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(read(Path(path)).array, labels)


@pytest.mark.parametrize("ending", [".nii.gz", ".nrrd", ".mha"])
def test_every_format_holds_the_same_points(ball_study: Study, tmp_path: Path, ending: str):
    scan = ball_study.case("a").scan
    path = tmp_path / f"image{ending}"
    ((array, about, _),) = read_layers(str(scan))
    write_image(str(path), array, about)
    written, source = sitk.ReadImage(str(path)), sitk.ReadImage(str(scan))
    assert written.TransformIndexToPhysicalPoint((3, 5, 7)) == pytest.approx(source.TransformIndexToPhysicalPoint((3, 5, 7)))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(source))


def test_a_layer_without_a_source_lies_where_it_is_drawn(tmp_path: Path, ball_study: Study):
    path = tmp_path / "mask.nrrd"
    write_labels(str(path), np.ones((12, 20, 16), np.int32), ABOUT)
    assert read(path).same_grid(ball_study.read_scan("a"))


def test_a_cropped_layer_does_not_claim_its_scans_grid(tmp_path: Path, ball_study: Study):
    path = tmp_path / "crop.nii.gz"
    about = ABOUT | {"translate": (33.0, 11.0, -7.0), "metadata": {"cvrl_source": str(ball_study.case("a").scan)}}
    write_labels(str(path), np.ones((11, 20, 16), np.uint8), about)
    np.testing.assert_allclose(read(path).origin, ball_study.read_scan("a").world_mm((1, 0, 0)))


def test_painted_background_is_written_as_0_and_a_class_255_of_others_stays(tmp_path: Path):
    labels = np.full((2, 3, 4), 255)
    ours, theirs = tmp_path / "ours.nii", tmp_path / "theirs.nii"
    write_labels(str(ours), labels, ABOUT | {"metadata": {"cvrl_painted_background": 255}})
    write_labels(str(theirs), labels, ABOUT)
    assert not read(ours).array.any()
    assert (read(theirs).array == 255).all()


@pytest.mark.parametrize(("highest", "kind"), [(200, np.uint8), (300, np.uint16), (70_000, np.uint32)])
def test_labels_take_the_smallest_type_that_holds_them(tmp_path: Path, highest: int, kind: type):
    path = tmp_path / "mask.nii"
    write_labels(str(path), np.full((2, 3, 4), highest, np.int64), ABOUT)
    assert nibabel.load(path).get_data_dtype() == kind


@pytest.mark.parametrize("ending", [".nii.gz", ".seg.nrrd", ".mha"])
def test_names_and_colors_of_the_layer_go_into_the_file(tmp_path: Path, ending: str):
    classes = (StructureClass(id=1, name="left atrium", color="#e8a03c"), StructureClass(id=2, name="scar", color="#2060ff"))
    labels = np.zeros((4, 5, 6), np.uint8)
    labels[0, 0, :3] = 1, 2, 255
    layer = Labels(
        labels,
        colormap=class_colormap(classes),
        features=class_names(classes),
        metadata={"cvrl_painted_background": 255},
        scale=(3, 2, 1.5),
    )
    data, meta, _ = layer.as_layer_data_tuple()
    path = tmp_path / f"mask{ending}"
    write_labels(str(path), data, meta)
    assert read_segments(path) == (Segment(1, "left atrium", "#e8a03c"), Segment(2, "scar", "#2060ff"))


def test_a_layer_of_others_has_numbers_for_names_and_the_colors_it_is_drawn_in(tmp_path: Path):
    layer = Labels(np.full((4, 5, 6), 3))
    data, meta, _ = layer.as_layer_data_tuple()
    write_labels(str(tmp_path / "mask.nrrd"), data, meta)
    color = "#" + "".join(f"{round(255 * part):02x}" for part in layer.get_color(3)[:3])
    assert read_segments(tmp_path / "mask.nrrd") == (Segment(3, "label 3", color),)


def test_a_mask_of_a_series_becomes_a_dicom_segmentation(tmp_path: Path, shared_data: Path):
    series = shared_data / "clinical" / "dicom" / "hippocampus_series"
    ((image, about, _),) = read_layers(str(series))
    labels = (image > np.median(image)).astype(np.uint8)
    write_labels(str(tmp_path / "mask.dcm"), labels, about)
    written, _ = read_seg(tmp_path / "mask.dcm", read(series))
    np.testing.assert_array_equal(written.array, labels)


def test_a_mask_of_another_scan_does_not(tmp_path: Path, ball_study: Study):
    ((image, about, _),) = read_layers(str(ball_study.case("a").scan))
    with pytest.raises(VolumeError, match="was not made on a DICOM series"):
        write_labels(str(tmp_path / "mask.dcm"), np.ones(image.shape, np.uint8), about)
    assert not list(tmp_path.glob("*.dcm"))


def test_a_layer_of_a_moved_oblique_scan_lies_where_it_lay_and_its_crop_where_it_is_drawn(tmp_path: Path, shared_data: Path):
    scan = read(shared_data / "clinical" / "dicom" / "ct_rtstruct" / "oriented_data")
    about = placement(scan) | {"metadata": provenance(scan, tmp_path / "gone")}
    write_image(str(tmp_path / "a.nrrd"), scan.array, about)
    assert read(tmp_path / "a.nrrd").same_grid(scan)
    moved = about | {"translate": np.add(about["translate"], (scan.spacing[0], 0, 0))}
    write_image(str(tmp_path / "b.nrrd"), scan.array[1:], moved)
    np.testing.assert_allclose(read(tmp_path / "b.nrrd").spacing, scan.spacing)
    assert read(tmp_path / "b.nrrd").origin[2] == pytest.approx(scan.origin[2] + scan.spacing[0])


def test_a_layer_of_two_axes_gives_a_sentence_and_no_file(tmp_path: Path):
    with pytest.raises(VolumeError, match="'slice' has 2 axes"):
        write_image(str(tmp_path / "a.nii"), np.zeros((3, 4)), {"name": "slice"})
    assert not (tmp_path / "a.nii").exists()
