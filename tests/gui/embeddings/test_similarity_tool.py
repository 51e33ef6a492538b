"""The similarity tool: what lies under the mouse is compared, shown in place, painted, and looked for elsewhere."""

from types import SimpleNamespace

import numpy as np
import pytest

from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.engine.similarity import find_similar, query_of, to_scan_grid
from cvrl_napari.gui.embeddings.feature_layer import LAYER as COLORS
from cvrl_napari.gui.embeddings.similarity import LAYER, Similarity

pytestmark = pytest.mark.gui


def layer(viewer, name: str):
    return next((one for one in viewer.layers if one.name == name), None)


def labels_layer(viewer):
    return next(one for one in viewer.layers if one.name.startswith("Labels"))


@pytest.fixture
def tool(dock, viewer, qtbot):
    """The tool on, the features of 'c' at hand, axial slices on view."""
    with qtbot.waitSignal(dock.similarity.changed):
        dock.similar.button.click()
    qtbot.waitUntil(lambda: dock.similarity._embeddings is not None)
    return dock.similarity


def move_to(viewer, voxel) -> SimpleNamespace:
    """Move the mouse over a voxel of the scan on view, as the canvas tells it."""
    viewer.dims.set_point(range(3), layer(viewer, "c").data_to_world(voxel))
    event = SimpleNamespace(position=layer(viewer, "c").data_to_world(voxel), type="mouse_move")
    next(one for one in viewer.mouse_move_callbacks if getattr(one, "__self__", None).__class__ is Similarity)(viewer, event)
    return event


def click_on(viewer, tool, voxel, qtbot) -> None:
    event = move_to(viewer, voxel)
    event.type = "mouse_press"
    press = tool._on_press(viewer, event)
    next(press)
    event.type = "mouse_release"
    with qtbot.waitSignal(tool.changed, check_params_cb=lambda: tool.has_map):
        next(press, None)
    qtbot.waitUntil(lambda: not tool._overlays.is_busy)


def test_moving_shows_the_slice_and_only_the_slice(dock, tool, viewer, model, qtbot):
    with qtbot.waitSignal(tool.changed):
        move_to(viewer, (7, 9, 4))
    qtbot.waitUntil(lambda: not dock.overlays.is_busy)
    computed = load_embeddings(dock.scatter._session.study, model, "c")
    cell = computed.cell_of(np.array((7, 9, 4)))
    shown = layer(viewer, LAYER)
    expected = find_similar(computed, query_of(computed, cell[None]))
    np.testing.assert_allclose(shown.data[cell[0]], expected[cell[0]], atol=1e-6)
    assert (np.delete(shown.data, cell[0], axis=0) == -1).all()
    low, high = (np.array(shown.data_to_world(cell + side)) for side in (-0.5, 0.5))
    middle = np.array(layer(viewer, "c").data_to_world((7, 9, 4)))
    assert ((low <= middle + 1e-9) & (middle <= high + 1e-9)).all(), "the cell is drawn where the voxel lies"


def test_a_click_compares_everything_and_what_is_shown_can_be_painted(dock, tool, viewer, model, qtbot):
    click_on(viewer, tool, (7, 9, 4), qtbot)
    computed = load_embeddings(dock.scatter._session.study, model, "c")
    query = query_of(computed, computed.cell_of(np.array([(7, 9, 4)])))
    similar = find_similar(computed, query)
    np.testing.assert_allclose(layer(viewer, LAYER).data, similar, atol=1e-6)
    dock.similar.threshold.setValue(float(np.quantile(similar, 0.9)))
    assert layer(viewer, LAYER).contrast_limits[0] == pytest.approx(tool.threshold)
    labels_layer(viewer).data[0, 0, 0] = 2
    with qtbot.waitSignal(tool.confirmed) as confirmed:
        dock.similar.paint_button.click()
    labels = labels_layer(viewer).data
    on_scan = to_scan_grid(similar, computed, labels.shape, linear=True) >= tool.threshold
    on_scan[0, 0, 0] = False
    np.testing.assert_array_equal(labels == 1, on_scan)
    assert labels[0, 0, 0] == 2
    assert 0 < (labels == 1).mean() < 0.3
    assert f"{(labels == 1).sum():,} voxels of c" in confirmed.args[0]
    labels_layer(viewer).undo()
    assert not (labels_layer(viewer).data == 1).any()


