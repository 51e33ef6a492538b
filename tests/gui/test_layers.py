"""The case on view: geometry, painting and its undoing, the overlay of the mask, and coming back to a case."""

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from pytestqt.qtbot import QtBot

from cvrl_napari.engine.events import Box, PreviewReady
from cvrl_napari.gui.case_layers import CONTOUR_WIDTH
from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.difference import ONLY_LABELS, ONLY_MASK, OTHER_CLASS
from cvrl_napari.gui.layers import Layers
from cvrl_napari.study.case import Image as Image_
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:Contours are not displayed")]

SHAPE, SPACING = (12, 20, 16), (3.0, 2.0, 1.5)


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    """A viewer without a window, which is quick; `test_layers_in_a_window.py` has the rest."""
    return ViewerModel()


@pytest.fixture
def layers(viewer, qtbot: QtBot):
    made = Layers(viewer)
    yield made
    made.close()


def find(viewer, start: str):
    """Return the one layer whose name starts so."""
    (layer,) = [layer for layer in viewer.layers if layer.name.startswith(start)]
    return layer


def preview(folder: Path, mask: np.ndarray, box: Box | None, case: str = "a", step: int = 1) -> PreviewReady:
    path = folder / f"{case}.npy"
    np.save(path, mask)
    return PreviewReady(case=case, path=str(path), box=box, step=step)


def paint(layer: Labels, point: tuple[int, int, int], value: int = 1) -> None:
    layer.paint(point, value)


