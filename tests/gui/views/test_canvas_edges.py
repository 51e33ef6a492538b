"""The edges of the canvas in each plane of a viewer whose axes are turned: letters and scale bar, and what they cost."""

from itertools import permutations

import numpy as np
import pytest
from napari.components import ViewerModel
from vispy.color import Color

from cvrl_napari.gui.case_view import camera_of, turn_head_up
from cvrl_napari.gui.orientation_letters import COLOR
from cvrl_napari.gui.placement import placement, provenance
from cvrl_napari.gui.readers import read_layers
from cvrl_napari.gui.views.canvas_edges import CanvasEdges
from cvrl_napari.gui.views.canvas_pictures import PicturesVisual
from cvrl_napari.gui.views.plane_drawing import BAR_LENGTHS_MM, BAR_SHARE
from cvrl_napari.volumes.volume import Volume

from .conftest import canvas_of, settle

CANONICAL = np.array([[0, 0, -1.0, 0], [0, -2.0, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])


@pytest.fixture
def viewer(qapp) -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def edges(viewer):
    made = CanvasEdges(viewer)
    yield made
    made.close()


def add(viewer, affine, tmp_path, name="scan"):
    volume = Volume(np.zeros((4, 5, 6), np.uint8), affine)
    return viewer.add_image(volume.array, name=name, metadata=provenance(volume, tmp_path / name), **placement(volume))


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_letters_follow_the_axes_in_every_order(viewer, edges, tmp_path, order):
    add(viewer, CANONICAL, tmp_path)
    viewer.dims.order = order
    turn_head_up(viewer)
    shown = edges.letters
    vertical, horizontal = ("SI", "PA", "LR")[order[1]], ("SI", "PA", "LR")[order[2]]
    # The head is always up, the nose is when the head is not to be seen; what runs along the rows runs to the right.
    down = vertical[::-1] if order[1] == 0 else vertical
    assert (shown["bottom"], shown["top"]) == tuple(down)
    assert (shown["right"], shown["left"]) == tuple(horizontal)


def test_transposing_rolling_and_turning_are_followed_and_3d_has_none(viewer, edges, tmp_path):
    add(viewer, CANONICAL, tmp_path)
    assert edges.letters == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    viewer.dims.transpose()
    assert edges.letters == {"top": "R", "bottom": "L", "left": "A", "right": "P"}
    viewer.dims.transpose()
    viewer.dims.roll()
    assert set(edges.letters.values()) == {"S", "I", "A", "P"}
    camera_of(viewer).orientation2d = ("up", "left")
    upside_down = edges.letters
    camera_of(viewer).orientation2d = ("down", "right")
    assert edges.letters["top"] == upside_down["bottom"]
    assert edges.letters["left"] == upside_down["right"]
    viewer.dims.ndisplay = 3
    assert edges.letters == {}
    viewer.dims.ndisplay = 2
    assert len(edges.letters) == 4


def test_an_oblique_scan_has_two_letters_where_it_leans(viewer, edges, tmp_path):
    angle = np.deg2rad(30)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0, 0], [np.sin(angle), np.cos(angle), 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    add(viewer, CANONICAL, tmp_path, "straight")
    add(viewer, turn @ CANONICAL, tmp_path, "oblique")
    assert edges.letters == {"top": "AL", "bottom": "PR", "left": "RA", "right": "LP"}
    viewer.layers.selection.active = viewer.layers["straight"]
    assert edges.letters == {"top": "A", "bottom": "P", "left": "R", "right": "L"}


def test_only_layers_that_know_have_letters(viewer, edges, tmp_path):
    viewer.add_image(np.zeros((4, 5, 6)))
    assert edges.letters == {}
    ours = add(viewer, CANONICAL, tmp_path)
    viewer.add_image(np.zeros((4, 5, 6)), name="another")
    assert edges.letters
    viewer.layers.remove(ours)
    assert edges.letters == {}


def test_a_time_axis_on_view_has_no_letters(viewer, edges, tmp_path):
    add(viewer, CANONICAL, tmp_path)
    viewer.add_image(np.zeros((3, 4, 5, 6)))
    viewer.layers.selection.active = viewer.layers["scan"]
    assert edges.letters == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    viewer.dims.order = (1, 2, 0, 3)
    assert edges.letters == {}


def test_every_axis_order_of_a_real_brain_opens_the_same_way_up(viewer, edges, shared_data):
    paths = sorted((shared_data / "clinical" / "orientations").glob("*.nii*"))[::5]
    assert paths
    for path in paths:
        ((array, about, _),) = read_layers(str(path))
        viewer.add_image(array, **about)
        assert edges.letters == {"top": "A", "bottom": "P", "left": "R", "right": "L"}, path.name
        viewer.layers.clear()


def test_closing_takes_them_off_the_canvas(viewer, tmp_path):
    before = set(viewer.canvas.overlays)
    made = CanvasEdges(viewer)
    add(viewer, CANONICAL, tmp_path)
    assert set(viewer.canvas.overlays) - before
    made.close()
    assert set(viewer.canvas.overlays) == before
    viewer.dims.transpose()
    assert made.letters == {}


def test_the_bar_is_there_in_3d_too_and_gives_way_to_napari_s(viewer, edges, tmp_path):
    assert not edges.has_bar
    add(viewer, CANONICAL, tmp_path)
    assert edges.has_bar
    viewer.dims.ndisplay = 3
    assert edges.has_bar
    viewer.canvas.overlays["scale_bar"].visible = True
    assert not edges.has_bar
    viewer.canvas.overlays["scale_bar"].visible = False
    assert edges.has_bar


def yellow(picture: np.ndarray) -> np.ndarray:
    """Return where a picture (height, width, 4) has the colour of the letters."""
    wanted = np.array(Color(COLOR).RGB, int)
    return np.abs(picture[..., :3].astype(int) - wanted).max(axis=-1) < 60


@pytest.mark.gui
def test_they_are_drawn_in_the_middle_of_each_edge_and_follow_a_resize_and_the_zoom(window):
    viewer, _dock = window
    for layer in viewer.layers:
        layer.visible = False
    for size in ((1100, 700), (1301, 803)):
        viewer.window.resize(*size)
        settle()
        canvas = canvas_of(viewer)
        seen = yellow(viewer.screenshot(canvas_only=True, flash=False))
        assert seen.shape == (canvas.height(), canvas.width())
        height, width = seen.shape
        y, x = height // 2, width // 2
        for rows, columns in (
            (slice(0, 30), slice(x - 20, x + 20)),
            (slice(height - 30, height), slice(x - 20, x + 20)),
            (slice(y - 15, y + 15), slice(0, 30)),
            (slice(y - 15, y + 15), slice(width - 30, width)),
        ):
            assert 15 < seen[rows, columns].sum() < 400
        assert not seen[40 : y - 40, 40 : x - 40].any()

    def bar() -> int:
        return int(yellow(viewer.screenshot(canvas_only=True, flash=False))[-14:-5].sum(axis=1).max())

    millimeters_per_pixel = 1 / camera_of(viewer).zoom
    fitting = [length for length in BAR_LENGTHS_MM if length / millimeters_per_pixel <= BAR_SHARE * width]
    assert bar() == pytest.approx(fitting[-1] / millimeters_per_pixel, abs=6)  # and its rim
    camera_of(viewer).zoom *= 1.2
    settle()
    fitting = [length for length in BAR_LENGTHS_MM if length * camera_of(viewer).zoom <= BAR_SHARE * width]
    assert bar() == pytest.approx(fitting[-1] * camera_of(viewer).zoom, abs=6)  # and its rim


@pytest.mark.gui
def test_a_move_of_the_brush_paints_none_of_them_anew(window, monkeypatch):
    viewer, dock = window
    dock.session.paint_with(1)
    settle()
    painted = []
    monkeypatch.setattr(PicturesVisual, "show", lambda *_: painted.append(1))
    circle = viewer.canvas.overlays["_brush_circle"]
    for step in range(3):
        circle.position = (100 + step, 90)
        settle()
    assert painted == []
    camera_of(viewer).zoom *= 1.2
    assert painted, "this test sees no painting at all"
