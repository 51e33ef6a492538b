"""What a training step of each method costs, beside the same run of the others.

Each method trains in a process of its own, through the engine as it is: loader, forward, backward, optimizer, teacher; same
scans, network, patches and threads, unsupervised terms at full weight and queues filled. The processes take turns, a step
each, so that whatever else the machine does hits all alike. Small scans are made up in the geometry of the left atrium.

    python tests/benchmarks/bench_step.py [--preset quick|standard|paper] [--repetitions 20] [--device auto] [--threads 1]

Seconds are medians, on one CPU thread of processor time, else of wall time. Memory is the largest resident size of the process,
on a GPU that of its tensors. A diagnosis (`engine/probe.py`) is what a run spends now and then on looking at its embeddings.
"""

import argparse
import math
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple, get_args

import nibabel
import numpy as np
import torch

from cvrl_napari.config import DeviceName, MethodName, Plan, TrainRequest
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.events import Diagnosed, Event, RunFailed, StepDone
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.probe import EVERY_SECONDS, LARGEST_SHARE
from cvrl_napari.engine.train import train
from cvrl_napari.study.study import Study

METHODS: tuple[MethodName, ...] = ("supervised", "mean_teacher", "cvrl")
SHAPE, SPACING = (88, 140, 190), 0.625
"""Voxels (z, y, x) and mm of a scan of the left atrium."""
SCANS, LABELED = 4, 2


class Turn(NamedTuple):
    """What a process did when it was its turn: a step (NaN after the last), diagnoses, and its largest memory so far."""

    step: float
    diagnoses: list[float]
    peak_mib: float


def make_study(folder: Path) -> Study:
    """Make scans with a bright ellipsoid in noise, the first of them labeled."""
    grid = np.meshgrid(*(np.linspace(-1, 1, side) for side in SHAPE), indexing="ij")
    inside = np.sum(np.square(grid), axis=0) < 1 / 9
    scans = []
    for number in range(SCANS):
        array = (80 * inside + np.random.default_rng(number).normal(100, 20, SHAPE)).clip(0, 255).astype(np.uint8)
        scans.append(folder / f"scan_{number}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(array.T, np.diag([-SPACING, -SPACING, SPACING, 1.0])), scans[-1])
    study = Study.create(folder / "study", scans, classes=("structure",))
    for case in study.cases[:LABELED]:
        study.write_labels(case.id, inside.astype(np.uint8), state="complete")
    return study


def make_plan(study: Study, request: TrainRequest) -> Plan:
    """Return the preset's plan, the unsupervised terms at full weight from the second step, nothing saved on the way."""
    plan = resolve(study, request, pick(request.device))
    return plan.model_copy(update={"warm_up": 0.0, "ramp_up": 1e-9, "checkpoint_seconds": 1e9})


def take_turns(study: Path, plan: Plan, parent: Connection) -> None:
    """In a process of its own: train, a step each time the parent asks for one."""
    with Study.open(study, read_only=True) as opened, closing(train(opened, plan)) as events:
        while parent.recv():
            parent.send(one_turn(events, plan))


def one_turn(events: Iterator[Event], plan: Plan) -> Turn:
    """Let the run go on until a step is done; after the last one until its end, where it diagnoses once more."""
    clock = time.process_time if (plan.device, plan.threads) == ("cpu", 1) else time.perf_counter
    diagnoses, step, started = [], math.nan, clock()
    for event in events:
        if plan.device == "cuda":
            torch.cuda.synchronize()
        match event:
            case StepDone():
                step = clock() - started
                break
            case Diagnosed():
                diagnoses.append(clock() - started)
            case RunFailed():
                raise SystemExit(f"{event.message} {event.hint}")
        started = clock()
    if plan.device == "cuda":
        return Turn(step, diagnoses, torch.cuda.max_memory_allocated() / 2**20)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return Turn(step, diagnoses, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


def measure(study: Path, plans: dict[MethodName, Plan]) -> dict[MethodName, list[Turn]]:
    """Let the methods take turns until all have made their steps."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = {}, []
    for method, plan in plans.items():
        pipes[method], end = context.Pipe()
        processes.append(context.Process(target=take_turns, args=(study, plan, end), daemon=True))
        processes[-1].start()
        end.close()  # so that recv() fails instead of waiting when the process dies
    turns: dict[MethodName, list[Turn]] = {method: [] for method in plans}
    for _ in range(next(iter(plans.values())).steps + 1):
        for method, pipe in pipes.items():
            pipe.send(True)
            turns[method].append(pipe.recv())
    for pipe, process in zip(pipes.values(), processes, strict=True):
        pipe.send(False)
        process.join()
    return turns


def table(turns: dict[MethodName, list[Turn]], discard: int) -> Iterator[str]:
    """Yield the lines of the table in Markdown."""
    steps = {method: [turn.step for turn in made[discard:-1]] for method, made in turns.items()}
    yield "| method | steps | a step, s | to mean teacher | memory, MiB | a diagnosis, s | every, s | its share |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for method, made in turns.items():
        step = statistics.median(steps[method])
        # Of each round by itself: a slow minute of the machine is in both steps of it.
        ratio = statistics.median(mine / other for mine, other in zip(steps[method], steps["mean_teacher"], strict=True))
        diagnosis = statistics.median(seconds for turn in made for seconds in turn.diagnoses)
        interval = max(EVERY_SECONDS, diagnosis / LARGEST_SHARE)
        yield (
            f"| {method} | {len(steps[method])} | {step:.3f} | {ratio:.2f} | {made[-1].peak_mib:,.0f} "
            f"| {diagnosis:.3f} | {interval:.0f} | {diagnosis / interval:.1%} |"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", choices=("quick", "standard", "paper"), default="quick")
    parser.add_argument("--repetitions", type=int, default=20, help="counted steps of each method")
    parser.add_argument("--discard", type=int, default=4, help="first steps, not counted: they prepare scans and fill queues")
    parser.add_argument("--device", choices=get_args(DeviceName), default="auto")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, make_study(Path(folder)) as study:
        plans = {}
        for method in METHODS:
            request = TrainRequest(
                method=method,
                preset=asked.preset,
                device=asked.device,
                threads=asked.threads,
                steps=asked.discard + asked.repetitions,
                labeled_first=LABELED,
            )
            plans[method] = make_plan(study, request)
        plan = plans["cvrl"]
        patch = " x ".join(map(str, plan.patch_size))
        batch = f"{plan.labeled_batch} + {plan.unlabeled_batch} patches of {patch} (z, y, x)"
        print(f"{asked.preset}: {plan.net.name}, {batch}, {plan.precision}, {pick(plan.device).name}, {plan.threads} threads\n")
        for line in table(measure(study.folder, plans), asked.discard):
            print(line)


if __name__ == "__main__":
    main()
