"""Tools in a real napari window: buttons, keys, and what the panel shows."""

import numpy as np
import pytest
from app_model.types import KeyBinding
from napari.layers import Image, Labels
from napari.utils.shortcuts import default_shortcuts
from pytestqt.qtbot import QtBot

from cvrl_napari.editing.statistics import LabelStatistics
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.tools_panel import statistics_line

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(make_napari_viewer, ball_study, qtbot: QtBot):
    folder = ball_study.folder
    ball_study.close()
    viewer = make_napari_viewer(show=True)
    made = CvrlDock(viewer)
    viewer.window.add_dock_widget(made, name="CVRL", area="right")
    with qtbot.waitSignal(made.session.case_opened, timeout=20_000):
        made.open_folders([folder])
    yield made
    made.shut_down()


def press(dock: CvrlDock, key: str) -> None:
    """Do what napari does when a key is pressed with the labels layer selected."""
    layer = dock.session.layers.shown.labels
    layer.keymap[KeyBinding.from_str(key.replace("-", "+"))](layer)


def test_a_pressed_button_works_in_the_background_and_tells(dock, qtbot: QtBot):
    labels = dock.session.layers.labels_array()
    labels[2, 4:14, 4:12] = labels[9, 6:12, 5:11] = 1
    dock.tools.expand(animate=False)
    shown = []
    dock.tool_box.tools.working.connect(lambda _: shown.append(dock.tools_panel.cancel.isVisibleTo(dock.tools_panel)))
    with qtbot.waitSignal(dock.tool_box.tools.told, timeout=10_000) as told:
        dock.tools_panel.buttons["Interpolate"].click()
    assert shown == [True, False]
    assert labels[5].any()
    assert dock.tools_panel.told.text() == told.args[0]
    assert not dock.tools_panel.cancel.isVisibleTo(dock.tools_panel)


def test_every_tool_has_a_key_on_the_labels_and_no_key_is_napari_s(dock):
    own = {binding for name, bindings in default_shortcuts.items() for binding in bindings if _is_for_labels(name)}
    own |= {KeyBinding.from_str(str(key)) for layer in (Labels, Image) for key in layer.class_keymap}
    for key in dock.tool_box.keys:
        assert KeyBinding.from_str(key.replace("-", "+")) not in own, key
        assert KeyBinding.from_str(key.replace("-", "+")) in dock.session.layers.shown.labels.keymap


def _is_for_labels(name: str) -> bool:
    others = ("points", "shape", "vectors", "tracks", "surface", "add_", "direct", "select", "vertex", "plane", "image")
    return not any(word in name for word in others) or "label" in name


def test_keys_turn_rules_of_the_brush_on_and_off(dock):
    brush, panel = dock.session.layers.brush, dock.tools_panel
    press(dock, "R")
    assert brush.grey_range == dock.tool_box.grey_range.limits
    panel.grey.low.setValue(150)
    assert brush.grey_range[0] == 150
    assert panel.grey.slider.value()[0] == 150
    press(dock, "R")
    assert brush.grey_range is None
    press(dock, "Shift-B")
    assert dock.session.layers.shown.labels.n_edit_dimensions == 3
    assert panel.ball.isChecked()
    press(dock, "W")
    assert brush.brings_mask
    assert dock.mask_panel.bring.isChecked()


def test_the_range_under_the_cursor_is_that_of_the_tissue(dock):
    layers = dock.session.layers
    scan = layers.scan_array()
    z, y, x = np.argwhere(scan > 200).mean(axis=0).astype(int)
    viewer = dock._viewer
    viewer.dims.set_point(range(3), layers.shown.image.data_to_world((z, y, x)))
    viewer.cursor.position = tuple(layers.shown.image.data_to_world((z, y, x)))
    layers.shown.labels.brush_size = 1
    press(dock, "T")
    low, high = layers.brush.grey_range
    assert low < 300 < high
    assert 150 < low < high < 450
    assert dock.tools_panel.grey.switch.isChecked()


def test_another_case_starts_without_a_range(dock, qtbot: QtBot):
    press(dock, "R")
    with qtbot.waitSignal(dock.session.case_opened, timeout=20_000):
        dock.study_panel.step(1)
    assert dock.session.layers.brush.grey_range is None
    assert not dock.tools_panel.grey.switch.isChecked()


def test_the_brush_is_shown_in_mm(dock):
    dock.session.layers.shown.labels.brush_size = 5
    assert dock.tools_panel.brush_size.text() == "brush 5 = 7.5 mm"  # 1.5 mm voxels in the axial plane


def test_statistics_are_said_in_words():
    found = LabelStatistics(1234, 1.5, 301.26, 20.1, 250, 390, (30.0, 20.5, 10.25), (10, 20, 30))
    assert statistics_line(found) == (
        "1,234 voxels = 1.5 ml, 30 x 20.5 x 10.25 mm (z, y, x), 10 axial slices; grey value 301.3 ± 20.1, 250 to 390"
    )
