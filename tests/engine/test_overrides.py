"""Single settings of a plan, changed by name."""

import pytest

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.overrides import override, parse_overrides


def test_settings_are_changed_and_checked(make_plan):
    overrides = parse_overrides(
        ["contrast.high_voxel_weight=0", "consistency.paste=false", "optimizer.name=sgd", "warm_up=0.2"]
    )
    plan = override(make_plan(), overrides)
    assert plan.contrast.high_voxel_weight == 0
    assert plan.consistency.paste is False
    assert (plan.optimizer.name, plan.warm_up) == ("sgd", 0.2)
    assert override(make_plan(), {}) == make_plan()


@pytest.mark.parametrize("text", ["contrast.high_voxel_weight", "=1"])
def test_a_change_is_a_name_and_a_value(text):
    with pytest.raises(EngineError, match="not understood"):
        parse_overrides([text])


def test_a_name_comes_once():
    with pytest.raises(EngineError, match="not understood"):
        parse_overrides(["momentum=0.9", "momentum=0.8"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("contrast.weight=0", "no such setting"),
        ("contrast=0", "no such setting"),
        ("momentum.low=0", "no such setting"),
        ("momentum=2", r"--set momentum=2: Input should be less than 1"),
        ("net.name=resnet", r"--set net.name=resnet: Input should be"),
        ("seed=3", "the benchmark sets this itself"),
        ('labeled_cases=["e"]', "the benchmark sets this itself"),
    ],
)
def test_what_is_not_possible_is_answered(make_plan, text, words):
    with pytest.raises(EngineError, match=words):
        override(make_plan(), parse_overrides([text]))
