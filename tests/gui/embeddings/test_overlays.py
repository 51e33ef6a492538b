"""The layers of the embeddings dock are made ahead, once, and nobody notices while nothing is shown in them."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from cvrl_napari.gui.embeddings.dock import TITLE
from cvrl_napari.gui.embeddings.feature_layer import LAYER as COLORS
from cvrl_napari.gui.embeddings.model_change import LAYER as CHANGE
from cvrl_napari.gui.embeddings.selection import MARKS
from cvrl_napari.gui.embeddings.similarity import LAYER as SIMILAR

pytestmark = pytest.mark.gui
ALL = (MARKS, SIMILAR, COLORS, CHANGE)


def ours(viewer) -> dict:
    return {layer.name: layer for layer in viewer.layers if layer.name in ALL}


@pytest.fixture
def prepared(dock, viewer, qtbot):
    """The dock with its layers made, a brush in the hand before."""
    labels = next(one for one in viewer.layers if one.name.startswith("Labels"))
    viewer.layers.selection.active, labels.mode = labels, "paint"
    dock.overlays.prepare()
    qtbot.waitUntil(lambda: len(ours(viewer)) == 4 and not any(one.visible for one in ours(viewer).values()))
    assert viewer.layers.selection.active is labels
    assert labels.mode == "paint"
    return dock


def test_layers_made_ahead_are_hidden_and_change_nothing_of_what_can_be_seen(prepared, viewer):
    scan = next(one for one in viewer.layers if one.name == "c")
    np.testing.assert_allclose(viewer.layers.extent.world, scan.extent.world)
    np.testing.assert_allclose(viewer.layers.extent.step, scan.scale)
    assert all(prepared.overlays.get(name) is None for name in ALL), "nothing is shown in them"
    viewer.dims.set_point(range(3), scan.data_to_world((3, 4, 5)))
    np.testing.assert_allclose(viewer.dims.point, scan.data_to_world((3, 4, 5)))


def test_they_go_on_to_the_next_case_and_lie_in_its_place(prepared, viewer, qtbot):
    before, session = ours(viewer), prepared.scatter._session
    prepared.selection.choose(np.ones(len(prepared.cloud.sample), bool))
    qtbot.waitUntil(lambda: before[MARKS].visible)
    for case in ("a", "c"):
        with qtbot.waitSignal(session.case_opened):
            session.open_case(case)
        scan = next(one for one in viewer.layers if one.name == case)
        np.testing.assert_allclose(viewer.layers.extent.world, scan.extent.world)
        assert ours(viewer) == before, "the same layers"
    prepared.selection.clear()
    assert not before[MARKS].visible


def test_a_layer_that_somebody_deleted_is_made_again(prepared, viewer, qtbot):
    viewer.layers.remove(ours(viewer)[MARKS])
    prepared.selection.choose(np.ones(len(prepared.cloud.sample), bool))
    qtbot.waitUntil(lambda: ours(viewer)[MARKS].visible)
    prepared.close()
    assert not ours(viewer)


def test_without_a_case_there_are_none(prepared, main_dock, viewer, qtbot):
    main_dock.session.layers.clear()
    assert not ours(viewer)


def test_in_a_real_window_they_are_there_soon_after_the_dock(make_napari_viewer, ball_study, qtbot):
    from cvrl_napari.gui.dock import CvrlDock

    viewer = make_napari_viewer()
    main = CvrlDock(viewer)
    viewer.window.add_dock_widget(main, name="CVRL", area="right")
    ball_study.close()
    with qtbot.waitSignal(main.session.case_opened):
        main.open_folders([ball_study.folder])
    qtbot.mouseClick(main.embeddings_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(ours(viewer)) == 4 and not any(one.visible for one in ours(viewer).values()), timeout=20_000)
    assert viewer.window.dock_widgets[TITLE].overlays.get(MARKS) is None
    main.close()
    assert not ours(viewer)
