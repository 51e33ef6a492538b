"""The second dock: from features to points, from points back to the voxels they stand for, and nothing left behind."""

import csv
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDialogButtonBox
from skimage.measure import points_in_poly

from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.engine.events import CheckpointSaved, Diagnosed
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.gui.embeddings.case_choice import CaseChoice
from cvrl_napari.gui.embeddings.computed import NO_MODEL, UNTRAINED
from cvrl_napari.gui.embeddings.dock import TITLE, EmbeddingsDock
from cvrl_napari.gui.embeddings.selection import MARKS

from .conftest import save_untrained

pytestmark = pytest.mark.gui


def session_of(dock: EmbeddingsDock):
    return dock.scatter._session


def layer(viewer, name: str):
    return next((one for one in viewer.layers if one.name == name), None)


def show_labeled(dock, qtbot) -> None:
    with qtbot.waitSignal(dock.cloud.changed):
        dock.cases.setCurrentIndex(1)
        dock.cases.activated.emit(1)


def open_case(dock, case: str, qtbot) -> None:
    with qtbot.waitSignal(session_of(dock).case_opened, check_params_cb=lambda opened: opened == case):
        session_of(dock).open_case(case)


def test_points_are_cells_of_the_case_on_view_with_their_features(dock: EmbeddingsDock, model: Path):
    study = session_of(dock).study
    sample, computed = dock.cloud.sample, load_embeddings(study, model, "c")
    assert sample.cases == ("c",)
    cells = computed.cell_of(sample.voxels)
    np.testing.assert_array_equal(sample.rows, computed.features[tuple(cells.T)].astype(np.float32))
    assert len(np.unique(cells, axis=0)) == len(sample) == computed.predicted.size
    np.testing.assert_array_equal(dock.scatter.plot.places, dock.cloud.places)


def test_a_lasso_drawn_with_the_mouse_marks_and_paints_exactly_its_voxels(
    dock: EmbeddingsDock, viewer, model: Path, qtbot, monkeypatch
):
    monkeypatch.setitem(pg.CONFIG_OPTIONS, "mouseRateLimit", -1)  # a test moves the mouse faster than a hand
    session, plot = session_of(dock), dock.scatter.plot
    canvas = plot.viewport()
    corners = [(0.55, 0.05), (0.98, 0.05), (0.98, 0.95), (0.55, 0.95)]
    path = [QPoint(int(x * canvas.width()), int(y * canvas.height())) for x, y in corners]
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, path[0])
    for place in (*path[1:], path[0]):
        QTest.mouseMove(canvas, place)
    with qtbot.waitSignal(dock.selection.changed):
        QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, path[0])
    chosen = dock.selection.chosen
    upper, lower = (plot._box.mapSceneToView(plot.mapToScene(place)) for place in (path[0], path[2]))
    x, y = dock.cloud.places.T
    np.testing.assert_array_equal(chosen, (x > upper.x()) & (x < lower.x()) & (y > lower.y()) & (y < upper.y()))
    assert 0 < chosen.sum() < len(chosen)

    computed = load_embeddings(session.study, model, "c")
    marked = np.zeros(computed.shape, bool)
    marked[tuple(computed.cell_of(dock.cloud.sample.voxels[chosen]).T)] = True
    qtbot.waitUntil(lambda: dock.selection._fenced is not None and not dock.overlays.is_busy)
    marks = layer(viewer, MARKS)
    np.testing.assert_array_equal(marks.data > 0, marked)
    np.testing.assert_allclose(marks.scale, np.multiply(session.layers.scan.spacing, computed.scale))
    assert f"{chosen.sum():,} points" in dock.scatter.makeup.text()
    assert "all in c; " in dock.scatter.makeup.text()

    session.select_class(2)
    dock.scatter.paint_button.click()
    labels = session.layers.labels_array()
    voxels = np.stack(np.indices(labels.shape), axis=-1).reshape(-1, 3)
    expected = marked[tuple(computed.cell_of(voxels).T)].reshape(labels.shape)
    np.testing.assert_array_equal(labels == 2, expected)
    next(one for one in viewer.layers if one.name.startswith("Labels")).undo()
    assert not session.layers.labels_array().any()