def test_a_case_lies_where_its_scan_lies(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    assert [layer.name for layer in viewer.layers] == ["a", "Labels – a", "Mask – a"]  # noqa: RUF001
    for layer in viewer.layers:
        assert layer.data.shape == SHAPE
        np.testing.assert_allclose(layer.scale, SPACING)
        np.testing.assert_allclose(layer.translate, (30.0, 11.0, -7.0))  # Superior, Posterior, Left
        assert {str(unit) for unit in layer.units} == {"millimeter"}
    assert viewer.layers.selection.active.name.startswith("Labels")
    np.testing.assert_array_equal(layers.labels_array(), ball_study.read_labels("a"))


def test_further_images_lie_hidden_below_the_scan_and_stay_as_they_were_shown(viewer, layers, tmp_path, ball_study: Study):
    first, second = (Image_(scan=ball_study.case(case).scan) for case in "ab")
    with Study.create(tmp_path / "two", [(first, second), (second, first)]) as study:
        one, other = (case.id for case in study.cases)
        arrays = [study.read_channel(case, 1).array for case in (one, other)]
        layers.show_case(study, one, channels=[arrays[0]])
        names = [f"{one} - image 2", one, f"Labels – {one}", f"Mask – {one}"]  # noqa: RUF001
        assert [layer.name for layer in viewer.layers] == names
        assert [layer.visible for layer in viewer.layers] == [False, True, True, True]
        np.testing.assert_array_equal(viewer.layers[0].data, arrays[0])
        viewer.layers[0].visible, viewer.layers[1].visible = True, False
        layers.show_case(study, other, channels=[arrays[1]])
        assert [layer.visible for layer in viewer.layers] == [True, False, True, True]
        assert all(other in layer.name for layer in viewer.layers)


def test_overlays_are_bytes_in_one_piece(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    for array in (layers.labels_array(), layers.mask_array()):
        assert array.dtype == np.uint8
        assert array.flags.c_contiguous
        assert array.flags.writeable


def test_the_mask_cannot_be_painted_on(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    mask = find(viewer, "Mask")
    viewer.dims.ndisplay = 3
    viewer.dims.ndisplay = 2
    assert not mask.editable


def test_classes_have_their_colors_and_names(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    labels = find(viewer, "Labels")
    orange = tuple(int(ball_study.classes[0].color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    np.testing.assert_allclose(labels.get_color(1)[:3], orange, atol=1e-3)
    assert labels.get_color(0) is None or labels.get_color(0)[3] == 0
    red, green, blue, alpha = labels.get_color(255)
    assert max(red, green, blue) - min(red, green, blue) < 0.1  # nearly grey
    assert alpha == 1
    inside = np.argwhere(layers.labels_array() == 1)[0]
    status = labels.get_status(labels.data_to_world(inside), world=True, view_direction=None, dims_displayed=[1, 2])
    assert "structure: ball" in status["value"]


def test_a_stroke_is_told_once_and_is_unsaved_until_marked(viewer, layers, ball_study: Study, qtbot: QtBot):
    layers.show_case(ball_study, "c")
    assert not layers.is_unsaved
    with qtbot.waitSignal(layers.labels_painted) as painted:
        paint(find(viewer, "Labels"), (5, 10, 8))
    assert painted.args == ["c"]
    assert layers.is_unsaved
    layers.mark_saved()
    assert not layers.is_unsaved


def test_undo_and_redo_are_told_even_when_the_layer_is_hidden(viewer, layers, ball_study: Study, qtbot: QtBot):
    layers.show_case(ball_study, "c")
    labels = find(viewer, "Labels")
    with qtbot.waitSignal(layers.labels_painted):
        paint(labels, (5, 10, 8))
    painted = layers.labels_array().copy()
    labels.visible = False
    for step, expected in ((labels.undo, np.zeros_like(painted)), (labels.redo, painted)):
        layers.mark_saved()
        with qtbot.waitSignal(layers.labels_painted):
            step()
        assert layers.is_unsaved
        np.testing.assert_array_equal(layers.labels_array(), expected)


def test_unsaved_labels_are_offered_before_another_case_comes(viewer, layers, ball_study: Study, qtbot: QtBot):
    left = []
    layers.case_left.connect(lambda case, labels: left.append((case, labels.copy())))
    layers.show_case(ball_study, "c")
    layers.show_case(ball_study, "d")
    assert left == []  # nothing was painted, nothing is saved, the case stays unlabeled
    paint(find(viewer, "Labels"), (5, 10, 8), 2)
    layers.show_case(ball_study, "a")
    ((case, labels),) = left
    assert case == "d"
    assert labels[5, 10, 8] == 2
    assert layers.case == "a"
    assert len(viewer.layers) == 3


def test_an_unreadable_scan_leaves_what_is_on_view(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    paint(find(viewer, "Labels"), (5, 10, 8))
    ball_study.case("b").scan.write_bytes(b"\x1f\x8b broken")
    with pytest.raises(VolumeError):
        layers.show_case(ball_study, "b")
    assert layers.case == "a"
    assert layers.is_unsaved
    assert find(viewer, "Labels").data[5, 10, 8] == 1


def test_a_case_is_found_as_it_was_left(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    image = find(viewer, "a")
    assert isinstance(image, Image)
    image.contrast_limits = (50, 150)
    viewer.dims.set_current_step(0, 3)
    camera_of(viewer).zoom = 7.5
    camera_of(viewer).center = (0.0, 25.0, 4.0)
    layers.show_case(ball_study, "b")
    viewer.dims.set_current_step(0, 9)
    camera_of(viewer).zoom = 2.0
    layers.show_case(ball_study, "a")
    assert viewer.dims.current_step[0] == 3
    assert camera_of(viewer).zoom == 7.5
    assert tuple(camera_of(viewer).center)[1:] == (25.0, 4.0)
    assert tuple(find(viewer, "a").contrast_limits) == (50, 150)


def test_brush_and_plane_stay_from_case_to_case(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    viewer.dims.order = (1, 0, 2)
    labels = find(viewer, "Labels")
    labels.mode, labels.brush_size, labels.selected_label = "paint", 3, 2
    layers.set_opacity(0.3)
    layers.show_case(ball_study, "b")
    labels = find(viewer, "Labels")
    assert (str(labels.mode), labels.brush_size, labels.selected_label) == ("paint", 3, 2)
    assert tuple(viewer.dims.order) == (1, 0, 2)
    assert find(viewer, "Mask").opacity == 0.3


def test_a_preview_changes_its_box_only(viewer, layers, ball_study: Study, tmp_path: Path):
    layers.show_case(ball_study, "a")
    mask = np.ones(SHAPE, np.uint8)
    assert layers.update_overlay(preview(tmp_path, mask, None))
    assert layers.mask_array().all()  # the first one is copied as a whole, whatever its box
    box = ((2, 5), (0, 20), (3, 4))
    assert layers.update_overlay(preview(tmp_path, 2 * mask, box))
    expected = mask.copy()
    expected[2:5, 0:20, 3:4] = 2
    np.testing.assert_array_equal(layers.mask_array(), expected)


def test_a_mask_from_elsewhere_is_replaced_as_a_whole_by_the_next_preview(viewer, layers, ball_study: Study, tmp_path: Path):
    layers.show_case(ball_study, "a")
    layers.update_overlay(preview(tmp_path, np.zeros(SHAPE, np.uint8), None))
    layers.set_mask(np.full(SHAPE, 2, np.uint8))
    layers.update_overlay(preview(tmp_path, np.zeros(SHAPE, np.uint8), ((0, 1), (0, 1), (0, 1))))
    assert not layers.mask_array().any()


@pytest.mark.parametrize("damage", ["missing", "truncated", "other shape", "objects"])
def test_a_preview_that_is_no_mask_of_this_case_changes_nothing(viewer, layers, ball_study: Study, tmp_path: Path, damage: str):
    layers.show_case(ball_study, "a")
    event = preview(tmp_path, np.ones(SHAPE, np.uint8), None)
    path = Path(event.path)
    match damage:
        case "missing":
            path.unlink()
        case "truncated":
            path.write_bytes(path.read_bytes()[:-100])
        case "other shape":
            np.save(path, np.ones((2, 2, 2), np.uint8))
        case "objects":
            np.save(path, np.full(SHAPE, None), allow_pickle=True)
    assert not layers.update_overlay(event)
    assert not layers.mask_array().any()
    assert layers.update_overlay(preview(tmp_path, np.ones(SHAPE, np.uint8), ((0, 1), (0, 1), (0, 1))))
    assert layers.mask_array().all()


def test_previews_of_other_cases_are_ignored(viewer, layers, ball_study: Study, tmp_path: Path):
    assert not layers.update_overlay(preview(tmp_path, np.ones(SHAPE, np.uint8), None))
    layers.show_case(ball_study, "b")
    assert not layers.update_overlay(preview(tmp_path, np.ones(SHAPE, np.uint8), None, case="a"))
    assert not layers.mask_array().any()


@pytest.mark.parametrize("ndisplay", [2, 3])
def test_accepting_is_one_step_that_undo_takes_back(viewer, layers, ball_study: Study, qtbot: QtBot, ndisplay: int):
    layers.show_case(ball_study, "a")
    viewer.dims.ndisplay = ndisplay
    before = layers.labels_array().copy()
    mask = np.zeros(SHAPE, np.uint8)
    mask[4:8, 5:9, 3:12], mask[8:10] = 1, 2
    layers.set_mask(mask)
    with qtbot.waitSignal(layers.labels_painted):
        changed = layers.accept()
    assert changed == np.count_nonzero(before != mask)
    np.testing.assert_array_equal(layers.labels_array(), mask)
    find(viewer, "Labels").undo()
    np.testing.assert_array_equal(layers.labels_array(), before)


def test_accepting_one_class_in_a_box_leaves_the_rest(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "c")
    labels = layers.labels_array()
    labels[:, 0], labels[:, 1], labels[:, 2] = 1, 2, 255
    mask = np.zeros(SHAPE, np.uint8)
    mask[:, 1], mask[:, 2], mask[:, 3] = 1, 1, 2
    layers.set_mask(mask)
    layers.accept(1, ((6, 12), (0, 20), (0, 16)))
    assert layers.labels_array()[0, :4, 0].tolist() == [1, 2, 255, 0]  # outside the box
    assert layers.labels_array()[6, :4, 0].tolist() == [0, 1, 1, 0]


def test_accepting_keeps_painted_background_where_the_mask_agrees(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "c")
    layers.labels_array()[:2] = 255
    mask = np.zeros(SHAPE, np.uint8)
    mask[1:4] = 1
    layers.set_mask(mask)
    layers.accept()
    assert layers.labels_array()[:5, 0, 0].tolist() == [255, 1, 1, 1, 0]


def test_accepting_without_a_mask_takes_no_label_away(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    before = layers.labels_array().copy()
    assert layers.accept() == 0
    np.testing.assert_array_equal(layers.labels_array(), before)


def test_the_difference_follows_paint_and_mask(viewer, layers, ball_study: Study, qtbot: QtBot):
    layers.show_case(ball_study, "a")
    layers.mark("difference")
    shown = find(viewer, "Difference")
    np.testing.assert_array_equal(shown.data != 0, layers.labels_array() != 0)  # no mask yet: all labels are missing in it
    layers.set_mask(layers.labels_array().copy())
    assert not shown.data.any()
    empty = np.argwhere(layers.labels_array() == 0)[0]
    with qtbot.waitSignal(layers.labels_painted):
        paint(find(viewer, "Labels"), tuple(empty), 2)
    assert shown.data.any()
    layers.mark(None)
    assert len(viewer.layers) == 3


def test_the_changes_are_those_of_the_newest_mask_also_when_it_comes_in_parts(viewer, layers, ball_study: Study, tmp_path):
    layers.show_case(ball_study, "a")
    first = np.zeros_like(layers.labels_array())
    first[1:3, 2, 2] = 1
    layers.update_overlay(preview(tmp_path, first, None))
    layers.mark("changes")
    shown = find(viewer, "Changes")
    assert not shown.data.any()
    second = first.copy()
    second[1, 2, 2], second[2, 2, 2], second[5, 3, 3] = 0, 2, 1
    wanted = np.zeros_like(first)
    wanted[1, 2, 2], wanted[2, 2, 2], wanted[5, 3, 3] = ONLY_LABELS, OTHER_CLASS, ONLY_MASK
    layers.update_overlay(preview(tmp_path, second, ((1, 3), (2, 3), (2, 3)), step=2))
    layers.update_overlay(preview(tmp_path, second, ((5, 6), (3, 4), (3, 4)), step=2))
    np.testing.assert_array_equal(shown.data, wanted)
    layers.update_overlay(preview(tmp_path, second, None, step=3))
    assert not shown.data.any()


def test_the_slice_on_view_is_told_once_it_rests(viewer, layers, ball_study: Study, qtbot: QtBot):
    layers.show_case(ball_study, "a")
    told = []
    layers.view_changed.connect(lambda *view: told.append(view))
    with qtbot.waitSignal(layers.view_changed):
        for index in range(8):
            viewer.dims.set_current_step(0, index)
    assert told == [("a", 0, 7)]
    with qtbot.waitSignal(layers.view_changed) as moved:
        viewer.dims.order = (2, 0, 1)
        viewer.dims.set_current_step(2, 4)
    assert moved.args == ["a", 2, 4]


def test_the_head_is_up_in_coronal_and_sagittal_slices_and_nothing_is_mirrored_in_3d(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    assert camera_of(viewer).orientation2d[0] == "down"  # axial: anterior up
    viewer.dims.order = (1, 0, 2)
    assert camera_of(viewer).orientation2d[0] == "up"
    viewer.dims.ndisplay = 3
    # Superior, Posterior, Left is a left-handed order of axes: drawn right-handed the patient would be mirrored.
    assert str(camera_of(viewer).handedness) == "left"


def test_the_mask_is_a_contour_in_2d_only(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    assert find(viewer, "Mask").contour == CONTOUR_WIDTH
    viewer.dims.ndisplay = 3
    assert find(viewer, "Mask").contour == 0
    viewer.dims.ndisplay = 2
    assert find(viewer, "Mask").contour == CONTOUR_WIDTH


def test_layers_deleted_by_hand_lose_nothing(viewer, layers, ball_study: Study):
    left = []
    layers.case_left.connect(lambda case, labels: left.append(labels[5, 10, 8]))
    layers.show_case(ball_study, "c")
    paint(find(viewer, "Labels"), (5, 10, 8), 2)
    viewer.layers.clear()
    layers.show_case(ball_study, "d")
    assert left == [2]
    assert len(viewer.layers) == 3


def test_the_layers_of_a_case_hold_the_next_one_and_nothing_of_the_former(viewer, layers, ball_study: Study):
    layers.show_case(ball_study, "a")
    before = list(viewer.layers)
    paint(find(viewer, "Labels"), (6, 10, 8), 2)
    layers.set_mask(np.ones(SHAPE, np.uint8))
    layers.mark_saved()
    layers.show_case(ball_study, "b")
    assert list(viewer.layers) == before
    assert [layer.name for layer in before] == ["b", "Labels – b", "Mask – b"]  # noqa: RUF001
    np.testing.assert_array_equal(before[0].data, ball_study.read_scan("b").array)
    np.testing.assert_array_equal(layers.labels_array(), ball_study.read_labels("b"))
    assert not layers.mask_array().any()
    assert not find(viewer, "Mask").editable
    assert {layer.metadata["cvrl_case"] for layer in before} == {"b"}
    find(viewer, "Labels").undo()  # a stroke on a must not come back on b
    np.testing.assert_array_equal(layers.labels_array(), ball_study.read_labels("b"))


def test_images_of_another_number_type_get_layers_of_their_own(viewer, layers, tmp_path, ball_study: Study):
    scan = ball_study.read_scan("a")
    layers.show_case(ball_study, "a")
    before = list(viewer.layers)
    layers.show_case(ball_study, "b", scan=scan.with_array((scan.array > 100).astype(np.uint8)))
    assert not set(before) & set(viewer.layers)
    assert [layer.name for layer in viewer.layers] == ["b", "Labels – b", "Mask – b"]  # noqa: RUF001
