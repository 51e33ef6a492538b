"""What is given up for memory, in which order, and that a run goes on through it."""

import os
import subprocess
import sys

import pytest
import torch

from cvrl_napari.config import TrainRequest
from cvrl_napari.data.batch import Batch
from cvrl_napari.engine import events as ev
from cvrl_napari.engine.memory_ladder import next_rung
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.train import train
from cvrl_napari.methods.build import build_method
from cvrl_napari.methods.method import Method

REQUEST = TrainRequest(device="cpu", steps=4, threads=1)


def test_time_is_given_up_before_sight(make_plan):
    plan, steps = make_plan(patch_size=(64, 64, 32)), []
    while (rung := next_rung(plan)) is not None:
        plan = rung.plan
        steps.append((plan.micro_batches, plan.net.recompute, plan.patch_size))
    assert steps[:3] == [(2, False, (64, 64, 32)), (2, True, (64, 64, 32)), (2, True, (48, 48, 24))]
    assert steps[-1] == (2, True, (16, 16, 16))
    assert all(side % 8 == 0 for _, _, patch in steps for side in patch)


def test_a_graphics_card_halves_the_length_of_its_numbers_and_a_processor_does_not(make_plan):
    plan = make_plan(micro_batches=2)
    assert next_rung(plan.model_copy(update={"device": "cuda"})).plan.precision == "bfloat16"
    assert next_rung(plan).plan.precision == "float32"


def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(4, 1, 16, 16, 16, generator=generator)
    return Batch(images, images + 1, torch.arange(2, dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 16, 16, 16))


def test_a_batch_in_parts_is_the_same_patches_each_with_its_label():
    whole = batch()
    parts = whole.split(2)
    assert [part.labels.unique().tolist() for part in parts] == [[0], [1]]
    for number, part in enumerate(parts):
        assert torch.equal(part.student_images, whole.student_images[[number, 2 + number]])
        assert torch.equal(part.teacher_images, whole.teacher_images[[number, 2 + number]])
    assert whole.split(5)[1].labels.shape == parts[1].labels.shape  # no part without a label
    assert whole.split(1) == [whole]


@pytest.mark.parametrize("name", ["compact", "vnet"])
def test_what_is_computed_twice_is_the_same(make_plan, name):
    plan = make_plan(method="mean_teacher", net={"name": name, "levels": 3, "dropout": 0.3})
    states = []
    for recompute in (False, True):
        method = build_method(plan)
        method.student.recompute = recompute
        method.train()
        losses = method.losses(batch(), 1.0)
        losses["total"].backward()
        gradients = [parameter.grad for parameter in method.student.parameters()]
        statistics = [buffer for key, buffer in method.student.named_buffers() if "running" in key]
        states.append([losses["total"], *gradients, *statistics])
    assert all(torch.equal(one, other) for one, other in zip(*states, strict=True))


def test_a_run_short_of_memory_gives_up_something_says_so_and_goes_on(ball_study, monkeypatch):
    """An allocation above a limit fails, as it would on a small computer: at first of the second step, then of any step."""
    losses, sizes = Method.losses, []

    def short_of_memory(self, given, progress):
        sizes.append(given.student_images.numel())
        if len(sizes) > 1 and sizes[-1] >= sizes[0]:
            torch.empty(2**60)  # the real error
        return losses(self, given, progress)

    monkeypatch.setattr(Method, "losses", short_of_memory)
    events = list(train(ball_study, REQUEST.model_copy(update={"method": "supervised"})))
    (adjusted,) = [event for event in events if isinstance(event, ev.Adjusted)]
    assert "memory did not suffice: the patches of a step are computed one after the other" in adjusted.why
    assert adjusted.step == 1
    assert [event.step for event in events if isinstance(event, ev.StepDone)] == [1, 2, 3, 4]
    done = events[-1]
    assert isinstance(done, ev.RunDone)
    assert RunFolder(ball_study.runs_folder / done.run).plan().micro_batches == 2  # where it goes on, it begins there


def test_a_run_that_can_give_up_nothing_more_ends_with_a_sentence(ball_study, monkeypatch):
    monkeypatch.setattr(Method, "losses", lambda *_: torch.empty(2**60))
    events = list(train(ball_study, REQUEST))
    assert len([event for event in events if isinstance(event, ev.Adjusted)]) >= 3
    assert isinstance(events[-1], ev.RunFailed)
    assert "not enough memory" in events[-1].message


LIMITED = """
import resource, sys
from pathlib import Path
import psutil
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import Planned, RunDone, StepDone
from cvrl_napari.engine.train import preload, train
from cvrl_napari.study.study import Study

preload()
study = Study.open(Path(sys.argv[1]), read_only=True)
for event in train(study, TrainRequest(device="cpu", preset="standard", method="supervised", steps=2, threads=1)):
    if isinstance(event, Planned):
        limit = psutil.Process().memory_info().vms + int(sys.argv[2]) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    print(event.line(), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit to the memory of a process is Linux's")
def test_under_a_real_limit_to_the_memory_a_run_gives_up_something_and_ends_well_or_with_a_sentence(phantom_folder):
    command = [sys.executable, "-c", LIMITED, str(phantom_folder), "550"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    events = [ev.parse_event(line) for line in ran.stdout.splitlines()]
    assert [event for event in events if isinstance(event, ev.Adjusted)], ran.stderr[-2000:]
    end = events[-1]
    assert isinstance(end, ev.RunDone) or (isinstance(end, ev.RunFailed) and "not enough memory" in end.message), end


@pytest.fixture
def phantom_folder(tmp_path):
    from cvrl_napari.study.phantom import create_phantom

    create_phantom(tmp_path / "study", size=0.5).close()
    return tmp_path / "study"
