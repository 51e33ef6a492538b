"""From the scan to the scatter: classes, places, the map and the mouse choose or mark exactly their own points."""

from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.gui.embeddings.coloring import KINDS
from cvrl_napari.gui.embeddings.from_scan import NONE_DRAWN

pytestmark = pytest.mark.gui


def labels_layer(viewer):
    return next(one for one in viewer.layers if one.name.startswith("Labels"))


def image_layer(viewer):
    return next(one for one in viewer.layers if one.name == "c")


def choose(dock, words: str) -> None:
    """Take what a menu offers."""
    dock.scatter._fill_choices()
    next(action for action in dock.scatter.choose_menu.actions() if action.text().startswith(words)).trigger()


def test_the_class_chosen_in_the_main_dock_is_marked_in_the_scatter(dock, main_dock):
    dock.scatter.kind.setCurrentIndex(list(KINDS).index("predicted"))
    drawn = []
    for class_id in (1, 2):
        main_dock.session.select_class(class_id)
        order, predicted = dock.scatter.plot._order, dock.cloud.sample.predicted
        count = int((predicted == class_id).sum())
        assert (predicted[order[len(order) - count :]] == class_id).all(), "drawn above the others"
        drawn.append(dock.scatter.paint_button.text())
    assert drawn[0] != drawn[1]


def test_the_points_of_a_class_are_chosen(dock, main_dock, viewer, qtbot):
    sample = dock.cloud.sample
    main_dock.session.select_class(2)
    choose(dock, "Predicted as shell")
    np.testing.assert_array_equal(dock.selection.chosen, sample.predicted == 2)
    with qtbot.waitSignal(dock.cloud.recolored):
        labels_layer(viewer).data_setitem(tuple(sample.voxels[[3, 5]].T), np.uint8([2, 2]))
    choose(dock, "Painted as shell")
    assert np.flatnonzero(dock.selection.chosen).tolist() == [3, 5]
    main_dock.session.select_class(1)
    choose(dock, "Painted as")
    assert not dock.selection.chosen.any()
    assert dock.status.text() == NONE_DRAWN


def test_the_points_of_the_map_are_chosen(dock, qtbot):
    choose(dock, "In the map")
    assert not dock.selection.chosen.any(), "there is no map yet"
    tool, sample = dock.similarity, dock.cloud.sample
    dock.similar.button.click()
    qtbot.waitUntil(lambda: tool._embeddings is not None)
    tool._pointed = (3, 4, 5)
    with qtbot.waitSignal(tool.changed, check_params_cb=lambda: tool.has_map):
        tool.compare_whole()
    dock.similar.threshold.setValue(0.4)
    choose(dock, "In the map")
    similar = tool._map[tuple(tool._embeddings.cell_of(sample.voxels).T)]
    np.testing.assert_array_equal(dock.selection.chosen, similar >= 0.4)
    assert 0 < dock.selection.chosen.sum() < len(sample)


def test_the_points_on_the_canvas_are_chosen(dock, viewer):
    sample, scan = dock.cloud.sample, image_layer(viewer)
    viewer.dims.set_point(range(3), scan.data_to_world((9, 0, 0)))
    scan.corner_pixels = np.array([[0, 4, 2], [0, 13, 9]])  # what napari sets when it draws
    choose(dock, "On the canvas")
    z, y, x = sample.voxels.T
    depth = dock.computed.loaded["c"].scale[0]
    expected = ((z + 0.5) // depth == 9.5 // depth) & (y >= 4) & (y <= 13) & (x >= 2) & (x <= 9)
    np.testing.assert_array_equal(dock.selection.chosen, expected)
    assert expected.any()
    viewer.dims.order = (2, 0, 1)
    viewer.dims.set_point(range(3), scan.data_to_world((0, 0, 7)))
    scan.corner_pixels = np.array([[2, 4, 0], [11, 13, 0]])
    choose(dock, "On the canvas")
    width = dock.computed.loaded["c"].scale[2]
    expected = ((x + 0.5) // width == 7.5 // width) & (y >= 4) & (y <= 13) & (z >= 2) & (z <= 11)
    np.testing.assert_array_equal(dock.selection.chosen, expected)


def test_the_voxel_under_the_mouse_is_ringed_in_the_scatter_while_it_is_seen(dock, viewer, model, qtbot):
    def move_to(voxel) -> None:
        event = SimpleNamespace(position=image_layer(viewer).data_to_world(voxel))
        with qtbot.waitSignal(dock.under_mouse.moved):
            dock.under_mouse._on_move(viewer, event)

    assert dock.under_mouse._on_move in viewer.mouse_move_callbacks
    computed = load_embeddings(dock.scatter._session.study, model, "c")
    move_to((7, 9, 4))
    row = computed.features[tuple(computed.cell_of(np.array((7, 9, 4))))]
    ring = dock.scatter.plot._ring
    np.testing.assert_allclose(np.ravel(ring.getData()), dock.cloud.projection.transform(row[None])[0], rtol=1e-5)
    move_to((7, 9, 400))
    assert len(ring.getData()[0]) == 0
    move_to((7, 9, 4))
    dock.tabs.setCurrentIndex(1)
    assert dock.under_mouse._on_move not in viewer.mouse_move_callbacks
    assert len(ring.getData()[0]) == 0


def test_a_case_of_the_chosen_points_is_put_on_the_list_of_those_to_look_at(dock, main_dock, qtbot):
    study, button = main_dock.session.study, dock.scatter.look_button
    assert not button.isEnabled()
    with qtbot.waitSignal(dock.cloud.changed):
        dock.computed.choose(scope="labeled")
    dock.selection.choose(np.ones(len(dock.cloud.sample), bool))
    dock.scatter.cases.setCurrentRow(1)
    case = dock.selection.cases()[1][0]
    assert case in button.toolTip()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert [one.id for one in study.cases if one.needs_look] == [case]
    assert button.isChecked()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not study.case(case).needs_look
