"""The tools in a real dock: each changes what it says, in the background, as one step that Ctrl+Z takes back."""

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from scipy import ndimage

from cvrl_napari.editing.interpolation import interpolate
from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.tool_box import ToolBox
from cvrl_napari.gui.tools import Asked
from cvrl_napari.study.labels import BACKGROUND

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:Contours are not displayed")]


@pytest.fixture
def viewer(qapp):
    from napari.components import ViewerModel

    return ViewerModel()


@pytest.fixture
def session(viewer, qtbot: QtBot, ball_study):
    folder = ball_study.folder
    ball_study.close()
    made = Session(viewer)
    with qtbot.waitSignal(made.case_opened, timeout=20_000):
        made.open_study(folder)
    yield made
    made.shut_down()


@pytest.fixture
def box(viewer, session: Session):
    made = ToolBox(viewer, session)
    made._on_case_opened(session.case)
    yield made
    made.close()


@pytest.fixture
def paint(session: Session, viewer):
    """Make the labels on view what they are to be at first, with the axial slice 6 on view."""

    def make(labels: np.ndarray) -> None:
        session.layers.labels_array()[...] = labels
        viewer.dims.set_point(range(3), session.layers.shown.image.data_to_world((6, 10, 8)))

    return make


def blank(session: Session) -> np.ndarray:
    return np.zeros(session.layers.labels_array().shape, np.uint8)


def test_interpolation_is_one_step_that_is_undone_and_redone(session, box, paint, qtbot: QtBot):
    labels = blank(session)
    labels[2, 4:14, 4:12] = labels[9, 6:12, 5:11] = 1
    paint(labels)
    with qtbot.waitSignals([box.tools.told, session.layers.labels_painted], timeout=10_000):
        box.tools.interpolate()
    expected = interpolate(labels, session.layers.scan.spacing, axis=0, classes=[1])
    np.testing.assert_array_equal(session.layers.labels_array(), expected)
    assert expected[5].any()
    layer = session.layers.shown.labels
    layer.undo()
    np.testing.assert_array_equal(layer.data, labels)
    layer.redo()
    np.testing.assert_array_equal(layer.data, expected)


def test_every_tool_changes_labels_and_one_undo_takes_it_back(session, box, paint, qtbot: QtBot):
    labels = blank(session)
    labels[3:6, 5:14, 4:12] = labels[7:10, 5:14, 4:12] = 1
    labels[4, 8:10, 7:9] = 0
    labels[0, 0, 0] = 1
    paint(labels)
    box.tools.margin_mm = 2.0
    layer = session.layers.shown.labels
    done = []
    for action in box.paint_actions:
        if action.title in ("Grow", "Statistics"):
            continue
        with qtbot.waitSignal(box.tools.told, timeout=10_000):
            action.act()
        changed = not np.array_equal(layer.data, labels)
        layer.undo() if changed else None
        np.testing.assert_array_equal(layer.data, labels)
        done.append((action.title, changed))
    assert [title for title, changed in done if not changed] == []
    assert len(done) == 8


