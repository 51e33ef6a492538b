"""Real runs of a few steps on real files."""

import math
import queue
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine import events as ev
from cvrl_napari.engine import train as train_module
from cvrl_napari.engine.commands import Inbox, LabelsChanged, Pause, Resume, Stop, View
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.model_card import read_card
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.run_folder import RunFolder, newest_model
from cvrl_napari.engine.schedule import learning_rate
from cvrl_napari.engine.train import train
from cvrl_napari.engine.unfinished import past_events, unfinished_run
from cvrl_napari.methods.method import Method
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.study import Study

SHORT = TrainRequest(device="cpu", steps=4, threads=1)


def weights(event: ev.Event) -> dict[str, torch.Tensor]:
    assert isinstance(event, ev.RunDone), event
    return load_file(event.model)


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("method", ["supervised", "mean_teacher", "cvrl"])
def test_a_run_tells_its_story_and_leaves_a_model(ball_study, method):
    events = list(train(ball_study, SHORT.model_copy(update={"method": method})))
    assert isinstance(events[0], ev.Planned)
    steps = of_kind(events, ev.StepDone)
    assert [event.step for event in steps] == [1, 2, 3, 4]
    assert all(np.isfinite(list(event.losses.values())).all() for event in steps)
    done = events[-1]
    assert isinstance(done, ev.RunDone)
    assert (done.step, done.stopped) == (4, False)
    run = RunFolder(Path(done.run))
    assert [ev.parse_event(line) for line in run.events.read_bytes().splitlines()] == events
    assert run.plan() == events[0].plan
    assert newest_model(ball_study.runs_folder) == run.model
    validated = of_kind(events, ev.Validated)
    assert validated[-1].cases == 1
    assert set(validated[-1].dice) == {1}