def test_a_lasso_around_few_points_marks_all_cells_that_would_lie_in_it(dock: EmbeddingsDock, viewer, model: Path, qtbot):
    with qtbot.waitSignal(dock.cloud.changed):
        dock.cloud.choose(count=50)
    low, high = dock.cloud.places.min(axis=0) - 1, dock.cloud.places.max(axis=0) + 1
    middle = float(np.median(dock.cloud.places[:, 0]))
    corners = np.array([(middle, low[1]), (high[0], low[1]), (high[0], high[1]), (middle, high[1])])
    dock.scatter.plot._on_drawn(corners, False)
    assert dock.selection._cells().sum() == 25, "those of the points, until all are known"
    qtbot.waitUntil(lambda: dock.selection._fenced is not None and not dock.overlays.is_busy)
    computed = load_embeddings(session_of(dock).study, model, "c")
    rows = computed.features.reshape(-1, 4)
    expected = points_in_poly(dock.cloud.projection.transform(rows).astype(float), corners).reshape(computed.shape)
    np.testing.assert_array_equal(layer(viewer, MARKS).data > 0, expected)
    assert expected.sum() > 25
    ml = expected.sum() * np.prod(computed.scale) * session_of(dock).layers.scan.voxel_ml
    assert dock.scatter.makeup.text().endswith(f"{ml:.3g} ml of this scan")
    dock.scatter.paint_button.click()
    assert (session_of(dock).layers.labels_array() == 1).mean() == pytest.approx(expected.mean(), rel=0.1)


def test_painting_leaves_what_is_painted(dock: EmbeddingsDock):
    session = session_of(dock)
    session.layers.labels_array()[:] = 1
    dock.selection.choose(np.ones(len(dock.cloud.sample), bool))
    assert dock.selection.paint(2) == 0
    assert (session.layers.labels_array() == 1).all()


def test_marks_lie_on_their_voxels_in_space(dock: EmbeddingsDock, viewer, qtbot):
    sample, session = dock.cloud.sample, session_of(dock)
    one = np.zeros(len(sample), bool)
    one[37] = True
    dock.selection.choose(one)
    qtbot.waitUntil(lambda: not dock.overlays.is_busy)
    marks, scan = layer(viewer, MARKS), next(one for one in viewer.layers if one.name == session.case)
    (cell,) = np.argwhere(marks.data)
    corner = scan.data_to_world(sample.voxels[37] - 0.5)
    low, high = np.array(marks.data_to_world(cell - 0.5)), np.array(marks.data_to_world(cell + 0.5))
    middle = np.array(scan.data_to_world(sample.voxels[37]))
    assert (low <= middle + 1e-9).all()
    assert (middle <= high + 1e-9).all(), "the marked cell holds the voxel it is marked for"
    assert np.abs(np.array(corner) - low).max() <= np.max(marks.scale)


def test_a_click_opens_the_case_at_the_voxel(dock: EmbeddingsDock, viewer, qtbot):
    show_labeled(dock, qtbot)
    sample = dock.cloud.sample
    assert sample.cases == ("a", "b")
    point = int(np.flatnonzero(sample.case_of == 1)[5])
    with qtbot.waitSignal(dock.travel.arrived) as arrived:
        dock.scatter.plot.clicked.emit(point)
    assert arrived.args == ["b"]
    scan = next(one for one in viewer.layers if one.name == "b")
    np.testing.assert_allclose(scan.world_to_data(viewer.dims.point), sample.voxels[point], atol=1e-6)


def test_a_point_says_where_it_lies_in_its_own_scan_in_mm(dock: EmbeddingsDock, qtbot):
    show_labeled(dock, qtbot)
    sample = dock.cloud.sample
    point = int(np.flatnonzero(sample.case_of == 0)[0])
    with qtbot.waitSignal(dock.travel.placed):
        assert "voxel" in dock.scatter.about(point)
    z, _, x = sample.voxels[point]
    right = 7.0 - 1.5 * x
    words = dock.scatter.about(point)
    assert words.startswith("a\n")
    assert f"{'right' if right >= 0 else 'left'} {abs(right):.1f}" in words
    assert f"superior {30 + 3 * z:.1f} mm" in words


def test_the_point_under_the_mouse_is_the_nearest_shown_one(dock: EmbeddingsDock):
    plot = dock.scatter.plot
    x, y = (float(value) for value in plot.places[11])
    assert plot.nearest(x, y) == np.abs(plot.places - plot.places[11]).sum(axis=1).argmin()
    assert plot.nearest(x + 1e6, y) == -1


def test_a_hidden_group_is_neither_drawn_nor_fenced_in(dock: EmbeddingsDock, qtbot):
    show_labeled(dock, qtbot)
    dock.scatter.kind.setCurrentIndex(4)  # by case
    dock.scatter.legend.toggle(0)
    case_of = dock.cloud.sample.case_of
    low, high = dock.cloud.places.min() - 1, dock.cloud.places.max() + 1
    with qtbot.waitSignal(dock.selection.changed):
        dock.scatter.plot._on_drawn(np.array([(low, low), (high, low), (high, high), (low, high)]), False)
    np.testing.assert_array_equal(dock.selection.chosen, case_of == 1)
    assert dock.selection.cases() == [("b", int((case_of == 1).sum()))]


