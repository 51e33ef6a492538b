"""Kill a training at random moments, go on from what is left, and compare the final weights with those of a run left alone.

`python tests/benchmarks/bench_kill_points.py [--kills 20] [--steps 12] [--seed 0]`

A checkpoint is written after every step here, and every second kill waits for the next write and falls into it. The run goes
on from its newest checkpoint, or begins anew where there was none.
"""

import argparse
import queue
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

import cvrl_napari.engine.train as engine
from cvrl_napari.config import Plan, TrainRequest
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.events import RunDone
from cvrl_napari.engine.plan import resolve
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

CHILD = """
import os, sys, time
from pathlib import Path
import cvrl_napari.engine.train as engine
from cvrl_napari.config import Plan
from cvrl_napari.study.study import Study
engine.CHECKPOINT_SHARE = float("inf")
flush = os.fsync
os.fsync = lambda file: (time.sleep(0.03), flush(file))  # a slow disk, so that a kill can meet it
study = Study.open(Path(sys.argv[1]), read_only=True)
for event in engine.train(study, Plan.model_validate_json(sys.argv[2])):
    print(event.line(), flush=True)
"""


def final_weights(study: Study, plan: Plan, resume: Path | None = None) -> dict[str, torch.Tensor]:
    """Train to the end and return the student."""
    *_, last = engine.train(study, plan, inbox=queue.SimpleQueue(), resume=resume)
    assert isinstance(last, RunDone), last
    return load_file(last.model)


def kill_once(study: Study, plan: Plan, step: int, seconds: float, *, writing: bool) -> tuple[Path | None, bool]:
    """Train in a child and kill it so many seconds after a step, or with `writing` in the first write after that.

    Returns
    -------
    run : Path or None
        None where no checkpoint was left.
    torn : bool
        Whether an unfinished file was left.
    """
    before = set(study.runs_folder.glob("*"))
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(study.folder), plan.model_dump_json()], stdout=subprocess.PIPE)
    assert child.stdout is not None
    told = 0
    child.stdout.readline()  # the plan: the run has its folder
    while told < step:
        told += b'"kind":"step"' in child.stdout.readline()
    time.sleep(seconds)
    (run,) = set(study.runs_folder.glob("*")) - before
    while writing and child.poll() is None and not torn_files(run):
        time.sleep(0.0005)
    child.kill()
    child.communicate()
    return (run if (run / "checkpoint" / "state.safetensors").is_file() else None), bool(torn_files(run))


def torn_files(run: Path) -> list[Path]:
    """Return the files of a run that are being written."""
    return [path for folder in (run, run / "checkpoint") for path in folder.glob(".*safetensors*")]


def main() -> None:
    """Print a table of kill points and the cost of checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    moments = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as place:
        create_phantom(Path(place) / "study", size=0.3).close()
        study = Study.open(Path(place) / "study", read_only=True)
        plan = resolve(study, TrainRequest(device="cpu", preset="quick", steps=options.steps, threads=1), pick("cpu"))
        plan = plan.model_copy(update={"checkpoint_seconds": 1e-6, "validate_seconds": 3.0})
        started = time.monotonic()
        whole = final_weights(study, plan)
        length = (time.monotonic() - started) / options.steps
        engine.CHECKPOINT_SHARE = float("inf")
        equal = 0
        header = "| kill | after step | and seconds | a write cut short | went on from | weights |"
        table = [header, "|--:|--:|--:|---|---|---|"]
        for number in range(1, options.kills + 1):
            step, seconds = moments.randrange(options.steps - 1), moments.uniform(0, length)
            run, torn = kill_once(study, plan, step, seconds, writing=number % 2 == 0)
            same = all(torch.equal(whole[name], tensor) for name, tensor in final_weights(study, plan, run).items())
            equal += same
            source = "its checkpoint" if run else "the beginning"
            cells = number, step, f"{seconds:.2f}", "yes" if torn else "", source, "equal" if same else "DIFFERENT"
            table.append(f"| {' | '.join(map(str, cells))} |")
            print(table[-1], flush=True)
        print("\n".join(table))
        print(f"{equal} of {options.kills} equal to the run that was left alone, bit for bit")


if __name__ == "__main__":
    main()
