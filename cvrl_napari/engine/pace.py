"""How long a plan takes: by the steps of earlier runs of the study, else by a measurement of about a second.

Times are counted in steps on labels alone; a step that also learns from unlabeled patches takes some more of them.
"""

import os
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import torch
from torch.nn import functional as F

from cvrl_napari.config import NetConfig, Plan
from cvrl_napari.engine.device import set_threads
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event, StepDone
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.unfinished import last_events
from cvrl_napari.nets.build import build_net

UNLABELED_COST = {"supervised": 1.0, "mean_teacher": 2.4, "cvrl": 2.6}
"""A step with unlabeled patches, in steps without: docs/benchmarks.md, *What a step costs*."""
FEWEST_STEPS = 20
"""Of an earlier run, before it says anything: the first steps are slower."""
PIECE = 48
"""Side of the cubes of voxels on which a new network is timed; a voxel of a smaller one costs more."""
OVERHEAD = 1.25
"""Batches, optimizer and losses beside the network."""
PASSES = 2


def seconds_of(plan: Plan, labels_step: float) -> float:
    """Return the training seconds of a plan whose steps on labels alone take `labels_step` seconds."""
    if plan.minutes is not None:
        return 60 * plan.minutes
    return labels_step * plan.steps * (plan.warm_up + (1 - plan.warm_up) * _cost(plan))


def earlier_step(runs: Path, plan: Plan) -> float | None:
    """Return the seconds that a step on labels alone took in the newest earlier run that computed like this plan.

    Its method may be another one. None while there is no such run.
    """
    for earlier, events in earlier_runs(runs):
        steps = [one for one in events if isinstance(one, StepDone) and FEWEST_STEPS <= one.step < one.total]
        if steps and computes_alike(plan, earlier) and (found := _labels_step(earlier, steps[-1])) is not None:
            return found
    return None


def earlier_runs(runs: Path) -> Iterator[tuple[Plan, list[Event]]]:
    """Yield plan and last events of the runs below a folder, the newest first; what cannot be read is passed over."""
    for config in sorted(runs.glob("*/config.json"), key=os.path.getmtime, reverse=True):
        run = RunFolder(config.parent)
        try:
            told = run.plan(), list(last_events(run.events))
        except (EngineError, OSError):
            continue
        yield told


def computes_alike(plan: Plan, earlier: Plan) -> bool:
    """Whether the steps of two plans cost the same, but for their methods."""
    return all(
        getattr(plan, name) == getattr(earlier, name)
        for name in ("device", "threads", "precision", "patch_size", "labeled_batch", "micro_batches")
    ) and _shape(plan.net) == _shape(earlier.net)


def measured_step(plan: Plan) -> float:
    """Guess the seconds of a step on labels alone from a few passes of its network over small pieces; about a second."""
    voxels = plan.labeled_batch * plan.patch_size[0] * plan.patch_size[1] * plan.patch_size[2]
    return OVERHEAD * voxels * _seconds_a_voxel(_shape(plan.net), plan.labeled_batch, plan.device, plan.threads)


@lru_cache
def _seconds_a_voxel(config: NetConfig, batch: int, device: str, threads: int) -> float:
    """Return the seconds of a forward and a backward pass through a network, a voxel of its input.

    In a batch as large as the run's: one piece by itself misses the fast convolutions, and takes three times as long a voxel.
    On a processor the seconds are its own, as if no other job used it: a moment's load says nothing of the next hour.
    """
    set_threads(threads)
    now = time.process_time if device == "cpu" else time.perf_counter
    with torch.random.fork_rng():
        net = build_net(config).to(device)
        images = torch.zeros(batch, config.in_channels, PIECE, PIECE, PIECE, device=device)
        labels = torch.zeros(batch, PIECE, PIECE, PIECE, dtype=torch.long, device=device)
        took = []
        for _ in range(PASSES):
            started = now()
            F.cross_entropy(net(images).logits, labels).backward()  # type: ignore[no-untyped-call]
            if device == "cuda":
                torch.cuda.synchronize()
            took.append(now() - started)
    return min(took) / (threads if device == "cpu" else 1) / (batch * PIECE**3)


def _labels_step(plan: Plan, step: StepDone) -> float | None:
    """Return the seconds of a step on labels alone from how far a run is, and when it will end by its own clock."""
    if not step.seconds_left:
        return None
    progress = step.step / step.total
    seconds = step.seconds_left * progress / (1 - progress)
    if plan.minutes is None:
        alone = min(step.step, plan.warm_up * step.total)
        return seconds / (alone + (step.step - alone) * _cost(plan))
    alone = min(seconds, plan.warm_up * 60 * plan.minutes)
    return (alone + (seconds - alone) / _cost(plan)) / step.step


def _cost(plan: Plan) -> float:
    return UNLABELED_COST[plan.method] if plan.unlabeled_cases else 1.0


def _shape(net: NetConfig) -> NetConfig:
    """Return the network without what makes no difference to its speed."""
    return net.model_copy(update={"classes": 2, "dropout": 0.0})
