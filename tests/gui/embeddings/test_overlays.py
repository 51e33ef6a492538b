"""A layer of the embeddings dock is there while something is shown in it, and it does not take the brush out of the hand."""

import gc
import sys
from functools import partial

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.embeddings.dock import TITLE
from cvrl_napari.gui.embeddings.feature_layer import LAYER as COLORS
from cvrl_napari.gui.embeddings.model_change import LAYER as CHANGE
from cvrl_napari.gui.embeddings.selection import MARKS
from cvrl_napari.gui.embeddings.similarity import LAYER as SIMILAR
from cvrl_napari.gui.layer_removal import CANVAS, remove_layers

pytestmark = pytest.mark.gui
ALL = (MARKS, SIMILAR, COLORS, CHANGE)


def ours(viewer) -> dict:
    return {layer.name: layer for layer in viewer.layers if layer.name in ALL}


def choose_all(dock, qtbot) -> None:
    dock.selection.choose(np.ones(len(dock.cloud.sample), bool))
    qtbot.waitUntil(lambda: dock.overlays.get(MARKS) is not None)


@pytest.fixture
def labels(dock, viewer):
    """The labels layer, a brush in the hand."""
    made = next(one for one in viewer.layers if one.name.startswith("Labels"))
    viewer.layers.selection.active, made.mode = made, "paint"
    return made


@pytest.fixture
def marked(dock, labels, viewer, qtbot):
    """The dock with voxels marked in the scan on view."""
    choose_all(dock, qtbot)
    assert list(ours(viewer)) == [MARKS]
    return dock


def test_before_anything_is_shown_there_is_no_layer_and_the_brush_stays(dock, labels, viewer, qtbot):
    assert not ours(viewer)
    heard = []
    viewer.layers.selection.events.active.connect(heard.append)
    choose_all(dock, qtbot)
    assert ours(viewer)[MARKS].visible
    assert not heard, "napari would show the controls of the new layer and then those of the labels again"
    assert (viewer.layers.selection.active, viewer.layers.selection) == (labels, {labels})
    assert labels.mode == "paint"


def test_what_is_cleared_is_hidden_at_once_and_then_taken_away(marked, labels, viewer, qtbot):
    marks = ours(viewer)[MARKS]
    marks.opacity = 0.3
    marked.selection.clear()
    assert not marks.visible
    assert marked.overlays.get(MARKS) is None
    qtbot.waitUntil(lambda: not ours(viewer))
    assert (viewer.layers.selection.active, labels.mode) == (labels, "paint")
    assert marks.data.size == 1, "its memory is free at once"
    choose_all(marked, qtbot)
    assert ours(viewer)[MARKS] is not marks
    assert ours(viewer)[MARKS].opacity == pytest.approx(0.3), "as opaque as somebody made it"


def test_what_comes_back_soon_gets_the_same_layer(marked, viewer, qtbot):
    marks = ours(viewer)[MARKS]
    marked.selection.clear()
    choose_all(marked, qtbot)
    qtbot.waitUntil(lambda: marks.visible)
    qtbot.wait(50)
    assert ours(viewer) == {MARKS: marks}


def test_no_two_layers_are_made_filled_or_shown_in_one_round(dock, labels, viewer, qtbot):
    cell = (1, 1, 1)
    data = {
        MARKS: np.ones((3, 3, 3), np.uint8),
        SIMILAR: np.ones((3, 3, 3), np.float32),
        COLORS: np.ones((3, 3, 3, 3), np.uint8),
    }
    rounds, done = [0], []

    def show_all() -> list[int]:
        done.clear()
        for name, cells in data.items():
            dock.overlays.show(name, cells, cell)
        assert not done
        while dock.overlays.is_busy:
            QApplication.processEvents()
            rounds[0] += 1
        return done

    viewer.layers.events.inserted.connect(lambda _: done.append(rounds[0]))
    made = show_all()
    assert len(set(made)) == len(made) == len(data)
    for layer in ours(viewer).values():
        layer.events.data.connect(lambda _: done.append(rounds[0]))
        layer.events.visible.connect(lambda _: done.append(rounds[0]))
    for name in data:
        dock.overlays.hide(name)
    filled_and_shown = show_all()
    assert len(set(filled_and_shown)) == len(filled_and_shown) == 2 * len(data)