def test_what_is_painted_colors_its_points_at_once(dock: EmbeddingsDock, viewer, qtbot):
    dock.scatter.kind.setCurrentIndex(0)
    voxel = dock.cloud.sample.voxels[3]
    with qtbot.waitSignal(dock.cloud.recolored):
        next(one for one in viewer.layers if one.name.startswith("Labels")).data_setitem(tuple(voxel[:, None]), np.uint8([2]))
    assert dock.cloud.sample.painted[3] == 2
    assert dock.scatter.legend.item(3).text() == "shell  1"


def test_marks_go_with_the_case_and_come_back_with_it(dock: EmbeddingsDock, viewer, qtbot):
    show_labeled(dock, qtbot)
    dock.selection.choose(np.ones(len(dock.cloud.sample), bool))
    assert dock.overlays.get(MARKS) is None, "case c, on view, is not among the points"
    open_case(dock, "a", qtbot)
    qtbot.waitUntil(lambda: layer(viewer, MARKS) is not None)
    assert layer(viewer, MARKS).visible
    assert layer(viewer, MARKS).data.all()
    open_case(dock, "d", qtbot)
    assert layer(viewer, MARKS) is None


def test_a_case_without_features_is_offered_to_compute_and_computed_in_a_child(dock: EmbeddingsDock, qtbot):
    with qtbot.waitSignal(dock.computed.state_changed):
        open_case(dock, "d", qtbot)
    qtbot.waitUntil(lambda: dock.cloud.sample is None)
    assert "of d are not computed yet" in dock.scatter.empty.text()
    assert dock.compute.isEnabled()
    dock.compute.click()
    assert dock.compute.text() == "Cancel"
    qtbot.waitUntil(lambda: dock.cloud.sample is not None, timeout=120_000)
    assert dock.cloud.sample.cases == ("d",)
    assert not dock.compute.isEnabled()
    assert dock.scatter.empty.isHidden()


def test_chosen_scans_are_checked_in_a_list(dock: EmbeddingsDock, qtbot):
    row = dock.cases.findText("chosen scans…")
    dock.cases.setCurrentIndex(row)
    dock.cases.activated.emit(row)
    dialog = dock.findChild(CaseChoice)
    assert dialog.checked() == ("c",), "what is shown now"
    dialog.none_button.click()
    assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()
    dialog.part.setText("A")
    dialog.all_button.click()
    dialog.part.clear()
    dialog.list.item(1).setCheckState(Qt.CheckState.Checked)
    accept = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
    assert accept.text() == "Show 2 scans"
    with qtbot.waitSignal(dock.cloud.changed):
        accept.click()
    assert dock.cloud.sample.cases == ("a", "b")
    dock.cases.activated.emit(row)
    dock.findChildren(CaseChoice)[-1].reject()
    assert dock.cases.currentIndex() == row
    assert dock.cloud.sample.cases == ("a", "b")


def test_a_scan_of_other_channels_is_answered_in_the_plot(dock: EmbeddingsDock, model: Path, make_plan, qtbot):
    save_untrained(session_of(dock).study, make_plan, in_channels=2)
    with qtbot.waitSignal(dock.computed.state_changed):
        dock.computed.look()
    dock.compute.click()
    qtbot.waitUntil(lambda: "trained on 2 images" in dock.scatter.empty.text(), timeout=60_000)
    assert "here are 1" in dock.scatter.empty.text()
    assert not dock.scatter.empty.isHidden()
    assert dock.compute.text() == "Compute"


def test_features_of_another_model_are_said_to_be_so(dock: EmbeddingsDock, make_plan, qtbot):
    save_untrained(session_of(dock).study, make_plan, seed=7)
    with qtbot.waitSignal(dock.cloud.changed):
        dock.computed.look()
    assert dock.scatter.empty.text() == "The features kept of c are another model's, or older: press Compute."


def test_a_model_that_took_no_step_is_said_to_know_nothing(dock: EmbeddingsDock, model: Path, qtbot):
    assert dock.scatter.empty.isHidden(), "where the run has told nothing, nothing is known of it"
    RunFolder(model.parent).record(Diagnosed(step=0, levels={}, confident=0.0))
    with qtbot.waitSignal(dock.computed.state_changed):
        dock.computed.look()
    assert dock.scatter.empty.text() == UNTRAINED
    assert dock.cloud.sample is not None


def test_a_case_that_was_taken_out_of_the_study_is_left_out(dock: EmbeddingsDock, qtbot):
    with qtbot.waitSignal(dock.cloud.changed):
        dock.computed.choose(scope="chosen", chosen=("a", "gone"))
    assert dock.cloud.sample.cases == ("a",)
    with qtbot.waitSignal(dock.cloud.changed):
        dock.computed.choose(chosen=("gone",))
    assert dock.scatter.empty.text() == "None of the chosen scans is in the study: choose others above."


