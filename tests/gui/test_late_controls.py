"""A layer of ours is napari's own in all but when its controls are made."""

import napari.layers
import numpy as np
import pytest
from napari._qt.layer_controls.qt_layer_controls_base import QtLayerControls
from napari._qt.layer_controls.qt_layer_controls_container import layer_to_controls
from qtpy.QtWidgets import QApplication, QSlider

from cvrl_napari.gui.late_controls import Image, Labels, LateControls

pytestmark = pytest.mark.gui

CUBE = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def panel(viewer):
    return viewer.window._qt_viewer.controls


def made_for(viewer, layer) -> list[QtLayerControls]:
    return panel(viewer).widgets[layer].findChildren(QtLayerControls)


@pytest.mark.parametrize("kind", [Image, Labels])
def test_controls_are_made_when_the_layer_is_selected(make_napari_viewer, kind):
    viewer = make_napari_viewer(show=True)
    viewer.add_labels(CUBE.astype(int), name="selected")
    layer = kind(CUBE, name="other")
    with viewer.layers.selection.events.blocker_all():
        viewer.add_layer(layer)
        viewer.layers.selection.active = viewer.layers["selected"]
    settle()
    assert not made_for(viewer, layer)
    viewer.layers.selection.active = layer
    settle()
    (controls,) = made_for(viewer, layer)
    assert type(controls) is layer_to_controls[kind.__mro__[1]], "those that napari makes for its own"
    assert panel(viewer).currentWidget().isAncestorOf(controls)
    assert controls.isVisible()
    assert any(slider.isVisible() for slider in controls.findChildren(QSlider))
    layer.opacity = 0.25
    assert controls._opacity_blending_controls.opacity_slider.value() == 0.25
    viewer.layers.selection.active = viewer.layers["selected"]
    viewer.layers.selection.active = layer
    settle()
    assert made_for(viewer, layer) == [controls], "they are made once"


@pytest.mark.parametrize("kind", [Image, Labels])
def test_its_panel_looks_like_naparis_own(make_napari_viewer, kind):
    viewer = make_napari_viewer(show=True)
    grounds = []
    for layer in (kind.__mro__[1](CUBE), kind(CUBE)):
        viewer.add_layer(layer)
        settle()
        seen = panel(viewer).grab().toImage()
        places = [(0.02, 0.5), (0.5, 0.02), (0.98, 0.5), (0.3, 0.985), (0.05, 0.05), (0.12, 0.97)]
        grounds.append([seen.pixelColor(int(x * seen.width()), int(y * seen.height())).name() for x, y in places])
    assert grounds[0] == grounds[1]


@pytest.mark.parametrize("is_seen", [False, True])
def test_controls_follow_the_canvas_to_three_dimensions(make_napari_viewer, is_seen):
    viewer = make_napari_viewer(show=True)
    layer = Labels(CUBE)
    viewer.add_layer(layer)
    if not is_seen:
        viewer.add_image(CUBE)
    settle()
    viewer.dims.ndisplay = 3
    viewer.layers.selection.active = layer
    settle()
    assert [one.ndisplay for one in made_for(viewer, layer)] == [3]
    viewer.dims.ndisplay = 2
    assert [one.ndisplay for one in made_for(viewer, layer)] == [2]
    viewer.theme = "light"


@pytest.mark.parametrize("is_seen", [False, True])
def test_a_layer_goes_with_its_controls(make_napari_viewer, qtbot, is_seen):
    viewer = make_napari_viewer(show=True)
    layer = Image(CUBE)
    viewer.add_layer(layer)
    if is_seen:
        settle()
    assert panel(viewer).findChildren(LateControls)
    viewer.layers.remove(layer)
    layer.opacity = 0.5  # nobody listens who is gone
    qtbot.waitUntil(lambda: not panel(viewer).findChildren(LateControls) + panel(viewer).findChildren(QtLayerControls))


@pytest.mark.parametrize("kind", [Image, Labels])
def test_napari_takes_it_for_its_own(make_napari_viewer, kind, tmp_path):
    own = kind.__mro__[1]
    assert own in (napari.layers.Image, napari.layers.Labels)
    viewer = make_napari_viewer()
    ours, theirs = kind(CUBE), own(CUBE)
    assert ours.as_layer_data_tuple()[2] == theirs.as_layer_data_tuple()[2] == kind.__name__.lower()
    assert (ours.name, str(ours)) == (theirs.name, str(theirs))
    viewer.add_layer(ours)
    path = tmp_path / "cube.tif"
    assert ours.save(str(path)) == [str(path)]
    (again,) = viewer.open(path, layer_type=kind.__name__.lower())
    np.testing.assert_array_equal(again.data, CUBE)


def test_without_naparis_table_of_controls_they_are_made_at_once(make_napari_viewer):
    viewer = make_napari_viewer()
    kept = layer_to_controls.pop(Image)
    try:
        layer = Image(CUBE)
        viewer.add_layer(layer)
        assert type(panel(viewer).widgets[layer]) is layer_to_controls[napari.layers.Image]
    finally:
        layer_to_controls[Image] = kept