def test_learning_a_ball_from_two_labels_finds_the_held_out_one(ball_study):
    events = list(train(ball_study, SHORT.model_copy(update={"steps": 60})))
    assert of_kind(events, ev.Validated)[-1].dice[1] > 0.8


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(ball_study):
    first, again, other = (weights(list(train(ball_study, SHORT.model_copy(update={"seed": seed})))[-1]) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_a_warm_cache_gives_the_same_weights_as_a_cold_one(ball_study):
    request = SHORT.model_copy(update={"steps": 8})
    assert not any((ball_study.folder / "cache").glob("*"))
    cold, warm = (weights(list(train(ball_study, request))[-1]) for _ in range(2))
    assert all(torch.equal(cold[name], warm[name]) for name in cold)


def test_only_what_the_first_step_needs_is_prepared_before_it(ball_study):
    events = list(train(ball_study, SHORT.model_copy(update={"steps": 8})))
    first_step = next(number for number, event in enumerate(events) if isinstance(event, ev.StepDone))
    prepared = of_kind(events[:first_step], ev.Progress)
    assert 0 < len(prepared) <= 2  # labeled cases: the warm-up looks at no other
    everything = of_kind(events, ev.Progress)[-1]
    assert everything.done == everything.total > len(prepared)


def test_without_a_warm_up_the_unlabeled_scans_of_the_first_step_are_there(ball_study):
    plan = resolve(ball_study, SHORT, pick("cpu")).model_copy(update={"warm_up": 0.0})
    events = list(train(ball_study, plan))
    assert isinstance(events[-1], ev.RunDone), events[-1]
    assert "consistency" in of_kind(events, ev.StepDone)[0].losses


def test_a_stopped_run_resumes_as_if_never_interrupted(ball_study):
    whole = weights(list(train(ball_study, SHORT))[-1])
    inbox: Inbox = queue.SimpleQueue()
    events = []
    for event in train(ball_study, SHORT, inbox=inbox):
        events.append(event)
        if isinstance(event, ev.StepDone) and event.step == 2:
            inbox.put(Stop())
    stopped = events[-1]
    assert isinstance(stopped, ev.RunDone)
    assert (stopped.step, stopped.stopped) == (2, True)
    resumed = list(train(ball_study, SHORT, resume=Path(stopped.run)))
    assert [event.step for event in of_kind(resumed, ev.StepDone)] == [3, 4]
    parts = weights(resumed[-1])
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_closing_the_generator_saves_what_was_learned(ball_study):
    events = train(ball_study, SHORT)
    for event in events:
        if isinstance(event, ev.StepDone):
            break
    events.close()
    assert newest_model(ball_study.runs_folder) is not None


def test_a_paused_run_waits_for_its_resume(ball_study):
    inbox: Inbox = queue.SimpleQueue()
    kinds = []
    for event in train(ball_study, SHORT, inbox=inbox):
        if isinstance(event, ev.StepDone) and event.step == 1:
            inbox.put(Pause())
        if isinstance(event, ev.Paused):
            inbox.put(Resume())
        if not isinstance(event, ev.Progress):
            kinds.append(event.kind)
    assert kinds[kinds.index("paused") + 1] == "resumed"
    assert kinds[-1] == "done"


def test_the_scan_on_view_gets_its_mask_on_its_own_grid(ball_study):
    inbox: Inbox = queue.SimpleQueue()
    inbox.put(View(case="c", axis=0, index=10))
    events = list(train(ball_study, SHORT.model_copy(update={"steps": 40}), inbox=inbox))
    previews = of_kind(events, ev.PreviewReady)
    assert previews
    assert {event.case for event in previews} == {"c"}
    mask = np.load(previews[-1].path, mmap_mode="r")
    assert mask.dtype == np.uint8
    assert mask.shape == ball_study.read_scan("c").array.shape
    assert set(np.unique(mask)) <= {0, 1}


def test_what_is_painted_while_training_is_learned_from(ball_study):
    inbox: Inbox = queue.SimpleQueue()
    events = []
    for event in train(ball_study, SHORT, inbox=inbox):
        events.append(event)
        if isinstance(event, ev.StepDone) and event.step == 1:
            study = Study.open(ball_study.folder)
            painted = np.zeros(study.read_scan("c").array.shape, np.uint8)
            painted[8:12, 10:14, 12:16] = 1
            study.write_labels("c", painted)
            study.close()
            inbox.put(LabelsChanged(case="c"))
    taken = of_kind(events, ev.LabelsTaken)
    assert taken[0].cases == ("a", "b")
    assert (taken[1].cases, taken[1].step) == (("c",), 1)
    assert isinstance(events[-1], ev.RunDone)


def test_a_class_added_while_training_is_left_to_the_next_run(ball_study):
    inbox: Inbox = queue.SimpleQueue()
    events = []
    for event in train(ball_study, SHORT, inbox=inbox):
        events.append(event)
        if isinstance(event, ev.StepDone) and event.step == 1:
            with Study.open(ball_study.folder) as study:
                study.set_classes((*study.classes, StructureClass(id=2, name="box", color="#123456")))
                painted = np.zeros(study.read_scan("c").array.shape, np.uint8)
                painted[8:12, 10:14, 12:16] = 2
                study.write_labels("c", painted)
            inbox.put(LabelsChanged(case="c"))
    assert "c is painted with a class that was added" in of_kind(events, ev.Adjusted)[0].why
    done = events[-1]
    assert isinstance(done, ev.RunDone)
    assert [one.name for one in read_card(Path(done.model)).classes] == ["ball"]
    with Study.open(ball_study.folder, read_only=True) as study:
        refused = list(train(study, SHORT, resume=Path(done.run)))
    assert isinstance(refused[-1], ev.RunFailed)
    assert "classes of the study have changed" in refused[-1].message


def test_unpainted_voxels_of_a_partial_case_take_no_part(ball_study):
    """Labels that differ only where nothing is known give the same run."""
    study = Study.open(ball_study.folder)
    strokes = np.zeros(study.read_scan("a").array.shape, np.uint8)
    strokes[10, 8:12, 10:14] = 1
    strokes[10, 2:4, 2:20] = 255
    study.write_labels("a", strokes, state="partial")
    study.close()
    study = Study.open(ball_study.folder, read_only=True)
    target = study.training_target("a")
    assert (int((target == 1).sum()), int((target == 0).sum())) == (16, 36)
    events = list(train(study, SHORT.model_copy(update={"labeled": ("a",), "steps": 40, "method": "supervised"})))
    assert isinstance(events[-1], ev.RunDone)
    assert of_kind(events, ev.StepDone)[-1].losses["supervised"] < of_kind(events, ev.StepDone)[0].losses["supervised"]


def test_a_study_without_labels_fails_with_a_sentence(ball_study, tmp_path):
    bare = Study.create(tmp_path / "bare", [ball_study.folder.parent / "scans" / "c.nii.gz"])
    events = list(train(bare, SHORT))
    assert len(events) == 1
    assert isinstance(events[0], ev.RunFailed)
    assert "No scan is labeled yet" in events[0].message


def truncate(study, *names):
    for name in names:
        scan = study.folder.parent / "scans" / f"{name}.nii.gz"
        scan.write_bytes(scan.read_bytes()[:500])


def test_scans_that_became_unreadable_are_named_and_left_out(ball_study):
    truncate(ball_study, "a", "d", "e")
    events = list(train(ball_study, SHORT))
    assert [event.why.split()[0] for event in of_kind(events, ev.Adjusted)] == ["a", "d", "e"]
    assert "d.nii.gz" in of_kind(events, ev.Adjusted)[1].why
    assert isinstance(events[-1], ev.RunDone)


def test_without_a_readable_labeled_scan_the_run_fails_and_names_one(ball_study):
    truncate(ball_study, "a", "b")
    failed = list(train(ball_study, SHORT))[-1]
    assert isinstance(failed, ev.RunFailed)
    assert "b.nii.gz" in failed.message


def test_a_run_by_the_clock_ends_by_the_clock(ball_study):
    events = list(train(ball_study, TrainRequest(device="cpu", minutes=0.05, threads=1)))
    done = events[-1]
    assert isinstance(done, ev.RunDone)
    steps = of_kind(events, ev.StepDone)
    assert steps[-1].step == steps[-1].total == done.step > 1


@pytest.fixture
def poison(monkeypatch):
    """Return a function that makes the losses of some steps, counted over the whole run, no number."""

    def poison(method_class, steps):
        count = 0
        losses = method_class.losses

        def poisoned(self, batch, progress):
            nonlocal count
            count += 1
            found = losses(self, batch, progress)
            return {**found, "total": found["total"] * float("nan")} if count in steps else found

        monkeypatch.setattr(method_class, "losses", poisoned)

    return poison


def test_a_loss_that_is_no_number_goes_back_to_the_last_checkpoint_at_half_the_rate(ball_study, poison, monkeypatch):
    rates = []
    step = torch.optim.AdamW.step
    monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, *a: rates.append(self.param_groups[0]["lr"]) or step(self, *a))
    plan = resolve(ball_study, SHORT.model_copy(update={"steps": 6}), pick("cpu"))
    poison(Method, {4})
    monkeypatch.setattr(train_module, "CHECKPOINT_SHARE", math.inf)
    events = list(train(ball_study, plan.model_copy(update={"checkpoint_seconds": 1e-6})))
    (adjusted,) = of_kind(events, ev.Adjusted)
    assert "went back to step 3 and goes on at half the learning rate" in adjusted.why
    assert [event.step for event in of_kind(events, ev.StepDone)] == [1, 2, 3, 4, 5, 6]
    assert all(torch.isfinite(tensor).all() for tensor in weights(events[-1]).values())
    assert rates[3] == pytest.approx(0.5 * learning_rate(plan.optimizer, 3 / 6))


