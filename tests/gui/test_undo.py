"""Whatever is done to the labels, undo and redo bring back the exact array."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from napari.components import ViewerModel
from pytestqt.qtbot import QtBot

from cvrl_napari.gui.session import Session
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui
SHAPE = (12, 20, 16)
OPERATIONS = ("stroke", "long stroke", "erase", "fill", "accept", "accept one class", "import", "undo", "redo")


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_hundred_mixed_operations_are_undone_and_redone_exactly(ball_study: Study, qtbot: QtBot, data):
    """The past is kept as plain copies beside the layer; after the hundred, all of it is undone, then redone."""
    session = _session(ball_study, qtbot)
    layer = session.layers._shown.labels
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    past, future = [layer.data.copy()], []
    for name in data.draw(st.lists(st.sampled_from(OPERATIONS), min_size=100, max_size=100)):
        if name == "undo":
            layer.undo()
            if len(past) > 1:
                future.append(past.pop())
        elif name == "redo":
            layer.redo()
            if future:
                past.append(future.pop())
        else:
            _do(name, session, rng)
            if not np.array_equal(layer.data, past[-1]):
                past.append(layer.data.copy())
                future.clear()
        np.testing.assert_array_equal(layer.data, past[-1])
    steps = len(past) - 1
    for wanted in reversed(past[:-1]):
        layer.undo()
        np.testing.assert_array_equal(layer.data, wanted)
    for wanted in past[1:]:
        layer.redo()
        np.testing.assert_array_equal(layer.data, wanted)
    assert steps > 10
    assert session.save_now()
    on_disk = session.study.read_labels("c")
    np.testing.assert_array_equal(np.zeros(SHAPE, np.uint8) if on_disk is None else on_disk, past[-1])
    session.shut_down()


def _session(study: Study, qtbot: QtBot) -> Session:
    study.close()
    made = Session(ViewerModel())
    made.training.get_ready = lambda: None  # no child for a training that is not asked for
    with qtbot.waitSignal(made.case_opened):
        assert made.open_study(study.folder)
    made.layers.clear()
    with qtbot.waitSignal(made.case_opened):
        made.open_case("c")
    return made


def _do(name: str, session: Session, rng: np.random.Generator) -> None:
    layer = session.layers._shown.labels
    at = tuple(int(rng.integers(size)) for size in SHAPE)
    match name:
        case "stroke" | "erase":
            layer.brush_size = int(rng.integers(1, 6))
            layer.paint(at, 0 if name == "erase" else int(rng.choice((1, 2, 255))))
        case "long stroke":
            with layer.block_history():
                for step in range(5):
                    layer.paint((at[0], at[1], (at[2] + step) % SHAPE[2]), int(rng.choice((1, 2))))
        case "fill":
            layer.fill(at, int(rng.choice((1, 2, 255))))
        case "accept" | "accept one class":
            mask = np.zeros(SHAPE, np.uint8)
            mask[tuple(slice(place, place + 4) for place in at)] = rng.integers(1, 3)
            session.layers.set_mask(mask)
            session.accept(None if name == "accept" else int(rng.integers(1, 3)))
        case "import":
            array = (rng.random(SHAPE) < 0.01).astype(np.uint8) * int(rng.integers(1, 3))
            session.painting.bring({1, 2}, array, complete=False)