def test_how_a_layer_looks_can_be_changed_before_it_is_made(dock, labels, viewer, qtbot):
    dock.overlays.show(MARKS, np.ones((3, 3, 3), np.uint8), (1, 1, 1))
    dock.overlays.look(MARKS, opacity=0.25)
    qtbot.waitUntil(lambda: not dock.overlays.is_busy)
    assert ours(viewer)[MARKS].opacity == 0.25
    dock.overlays.look(MARKS, opacity=0.75)
    assert ours(viewer)[MARKS].opacity == 0.75


def test_what_is_hidden_or_closed_before_it_is_made_is_not_made(dock, labels, viewer, qtbot):
    choose = partial(dock.selection.choose, np.ones(len(dock.cloud.sample), bool))
    for undo in (dock.selection.clear, dock.close):
        choose()
        assert dock.overlays.is_busy
        undo()
        assert not dock.overlays.is_busy
    qtbot.wait(100)
    assert not ours(viewer)


def test_somebody_at_the_layer_gets_the_labels_when_it_goes(marked, labels, viewer, qtbot):
    viewer.layers.selection.active = ours(viewer)[MARKS]
    marked.selection.clear()
    qtbot.waitUntil(lambda: not ours(viewer))
    assert viewer.layers.selection.active is labels


def test_the_next_case_has_layers_of_its_own_and_is_not_made_longer_by_them(marked, viewer, qtbot):
    session = marked.scatter._session
    marked.similar.colors.click()
    qtbot.waitUntil(lambda: COLORS in ours(viewer))
    for case in ("a", "c"):
        with qtbot.waitSignal(session.case_opened):
            session.open_case(case)
        scan = next(one for one in viewer.layers if one.name == case)
        np.testing.assert_allclose(viewer.layers.extent.world, scan.extent.world)
        np.testing.assert_allclose(viewer.layers.extent.step, scan.scale)
    qtbot.waitUntil(lambda: COLORS in ours(viewer))


def test_a_layer_that_somebody_deleted_is_made_again(marked, viewer, qtbot):
    viewer.layers.remove(ours(viewer)[MARKS])
    choose_all(marked, qtbot)
    assert ours(viewer)[MARKS].visible


def test_after_the_dock_the_layers_go_one_by_one(marked, viewer, qtbot):
    marked.similar.colors.click()
    qtbot.waitUntil(lambda: COLORS in ours(viewer))
    counts = []
    viewer.layers.events.removed.connect(lambda _: counts.append(len(ours(viewer))))
    marked.close()
    assert not any(one.visible for one in ours(viewer).values()), "they are not seen any more"
    qtbot.waitUntil(lambda: not ours(viewer))
    assert counts == [1, 0]


def test_without_a_case_there_are_none(marked, main_dock, viewer):
    main_dock.session.layers.clear()
    assert not ours(viewer)


def test_in_a_real_window_no_row_of_ours_is_hidden_and_none_outlives_the_docks(make_napari_viewer, model, ball_study, qtbot):
    from cvrl_napari.gui.dock import CvrlDock

    viewer = make_napari_viewer()
    main = CvrlDock(viewer)
    viewer.window.add_dock_widget(main, name="CVRL", area="right")
    ball_study.close()
    with qtbot.waitSignal(main.session.case_opened):
        main.open_folders([ball_study.folder])
    qtbot.mouseClick(main.embeddings_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(main.embeddings_button, Qt.MouseButton.LeftButton)  # an impatient one
    qtbot.waitUntil(lambda: TITLE in viewer.window.dock_widgets)
    dock = viewer.window.dock_widgets[TITLE]
    qtbot.waitUntil(lambda: dock.cloud.sample is not None)
    assert not ours(viewer)
    choose_all(dock, qtbot)
    assert viewer.window._qt_viewer.layers.model().rowCount() == 4
    main.close()
    assert not ours(viewer)


def test_layers_go_without_a_garbage_collection_and_what_is_gone_is_no_matter(make_napari_viewer):
    viewer = make_napari_viewer()
    kept, gone, deleted = (viewer.add_image(np.zeros((2, 2))) for _ in range(3))
    collections = []

    def count(phase: str, about: dict) -> None:
        if phase == "start" and about["generation"] == 2:
            collections.append(about)

    gc.collect()  # none is due soon
    gc.callbacks.append(count)
    try:
        viewer.layers.remove(deleted)
        assert len(collections) == 1, "napari's own way"
        remove_layers(viewer, [gone, deleted])
        assert len(collections) == 1
    finally:
        gc.callbacks.remove(count)
    assert list(viewer.layers) == [kept]
    assert sys.modules[CANVAS].gc is gc, "others find napari as it was"
    remove_layers(viewer, [gone])
    assert list(viewer.layers) == [kept]
