"""A mask that becomes labels in part, and a mask that is rejected."""

import numpy as np
import pytest
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from cvrl_napari.gui.masks import prediction_path
from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.taking_over import TakingOver
from cvrl_napari.volumes.writing import write

pytestmark = [pytest.mark.gui, pytest.mark.filterwarnings("ignore:Contours are not displayed")]


@pytest.fixture
def viewer(qapp):
    return ViewerModel()


@pytest.fixture
def mask(ball_study) -> np.ndarray:
    """A prediction of case c, on disk."""
    scan = ball_study.read_scan("c")
    made = np.zeros(scan.array.shape, np.uint8)
    made[4:9, 6:14, 4:12] = 1
    made[4:9, 6:14, 8:12] = 2
    ball_study.predictions_folder.mkdir(exist_ok=True)
    write(prediction_path(ball_study, "c"), scan.with_array(made))
    return made


@pytest.fixture
def session(viewer, mask, qtbot: QtBot, ball_study):
    folder = ball_study.folder
    ball_study.close()
    made = Session(viewer)
    with qtbot.waitSignal(made.case_opened, timeout=20_000):
        made.open_study(folder)
    assert made.case == "c"
    yield made
    made.shut_down()


@pytest.fixture
def taking_over(viewer, session):
    return TakingOver(session, Pointing(viewer, session.layers))


def test_a_slice_is_taken_over_along_the_axis_on_view_and_undone(session, taking_over, viewer, mask):
    viewer.dims.set_point(range(3), session.layers.shown.image.data_to_world((6, 10, 8)))
    taking_over.accept_slice()
    expected = np.zeros_like(mask)
    expected[6] = mask[6]
    np.testing.assert_array_equal(session.layers.labels_array(), expected)
    session.layers.shown.labels.undo()
    viewer.dims.order = (2, 0, 1)
    taking_over.accept_slice()
    expected = np.zeros_like(mask)
    expected[:, :, 8] = mask[:, :, 8]
    np.testing.assert_array_equal(session.layers.labels_array(), expected)


def test_what_is_painted_stays_when_the_rest_is_taken_over(session, taking_over, mask, qtbot: QtBot):
    labels = session.layers.labels_array()
    labels[4:9, 6:14, 8:10] = 1
    labels[0, 0, 0] = 2
    before = labels.copy()
    taking_over.accept_unpainted()
    np.testing.assert_array_equal(labels, np.where(before > 0, before, mask))
    assert session.study.case("c").state != "accepted"
    session.layers.shown.labels.undo()
    np.testing.assert_array_equal(labels, before)


def test_a_rejected_mask_is_hidden_and_brought_back(session, taking_over, mask, qtbot: QtBot):
    labels = session.layers.labels_array().copy()
    with qtbot.waitSignal(session.mask_changed):
        taking_over.reject()
    assert not session.has_mask
    session.accept()  # there is nothing to accept: the labels are not wiped out
    np.testing.assert_array_equal(session.layers.labels_array(), labels)
    assert taking_over.can_bring_back
    taking_over.bring_back()
    np.testing.assert_array_equal(session.layers.mask_array(), mask)
    assert not taking_over.can_bring_back


def test_rejecting_is_undone_in_its_turn_among_the_strokes(session, taking_over, mask):
    labels, study = session.layers.shown.labels, session.study
    labels.paint((2, 3, 3), 1)
    first = labels.data.copy()
    taking_over.reject()
    assert study.case("c").needs_look
    labels.paint((2, 12, 3), 2)
    second = labels.data.copy()

    labels.undo()  # the second stroke
    np.testing.assert_array_equal(labels.data, first)
    assert not session.has_mask
    labels.undo()  # the reject
    np.testing.assert_array_equal(session.layers.mask_array(), mask)
    assert not study.case("c").needs_look
    np.testing.assert_array_equal(labels.data, first)
    labels.undo()  # the first stroke
    assert not labels.data.any()
    for _ in range(2):
        labels.redo()
    assert not session.has_mask
    assert study.case("c").needs_look
    np.testing.assert_array_equal(labels.data, first)
    labels.redo()
    np.testing.assert_array_equal(labels.data, second)


def test_a_reject_that_was_undone_is_forgotten_once_something_else_is_painted(session, taking_over, mask):
    labels = session.layers.shown.labels
    taking_over.reject()
    labels.undo()
    labels.paint((2, 3, 3), 1)
    painted = labels.data.copy()
    labels.undo()
    labels.redo()
    np.testing.assert_array_equal(labels.data, painted)
    np.testing.assert_array_equal(session.layers.mask_array(), mask)


def test_bringing_back_is_an_act_too_and_a_mark_from_before_stays(session, taking_over, mask):
    labels, study = session.layers.shown.labels, session.study
    study.set_remark("c", needs_look=True)
    taking_over.reject()
    taking_over.bring_back()
    assert study.case("c").needs_look
    labels.undo()
    assert not session.has_mask
    labels.undo()
    np.testing.assert_array_equal(session.layers.mask_array(), mask)
    assert study.case("c").needs_look


def test_a_newer_mask_is_not_taken_away_by_undo_and_redo(session, taking_over, mask):
    taking_over.reject()
    newer = np.roll(mask, 1, axis=2)
    session.layers.set_mask(newer)
    for act in (session.layers.shown.labels.undo, session.layers.shown.labels.redo):
        act()
        np.testing.assert_array_equal(session.layers.mask_array(), newer)


def test_a_rejected_mask_stays_away_until_a_newer_one_comes(session, taking_over, mask, qtbot: QtBot):
    taking_over.reject()
    for case in ("d", "c"):
        with qtbot.waitSignal(session.case_opened, timeout=20_000):
            session.open_case(case)
    assert not session.has_mask
    newer = mask.copy()
    newer[4] = 0
    write(prediction_path(session.study, "c"), session.layers.scan.with_array(newer))
    for case in ("d", "c"):
        with qtbot.waitSignal(session.case_opened, timeout=20_000):
            session.open_case(case)
    np.testing.assert_array_equal(session.layers.mask_array(), newer)
