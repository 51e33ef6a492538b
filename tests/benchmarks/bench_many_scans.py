"""A study of hundreds of scans: how soon the first step comes, what the steps wait for, and how much memory it takes.

    python tests/benchmarks/bench_many_scans.py [--scans 500] [--side 128] [--seconds 120] [--threads 1]

Noise with a bright ball, uint8, made in a temporary folder (1 GB for 500 scans of 128 x 128 x 128), the first 8 labeled; one
scan is on view. The training runs in this process as it does in the viewer's child, with an empty cache, for so many seconds of
training. A step waits inside `loader.next`; what the thread of batches does meanwhile is not waiting.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from queue import SimpleQueue

import nibabel
import numpy as np
import psutil

from cvrl_napari.config import TrainRequest
from cvrl_napari.data.ahead import BatchAhead
from cvrl_napari.data.batch import Batch
from cvrl_napari.engine.commands import Inbox, View
from cvrl_napari.engine.events import PreviewReady, RunFailed, StepDone
from cvrl_napari.engine.memory import keep_freed_memory
from cvrl_napari.engine.train import train
from cvrl_napari.study.study import Study

LABELED = 8


def make_study(folder: Path, scans: int, side: int) -> Study:
    """Make the scans and a study of them."""
    rng = np.random.default_rng(0)
    axis = np.linspace(-1, 1, side, dtype=np.float32)
    away = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
    noise = rng.integers(60, 140, (side, side, side), np.uint8)
    files = []
    for number in range(scans):
        array = np.roll(noise, number, axis=number % 3) + (80 * (away < rng.uniform(0.1, 0.3))).astype(np.uint8)
        files.append(folder / f"scan_{number:04}.nii")
        nibabel.save(nibabel.Nifti1Image(array, np.diag([-1.0, -1.0, 1.0, 1.0])), files[-1])
    study = Study.create(folder / "study", files, classes=("ball",))
    for case in study.cases[:LABELED]:
        study.write_labels(case.id, (away < 0.2).astype(np.uint8), state="complete")
    return study


class Waits:
    """Measures how long each step waits for its batch."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        plain = BatchAhead.next

        def timed(loader: BatchAhead, *, with_unlabeled: bool = True) -> Batch:
            started = time.perf_counter()
            batch = plain(loader, with_unlabeled=with_unlabeled)
            self.seconds.append(time.perf_counter() - started)
            return batch

        BatchAhead.next = timed  # type: ignore[method-assign]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=500)
    parser.add_argument("--side", type=int, default=128)
    parser.add_argument("--seconds", type=float, default=120.0, help="of training")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    keep_freed_memory()
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        made = time.monotonic()
        study = make_study(Path(folder), asked.scans, asked.side)
        print(f"{asked.scans} scans written and opened as a study in {time.monotonic() - made:.0f} s", flush=True)
        inbox: Inbox = SimpleQueue()
        inbox.put(View(case=study.cases[-1].id, axis=0, index=asked.side // 2))
        request = TrainRequest(preset="quick", device="cpu", threads=asked.threads, minutes=asked.seconds / 60)
        waits, steps, previews, memory, files = Waits(), [], [], 0, 0
        pressed = before = time.monotonic()
        for event in train(study, request, inbox=inbox):
            now = time.monotonic()
            match event:
                case StepDone():
                    if not steps:
                        print(f"first step after {now - pressed:.1f} s", flush=True)
                    steps.append(now - before)
                case PreviewReady():
                    if not previews:
                        print(f"first mask after {now - pressed:.1f} s", flush=True)
                    previews.append(now - before)
                case RunFailed():
                    raise SystemExit(f"{event.message} {event.hint}")
            memory, files = max(memory, process.memory_info().rss), max(files, process.num_fds())
            before = time.monotonic()
        shares = [wait / step for wait, step in zip(waits.seconds, steps, strict=False)]
        prepared = len(list(study.cache_folder.rglob("*.json")))
        print(f"{len(steps)} steps, median {statistics.median(steps):.2f} s; {prepared} scans prepared meanwhile")
        print(
            f"waiting for a batch: median {statistics.median(shares):.2%} of a step, mean {sum(waits.seconds) / sum(steps):.2%}"
        )
        print(f"{len(previews)} previews, {sum(previews) / (before - pressed):.1%} of the time")
        print(f"largest resident memory {memory / 2**30:.2f} GiB, at most {files} files open")
        study.close()


if __name__ == "__main__":
    main()