def test_a_structure_grows_from_strokes_and_a_missing_side_is_said(session, box, paint, qtbot: QtBot):
    scan = session.layers.scan_array()
    ball = scan > 200
    labels = blank(session)
    held = np.flatnonzero(ball.any(axis=(1, 2)))
    for z in (held[0] + 1, held[len(held) // 2], held[-1] - 1):
        y, x = np.argwhere(ball[z]).mean(axis=0).astype(int)
        labels[z, y, x - 1 : x + 2] = 1
    paint(labels)
    with qtbot.waitSignal(box.tools.told, timeout=10_000) as told:
        box.tools.grow()
    assert "background" in told.args[0]
    labels[held[0] + 1 : held[-1] : 2, 2, :] = labels[held[0] + 1 : held[-1] : 2, -2, :] = BACKGROUND
    labels[held[0] + 1 : held[-1] : 2, :, 0] = labels[held[0] + 1 : held[-1] : 2, :, -1] = BACKGROUND
    paint(labels)
    with qtbot.waitSignal(box.tools.told, timeout=10_000):
        box.tools.grow()
    grown = session.layers.labels_array() == 1
    assert 2 * (grown & ball).sum() / (grown.sum() + ball.sum()) > 0.7


def test_what_is_painted_while_a_tool_works_stays(session, box, paint, qtbot: QtBot):
    labels = blank(session)
    labels[2, 4:14, 4:12] = labels[9, 4:14, 4:12] = 1
    paint(labels)
    with qtbot.waitSignal(box.tools.told, timeout=10_000):
        box.tools.interpolate()
        session.layers.shown.labels.data_setitem((np.array([5]), np.array([8]), np.array([8])), 2)
    assert session.layers.labels_array()[5, 8, 8] == 2
    assert session.layers.labels_array()[5, 8, 9] == 1


def test_a_cancelled_tool_changes_nothing(session, box, paint, qtbot: QtBot):
    labels = blank(session)
    labels[2, 4:14, 4:12] = labels[9, 4:14, 4:12] = 1
    paint(labels)
    box.tools.interpolate()
    with qtbot.waitSignal(box.tools.told):
        box.tools.cancel()
    with qtbot.waitSignal(box.tools.measured, timeout=10_000):
        box.tools.measure(under_cursor=False)  # the same thread: the tool before has ended
    np.testing.assert_array_equal(session.layers.labels_array(), labels)


def test_the_other_axis_counts_when_its_slices_are_on_view(session, box, paint, viewer, qtbot: QtBot):
    labels = blank(session)
    labels[4:8, 3, 4:12] = labels[4:8, 9, 4:12] = 1
    paint(labels)
    viewer.dims.order = (1, 0, 2)
    with qtbot.waitSignal(box.tools.told, timeout=10_000):
        box.tools.interpolate()
    assert (session.layers.labels_array()[4:8, 6, 4:12] == 1).all()


def test_statistics_are_of_the_label_under_the_cursor(session, box, paint, viewer, qtbot: QtBot):
    labels = blank(session)
    labels[6, 4:6, 4:6] = 2
    paint(labels)
    viewer.cursor.position = tuple(session.layers.shown.image.data_to_world((6, 5, 5)))
    with qtbot.waitSignal(box.tools.measured, timeout=10_000) as measured:
        box.keys["Q"]()
    asked: Asked = measured.args[0]
    assert asked.value == 2
    assert asked.found.voxels == 4
    assert asked.found.ml == pytest.approx(4 * 9 / 1000)


def test_background_in_hand_is_no_structure(session, box, qtbot: QtBot):
    session.select_class(BACKGROUND)
    with qtbot.waitSignal(box.tools.told) as told:
        box.tools.interpolate()
    assert "structure" in told.args[0]


def test_pointing_is_kept_inside_the_scan(session, viewer):
    viewer.cursor.position = (1e6, -1e6, 0)
    z, y, _ = Pointing(viewer, session.layers).voxel
    assert (z, y) == (session.layers.labels_array().shape[0] - 1, 0)


@pytest.mark.parametrize("ranged", [True, False])
def test_a_fill_in_3d_is_worked_out_apart_and_what_is_painted_meanwhile_stays(session, box, paint, ranged, qtbot: QtBot):
    labels = blank(session)
    labels[3] = 2  # the fill does not pass it
    paint(labels)
    layer, scan = session.layers.shown.labels, session.layers.scan_array()
    layer.n_edit_dimensions = 3
    low = float(np.sort(scan[4:].ravel())[-40]) if ranged else -np.inf
    session.layers.brush.grey_range = (low, np.inf) if ranged else None
    start = tuple(np.argwhere(scan == scan[4:].max())[0])
    before = layer.data.copy()
    with qtbot.waitSignal(box.tools.told) as said:
        layer.fill(start, 1)
        np.testing.assert_array_equal(layer.data, before)
        layer.data_setitem(tuple(np.array([one]) for one in start), 2)  # a dab before the answer
        painted = layer.data.copy()
    pieces, _ = ndimage.label((before == 0) & (scan >= low))
    wanted = pieces == pieces[start]
    wanted[start] = False
    assert wanted[4:].any()
    np.testing.assert_array_equal(layer.data, np.where(wanted, 1, painted))
    assert said.args[0] == f"Filling: {wanted.sum():,} voxels changed. Ctrl+Z takes it back."
    layer.undo()
    np.testing.assert_array_equal(layer.data, painted)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    box.close()
    layer.fill(start, 1)
    assert layer.data[start] == 1, "without the dock's tools it is napari's again"
