"""The curves hold what the run told, smoothed, and begin anew with a new run."""

import pytest
from pytestqt.qtbot import QtBot

from cvrl_napari.engine.events import Planned, StepDone, Validated
from cvrl_napari.gui.curves import NOT_MEASURED, SMOOTHING, Curves
from cvrl_napari.study.classes import make_classes

pytestmark = pytest.mark.gui


@pytest.fixture
def curves(qtbot: QtBot) -> Curves:
    made = Curves()
    qtbot.addWidget(made)
    made.set_classes(make_classes(["chamber", "wall"]))
    return made


def test_the_loss_is_smoothed_from_its_first_value(curves: Curves, qtbot: QtBot):
    for step, loss in ((1, 2.0), (2, 1.0)):
        curves.add(StepDone(step=step, total=10, losses={"supervised": loss, "total": 2 * loss}))
    qtbot.waitUntil(lambda: curves.drawn_loss() == ([1, 2], [2.0, pytest.approx(SMOOTHING * 2 + (1 - SMOOTHING) * 1)]))


def test_dice_is_named_and_colored_by_class_and_comes_to_the_front(curves: Curves, qtbot: QtBot):
    assert curves.currentIndex() == 0
    curves.add(Validated(step=5, dice={1: 0.4, 2: 0.7}, cases=4))
    curves.add(Validated(step=9, dice={1: 0.8, 2: 0.9}, cases=4))
    assert curves.currentIndex() == 1
    assert curves.latest_dice() == {1: 0.8, 2: 0.9}
    qtbot.waitUntil(lambda: curves.legend() == ["chamber 0.80", "wall 0.90"])


def test_a_new_run_starts_with_empty_curves(curves: Curves):
    curves.add(Validated(step=5, dice={1: 0.4}, cases=4))
    curves.clear_curves()
    assert curves.latest_dice() == {}
    assert curves.legend() == []


def test_without_a_held_out_case_dice_is_not_measured_and_says_so(curves: Curves, make_plan):
    curves.add(Planned(run="r", plan=make_plan()))
    assert curves.dice_title() == NOT_MEASURED
    curves.add(Planned(run="r", plan=make_plan(held_out_cases=("e",))))
    assert curves.dice_title() == ""
