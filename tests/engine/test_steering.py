"""A pause or a stop in the middle of something long is answered there, and leaves no trace in the run."""

import queue
import threading
import time

import pytest
import torch

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine import events as ev
from cvrl_napari.engine import steering
from cvrl_napari.engine.commands import Inbox, LabelsChanged, Pause, Resume, Stop, View
from cvrl_napari.engine.steering import Interrupted, Steering
from cvrl_napari.engine.train import train
from cvrl_napari.engine.validation import Validator
from cvrl_napari.methods.method import Method

REQUEST = TrainRequest(device="cpu", steps=4, threads=1)


def weights(event):
    from safetensors.torch import load_file

    assert isinstance(event, ev.RunDone), event
    return load_file(event.model)


@pytest.fixture
def inbox() -> Inbox:
    return queue.SimpleQueue()


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(steering, "PATIENCE_S", -1.0)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_step_that_was_interrupted_is_made_again_as_if_nothing_had_been(ball_study, inbox, impatient, monkeypatch, direction):
    whole = weights(list(train(ball_study, REQUEST))[-1])
    losses, calls = Method.losses, []

    def interrupted(self, batch, progress):
        calls.append(progress)
        if len(calls) == 3 and direction == "forward":
            inbox.put(Pause())
        found = losses(self, batch, progress)
        if len(calls) == 3:
            inbox.put(Pause())
        return found

    monkeypatch.setattr(Method, "losses", interrupted)
    events = []
    for event in train(ball_study, REQUEST, inbox=inbox):
        events.append(event)
        if isinstance(event, ev.Paused):
            inbox.put(Resume())
    assert [event.step for event in events if isinstance(event, ev.Paused)] == [2]
    assert len(calls) == 5  # the third step twice
    assert [event.step for event in events if isinstance(event, ev.StepDone)] == [1, 2, 3, 4]
    parts = weights(events[-1])
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_a_stop_does_not_wait_for_the_end_of_a_measurement(ball_study, inbox, impatient, monkeypatch):
    measure = Validator.measure

    def stopped(self, *arguments):
        inbox.put(Stop())
        yield from measure(self, *arguments)

    monkeypatch.setattr(Validator, "measure", stopped)
    events = list(train(ball_study, REQUEST, inbox=inbox))
    assert not [event for event in events if isinstance(event, ev.Validated)]
    assert isinstance(events[-1], ev.RunDone)
    assert not events[-1].stopped  # all steps were made: there is nothing to go on with


def test_a_stop_while_scans_are_prepared_is_answered_before_they_are(inbox):
    steered, free = Steering(inbox), threading.Event()
    inbox.put(Stop())
    started = time.monotonic()
    with pytest.raises(Interrupted):
        steered.during(lambda: free.wait(60))
    assert time.monotonic() - started < 2
    free.set()


def test_what_is_done_meanwhile_comes_back_or_fails_as_it_would_alone(inbox):
    steered = Steering(inbox)
    assert steered.during(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        steered.during(lambda: 1 // 0)


def test_short_things_are_let_finish_and_a_resume_in_time_changes_nothing(inbox):
    steered = Steering(inbox)
    inbox.put(Pause())
    steered.check()  # it has only just been asked
    assert steered.paused
    inbox.put(Resume())
    inbox.put(View(case="b"))
    inbox.put(LabelsChanged(case="a"))
    steered.check()
    assert not steered.paused
    assert (steered.pop_view(), steered.pop_view()) == (View(case="b"), None)
    assert (steered.pop_changed_labels(), steered.pop_changed_labels()) == (["a"], [])