def test_a_job_can_be_canceled(dock: EmbeddingsDock, qtbot):
    open_case(dock, "d", qtbot)
    qtbot.waitUntil(lambda: dock.computed.missing == ("d",))
    dock.compute.click()
    dock.compute.click()
    assert not dock.computed.job.is_active
    assert dock.compute.text() == "Compute"


def test_newer_features_move_the_same_points_along_the_same_projection(dock: EmbeddingsDock, make_plan, qtbot):
    study, before = session_of(dock).study, dock.cloud.sample
    places = dock.cloud.places
    session_of(dock).training.event_received.emit(CheckpointSaved(path="", model=str(dock.computed.model), step=2))
    assert dock.compute.text() == "Refresh"
    path = save_untrained(study, make_plan, seed=1)
    list(embed_cases(study, path, ["c"], device="cpu", threads=1))
    with qtbot.waitSignal(dock.cloud.changed, check_params_cb=lambda smoothly: smoothly):
        dock.computed.look()
    np.testing.assert_array_equal(dock.cloud.sample.voxels, before.voxels)
    assert not np.array_equal(dock.cloud.places, places)
    assert dock.scatter.plot.is_moving
    qtbot.waitUntil(lambda: not dock.scatter.plot.is_moving)
    np.testing.assert_array_equal(dock.scatter.plot._cloud.points, dock.cloud.places[dock.scatter.plot._order])


def test_a_case_that_is_gone_and_a_study_without_a_model_are_answered_with_a_sentence(viewer, main_dock, qtbot):
    made = EmbeddingsDock(viewer, main_dock)
    assert made.scatter.empty.text() == NO_MODEL
    with qtbot.waitSignal(made.travel.refused) as refused:
        made.travel.go("x", np.zeros(3, int))
    assert "x is no longer in the study" in refused.args[0]
    assert made.status.text() == refused.args[0]
    made.close()


def test_features_without_a_projector_are_shown_as_they_are_and_said_so(dock: EmbeddingsDock, qtbot):
    with qtbot.waitSignal(dock.cloud.changed):
        dock.scatter.projected.setChecked(True)
    assert "has no projector" in dock.status.text()
    assert dock.cloud.sample.rows.shape[1] == 4


def test_plot_table_and_features_are_taken_away(dock: EmbeddingsDock, tmp_path: Path):
    dock.selection.choose(np.arange(len(dock.cloud.sample)) < 7)
    for ending in ("png", "svg", "csv", "npz"):
        dock.scatter.save(tmp_path / f"plot.{ending}")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "plot.svg").read_bytes()[:400]
    rows = list(csv.DictReader((tmp_path / "plot.csv").open()))
    sample = dock.cloud.sample
    assert len(rows) == len(sample)
    assert [rows[3][axis] for axis in "zyx"] == [str(value) for value in sample.voxels[3]]
    assert sum(int(row["chosen"]) for row in rows) == 7
    with np.load(tmp_path / "plot.npz") as arrays:
        np.testing.assert_array_equal(arrays["features"], sample.rows)
        np.testing.assert_array_equal(arrays["places"], dock.cloud.places)


def test_closing_takes_layers_and_listeners_away(dock: EmbeddingsDock, viewer, qtbot):
    dock.selection.choose(np.ones(len(dock.cloud.sample), bool))
    dock.similar.button.click()
    assert dock.similarity._on_move in viewer.mouse_move_callbacks
    dock.close()
    qtbot.waitUntil(lambda: layer(viewer, MARKS) is None)
    assert dock.similarity._on_move not in viewer.mouse_move_callbacks
    assert dock.similarity._on_press not in viewer.mouse_drag_callbacks


def test_in_a_real_window_the_dock_lies_below_and_ends_with_the_main_one(make_napari_viewer, ball_study, qtbot):
    from cvrl_napari.gui.dock import CvrlDock

    viewer = make_napari_viewer()
    main = CvrlDock(viewer)
    viewer.window.add_dock_widget(main, name="CVRL", area="right")
    main.embeddings_button.click()
    qtbot.waitUntil(lambda: TITLE in viewer.window.dock_widgets)
    made = viewer.window.dock_widgets[TITLE]
    qtbot.waitUntil(lambda: made._was_docked)
    window = made.window()
    assert window.dockWidgetArea(made.parentWidget()) == Qt.DockWidgetArea.BottomDockWidgetArea
    main.embeddings_button.click()
    assert viewer.window.dock_widgets[TITLE] is made, "asked again, it is the same"
    with qtbot.waitSignal(made.destroyed):  # else it would follow the session for ever
        viewer.window.remove_dock_widget(made)
    main.embeddings_button.click()
    qtbot.waitUntil(lambda: TITLE in viewer.window.dock_widgets)
    again = viewer.window.dock_widgets[TITLE]
    assert again is not made
    main.close()
    assert not again._is_open