def test_a_slice_asked_for_meanwhile_does_not_take_the_place_of_the_whole(dock, tool, viewer, qtbot):
    move_to(viewer, (7, 9, 4))
    tool._rest.stop()
    tool.compare_whole()
    move_to(viewer, (7, 12, 9))
    tool._rest.stop()
    with qtbot.waitSignal(tool.changed):
        tool._show_plane()  # behind the whole scan in the queue
    qtbot.waitUntil(lambda: not tool._comparing)
    assert tool.has_map
    assert (tool._map > -1).all()
    qtbot.waitUntil(lambda: not dock.overlays.is_busy)
    assert (layer(viewer, LAYER).data > -1).all()


def test_a_painted_class_is_compared_by_its_mean(dock, tool, viewer, qtbot):
    with qtbot.waitSignal(tool.noticed) as noticed:
        dock.similar.mean_button.click()
    assert "Nothing is painted" in noticed.args[0]
    labels_layer(viewer).data[6:9, 8:11, 3:6] = 1
    with qtbot.waitSignal(tool.changed, check_params_cb=lambda: tool.has_map):
        dock.similar.mean_button.click()
    qtbot.waitUntil(lambda: not dock.overlays.is_busy)
    shown = layer(viewer, LAYER).data
    cell = tool._embeddings.cell_of(np.array((7, 9, 4)))
    assert shown[tuple(cell)] > np.median(shown)


def test_the_unlabeled_scans_are_listed_by_their_best_match(dock, tool, viewer, qtbot):
    click_on(viewer, tool, (7, 9, 4), qtbot)
    with qtbot.waitSignals([tool.found, tool.noticed]):
        dock.similar.find_button.click()
    assert dock.similar.matches.count() == 1, "d is not computed"
    share = 100 * float((tool._map >= tool.threshold).mean())
    best = np.sort(tool._map.ravel())[-100:].mean()
    assert dock.similar.matches.item(0).text() == f"{best:.3f}  c  {share:.1f} % of it"
    assert "1 unlabeled scan is not computed yet" in dock.similar.notice.text()


def test_what_was_compared_with_is_looked_for_in_the_next_case(dock, tool, viewer, qtbot):
    click_on(viewer, tool, (7, 9, 4), qtbot)
    with qtbot.waitSignal(dock.scatter._session.case_opened):
        dock.scatter._session.open_case("a")
    qtbot.waitUntil(lambda: tool.has_map and not dock.overlays.is_busy)
    assert tool._embeddings.case == "a"
    np.testing.assert_allclose(layer(viewer, LAYER).data, find_similar(tool._embeddings, tool._query), atol=1e-6)


def test_the_brush_is_put_away_and_given_back_and_taking_it_puts_the_tool_down(dock, main_dock, viewer, qtbot):
    labels = labels_layer(viewer)
    labels.mode = "paint"
    dock.similar.button.click()
    assert labels.mode == "pan_zoom", "a click must not paint"
    dock.similar.button.click()
    assert labels.mode == "paint"
    dock.similar.button.click()
    main_dock.session.paint_with(2)
    assert not dock.similarity.is_on
    assert not dock.similar.button.isChecked()
    assert labels.mode == "paint"


def test_features_as_colors_keep_their_colors_on_the_next_case(dock, viewer, model, qtbot):
    dock.similar.colors.setChecked(True)
    qtbot.waitUntil(lambda: dock.overlays.get(COLORS) is not None)
    first = layer(viewer, COLORS)
    assert first.rgb
    assert first.data.dtype == np.uint8
    basis = dock.colors._before[0]
    with qtbot.waitSignal(dock.scatter._session.case_opened):
        dock.scatter._session.open_case("a")
    qtbot.waitUntil(lambda: dock.overlays.get(COLORS) is not None and dock.colors._before[1].case == "a")
    assert dock.colors._before[0] is basis
    computed = load_embeddings(dock.scatter._session.study, model, "a")
    np.testing.assert_array_equal(layer(viewer, COLORS).data, basis.paint(computed.features))
    dock.similar.colors.setChecked(False)
    assert not layer(viewer, COLORS).visible
