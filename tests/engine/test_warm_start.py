"""A run that starts from a model knows what the model knew, by the names of the structures."""

from pathlib import Path

import pytest
import torch

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine import events as ev
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_card import read_card
from cvrl_napari.engine.model_file import load_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.train import train
from cvrl_napari.engine.warm_start import start_from
from cvrl_napari.methods.build import build_method
from cvrl_napari.study.case import Image
from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.study import Study

REQUEST = TrainRequest(device="cpu", steps=2, threads=1)


@pytest.fixture
def model(ball_study) -> Path:
    done = list(train(ball_study, REQUEST))[-1]
    assert isinstance(done, ev.RunDone)
    return Path(done.model)


def reopened(study: Study, change) -> Study:
    with Study.open(study.folder) as writable:
        change(writable)
    return Study.open(study.folder, read_only=True)


def test_known_structures_keep_what_was_learned_of_them_wherever_they_stand(ball_study, model):
    study = reopened(ball_study, lambda one: one.set_classes(make_classes(["shell", "Ball", "box"])))
    plan = resolve(study, REQUEST.model_copy(update={"start_from": model}), pick("cpu"))
    method, fresh = build_method(plan), build_method(plan)
    start_from(method, model, study.classes)
    learned = load_model(model, torch.device("cpu")).net.state_dict()
    mine, new = method.student.state_dict(), fresh.student.state_dict()
    for part in ("weight", "bias"):
        rows, old, random = (state[f"classifier.{part}"] for state in (mine, learned, new))
        assert torch.equal(rows[0], old[0])
        assert torch.equal(rows[2], old[1])
        assert torch.equal(rows[[1, 3]], random[[1, 3]])
    assert all(torch.equal(mine[name], learned[name]) for name in learned if not name.startswith("classifier."))
    assert all(torch.equal(a, b) for a, b in zip(mine.values(), method.teacher.state_dict().values(), strict=True))
    assert "knows Ball, new to it: shell, box" in " ".join(plan.reasons)


def test_a_warm_start_begins_where_the_model_was_and_remembers_what_it_saw(ball_study, model):
    study = reopened(ball_study, lambda one: (one.set_held_out("a", True), one.set_held_out("e", False)))
    events = list(train(study, REQUEST.model_copy(update={"start_from": model, "method": "supervised", "labeled": ("e",)})))
    planned, done = events[0], events[-1]
    assert isinstance(done, ev.RunDone), done
    assert planned.plan.held_out_cases == ()  # the model has learned from a: it says nothing about it
    assert "Not measured on a:" in " ".join(planned.plan.reasons)
    assert not [event for event in events if isinstance(event, ev.Validated)]
    assert {study.case(case).hash for case in "abcde"} == set(read_card(Path(done.model)).scans)


def test_weights_of_the_first_step_are_the_models(ball_study, model):
    plan = resolve(ball_study, REQUEST.model_copy(update={"start_from": model, "preset": "paper"}), pick("cpu"))
    card = read_card(model)
    assert (plan.net.name, plan.spacing) == (card.net.name, card.spacing)  # the model decides, not the preset
    frozen = plan.model_copy(update={"steps": 1, "optimizer": plan.optimizer.model_copy(update={"learning_rate": 1e-12})})
    done = list(train(ball_study, frozen))[-1]
    assert isinstance(done, ev.RunDone), done
    before, after = (load_model(Path(path), torch.device("cpu")).net.state_dict() for path in (model, done.model))
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_a_model_that_does_not_fit_is_refused_with_a_sentence(ball_study, model, tmp_path):
    with Study.open(ball_study.folder) as study:
        images = [Image(scan=study.case(case).scan) for case in "ab"]
    with Study.create(tmp_path / "two", [(images[0], images[1])], classes=("ball",)) as two:
        scan = two.read_scan(two.cases[0].id)
        two.write_labels(two.cases[0].id, (scan.array > 150).astype("uint8"), state="complete")
    with pytest.raises(EngineError, match="sees 1 image of each case, the cases here have 2"):
        resolve(Study.open(tmp_path / "two", read_only=True), REQUEST.model_copy(update={"start_from": model}), pick("cpu"))
    (failed,) = train(ball_study, REQUEST.model_copy(update={"start_from": tmp_path / "nothing.safetensors"}))
    assert isinstance(failed, ev.RunFailed)
    assert "cannot be read" in failed.message
