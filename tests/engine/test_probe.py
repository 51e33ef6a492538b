"""A run looks at its embeddings and is not changed by it."""

import json

import pytest
import torch

from cvrl_napari.config import TrainRequest
from cvrl_napari.data.prepare import prepare
from cvrl_napari.engine.events import Diagnosed
from cvrl_napari.engine.probe import EVERY_SECONDS, LARGEST_SHARE, Probe
from cvrl_napari.engine.run_folder import newest_model
from cvrl_napari.engine.schedule import Clock
from cvrl_napari.engine.train import train
from cvrl_napari.methods.build import build_method


@pytest.fixture
def cases(ball_study):
    return [prepare(ball_study, name, spacing=(2.0, 2.0, 2.0)) for name in "abcd"]


@pytest.mark.parametrize("method", ["supervised", "mean_teacher", "cvrl"])
def test_looking_changes_nothing_and_says_the_same_twice(cases, make_plan, method):
    plan = make_plan(method=method)
    learner, clock, probe = build_method(plan), Clock(plan), Probe(plan)
    before = {name: value.clone() for name, value in learner.state_dict().items() if isinstance(value, torch.Tensor)}
    generator = torch.get_rng_state()
    (first,), (second,) = (probe.diagnose(learner, cases[:2], cases[2:], clock) for _ in range(2))
    assert first == second
    assert learner.training
    assert torch.is_grad_enabled()
    assert torch.equal(generator, torch.get_rng_state())
    assert all(torch.equal(value, learner.state_dict()[name]) for name, value in before.items())
    assert set(first.levels) == {"low", "high"}
    assert 0 <= first.confident <= 1
    for level in first.levels.values():
        assert level.effective_rank > 1
        assert level.queue_age is None  # nothing was queued yet


def test_it_looks_rarely_enough(cases, make_plan):
    plan = make_plan()
    clock, probe = Clock(plan), Probe(plan)
    assert not probe.is_due(EVERY_SECONDS - 1)
    clock.seconds = 100.0
    assert probe.is_due(clock.seconds)
    list(probe.diagnose(build_method(plan), cases[:1], (), clock))
    assert not probe.is_due(clock.seconds + EVERY_SECONDS - 1)
    assert LARGEST_SHARE <= 0.02


def test_a_run_writes_its_diagnosis_down(ball_study):
    request = TrainRequest(device="cpu", steps=2, threads=1)
    (told,) = [event for event in train(ball_study, request) if isinstance(event, Diagnosed)]
    assert told.step == 2
    assert told.levels["high"].queue_age in (0, 1)
    model = newest_model(ball_study.runs_folder)
    assert model is not None
    lines = [json.loads(line) for line in (model.parent / "events.jsonl").read_text().splitlines()]
    assert [line["levels"] for line in lines if line["kind"] == "diagnosed"] == [told.model_dump()["levels"]]