def test_without_a_checkpoint_it_begins_anew_and_after_three_times_it_gives_up(ball_study, poison):
    poison(Method, {2, 3, 4, 5})
    events = list(train(ball_study, SHORT))
    assert [event.step for event in of_kind(events, ev.StepDone)] == [1]
    assert ["began anew" in event.why for event in of_kind(events, ev.Adjusted)] == [True] * 3
    assert isinstance(events[-1], ev.RunFailed)
    assert "lost its way 4 times" in events[-1].message
    assert newest_model(ball_study.runs_folder) is None  # no weights that are no good


def test_a_gradient_that_is_no_number_never_reaches_the_weights(ball_study, monkeypatch):
    count = 0
    clip = torch.nn.utils.clip_grad_norm_

    def overflow(parameters, largest):
        nonlocal count
        count += 1
        if count == 2:
            parameters[0].grad.fill_(float("inf"))
        return clip(parameters, largest)

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", overflow)
    events = list(train(ball_study, SHORT))
    assert len(of_kind(events, ev.Adjusted)) == 1
    assert all(torch.isfinite(tensor).all() for tensor in weights(events[-1]).values())


def test_what_was_painted_between_two_parts_of_a_run_is_learned_from(ball_study):
    plan = resolve(ball_study, SHORT, pick("cpu"))
    events = train(ball_study, plan)
    for event in events:
        if isinstance(event, ev.StepDone) and event.step == 2:
            events.close()
            break
    run = unfinished_run(ball_study.runs_folder, classes=1)
    assert (run.step, run.total) == (2, 4)
    with Study.open(ball_study.folder) as study:
        study.write_labels("c", np.ones_like(study.read_scan("c").array, np.uint8), state="complete")
    reopened = Study.open(ball_study.folder, read_only=True)
    resumed = list(train(reopened, SHORT, resume=run.path))
    assert [event.cases for event in of_kind(resumed, ev.LabelsTaken)] == [("a", "b"), ("c",)]
    assert isinstance(resumed[-1], ev.RunDone), resumed[-1]
    assert unfinished_run(ball_study.runs_folder, classes=1) is None  # it is at its end


def test_a_run_for_other_classes_or_without_a_checkpoint_cannot_go_on(ball_study):
    assert unfinished_run(ball_study.runs_folder, classes=1) is None
    events = train(ball_study, SHORT)
    for event in events:
        if isinstance(event, ev.StepDone):
            events.close()
            break
    run = unfinished_run(ball_study.runs_folder, classes=1)
    assert unfinished_run(ball_study.runs_folder, classes=2) is None
    assert [event.step for event in past_events(run.path) if isinstance(event, ev.StepDone)] == [1]
    with RunFolder(run.path).events.open("a") as lines:
        lines.write('{"kind": "step", "st')  # cut short by a crash
    assert unfinished_run(ball_study.runs_folder, classes=1) == run
    RunFolder(run.path).checkpoint.unlink()
    assert unfinished_run(ball_study.runs_folder, classes=1) is None
