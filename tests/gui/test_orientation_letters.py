"""Letters on the edges: by hand for every axis, and in each plane of a viewer whose axes are turned."""

from itertools import permutations

import numpy as np
import pytest
from napari.components import ViewerModel

from cvrl_napari.gui.case_view import camera_of, turn_head_up
from cvrl_napari.gui.orientation_letters import OrientationLetters, edge_letters, letters_towards
from cvrl_napari.gui.placement import placement, provenance
from cvrl_napari.gui.readers import read_layers
from cvrl_napari.volumes.volume import Volume

CANONICAL = np.array([[0, 0, -1.0, 0], [0, -2.0, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def letters(viewer):
    made = OrientationLetters(viewer)
    yield made
    made.close()


def add(viewer, affine, tmp_path, name="scan"):
    volume = Volume(np.zeros((4, 5, 6), np.uint8), affine)
    return viewer.add_image(volume.array, name=name, metadata=provenance(volume, tmp_path / name), **placement(volume))


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ((1, 0, 0), "R"),
        ((-2, 0, 0), "L"),
        ((0, 1, 0.1), "A"),
        ((0, -3, 0), "P"),
        ((0, 0, 0.5), "S"),
        ((0.1, 0, -1), "I"),
        ((-0.8, -0.6, 0), "LP"),
        ((0.6, -0.8, 0), "PR"),
        ((0.1, 0.45, 0.9), "SA"),
    ],
)
def test_a_direction_has_its_letters(direction, expected):
    assert letters_towards(direction) == expected


def test_the_edges_of_an_axial_slice_by_hand():
    assert edge_letters(CANONICAL, (1, 2)) == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    assert edge_letters(CANONICAL, (0, 2), ("up", "right")) == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    assert edge_letters(CANONICAL, (1, 2), ("up", "left")) == {"top": "P", "bottom": "A", "left": "L", "right": "R"}


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_letters_follow_the_axes_in_every_order(viewer, letters, tmp_path, order):
    add(viewer, CANONICAL, tmp_path)
    viewer.dims.order = order
    turn_head_up(viewer)
    shown = letters.shown
    vertical, horizontal = ("SI", "PA", "LR")[order[1]], ("SI", "PA", "LR")[order[2]]
    # The head is always up, the nose is when the head is not to be seen; what runs along the rows runs to the right.
    down = vertical[::-1] if order[1] == 0 else vertical
    assert (shown["bottom"], shown["top"]) == tuple(down)
    assert (shown["right"], shown["left"]) == tuple(horizontal)


def test_transposing_rolling_and_turning_are_followed_and_3d_has_none(viewer, letters, tmp_path):
    add(viewer, CANONICAL, tmp_path)
    assert letters.shown == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    viewer.dims.transpose()
    assert letters.shown == {"top": "R", "bottom": "L", "left": "A", "right": "P"}
    viewer.dims.transpose()
    viewer.dims.roll()
    assert set(letters.shown.values()) == {"S", "I", "A", "P"}
    camera_of(viewer).orientation2d = ("up", "left")
    upside_down = letters.shown
    camera_of(viewer).orientation2d = ("down", "right")
    assert letters.shown["top"] == upside_down["bottom"]
    assert letters.shown["left"] == upside_down["right"]
    viewer.dims.ndisplay = 3
    assert letters.shown == {}
    viewer.dims.ndisplay = 2
    assert len(letters.shown) == 4


def test_an_oblique_scan_has_two_letters_where_it_leans(viewer, letters, tmp_path):
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0, 0], [np.sin(angle), np.cos(angle), 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    add(viewer, CANONICAL, tmp_path, "straight")
    add(viewer, turn @ CANONICAL, tmp_path, "oblique")
    assert letters.shown == {"top": "AL", "bottom": "PR", "left": "RA", "right": "LP"}
    viewer.layers.selection.active = viewer.layers["straight"]
    assert letters.shown == {"top": "A", "bottom": "P", "left": "R", "right": "L"}


def test_only_layers_that_know_have_letters(viewer, letters, tmp_path):
    viewer.add_image(np.zeros((4, 5, 6)))
    assert letters.shown == {}
    ours = add(viewer, CANONICAL, tmp_path)
    viewer.add_image(np.zeros((4, 5, 6)), name="another")
    assert letters.shown
    viewer.layers.remove(ours)
    assert letters.shown == {}


def test_a_time_axis_on_view_has_no_letters(viewer, letters, tmp_path):
    add(viewer, CANONICAL, tmp_path)
    viewer.add_image(np.zeros((3, 4, 5, 6)))
    viewer.layers.selection.active = viewer.layers["scan"]
    assert letters.shown == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    viewer.dims.order = (1, 2, 0, 3)
    assert letters.shown == {}


def test_every_axis_order_of_a_real_brain_opens_the_same_way_up(viewer, letters, shared_data):
    paths = sorted((shared_data / "clinical" / "orientations").glob("*.nii*"))[::5]
    assert paths
    for path in paths:
        ((array, about, _),) = read_layers(str(path))
        viewer.add_image(array, **about)
        assert letters.shown == {"top": "A", "bottom": "P", "left": "R", "right": "L"}, path.name
        viewer.layers.clear()


def test_closing_takes_them_off_the_canvas(viewer, tmp_path):
    before = set(viewer.canvas.overlays)
    made = OrientationLetters(viewer)
    add(viewer, CANONICAL, tmp_path)
    assert set(viewer.canvas.overlays) - before
    made.close()
    assert set(viewer.canvas.overlays) == before
    viewer.dims.transpose()
    assert made.shown == {}
