"""What checkpoints and previews take of a training: `python tests/benchmarks/bench_shares.py [--minutes 5] [--size 1.0]`.

The phantom is trained on by the clock, on one thread, while somebody looks at one of its unlabeled scans. What a preview, a
checkpoint, a measurement or a diagnosis takes is measured round the functions that make them.
"""

import argparse
import queue
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import cvrl_napari.engine.train as engine
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import View
from cvrl_napari.engine.events import RunDone
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

JOBS = {"_write": "checkpoints", "_preview": "previews", "_validate": "measurements", "_diagnose": "diagnoses"}


def timed(make: Callable[..., Any], spent: list[float]) -> Callable[..., Any]:
    """Return the function with its seconds, or those of the generator that it returns, added to a list at each call."""

    @wraps(make)
    def measured(*arguments: Any, **options: Any) -> Any:
        started = time.monotonic()
        made = make(*arguments, **options)
        if not isinstance(made, Iterator):
            spent.append(time.monotonic() - started)
            return made
        return through(made, started)

    def through(events: Iterator[Any], started: float) -> Iterator[Any]:
        seconds = time.monotonic() - started
        while True:
            started = time.monotonic()
            event = next(events, None)
            seconds += time.monotonic() - started  # without what the listener takes
            if event is None:
                break
            yield event
        spent.append(seconds)

    return measured


def main() -> None:
    """Print a table of shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--size", type=float, default=1.0, help="of the phantom")
    asked = parser.parse_args()
    spent: dict[str, list[float]] = defaultdict(list)
    for name, what in JOBS.items():
        setattr(engine._Run, name, timed(getattr(engine._Run, name), spent[what]))
    with tempfile.TemporaryDirectory() as place:
        create_phantom(Path(place) / "study", size=asked.size).close()
        study = Study.open(Path(place) / "study", read_only=True)
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        inbox.put(View(case=study.unlabeled_cases()[0], axis=0, index=20))
        request = TrainRequest(preset="quick", device="cpu", minutes=asked.minutes, threads=1)
        *_, last = engine.train(study, request, inbox=inbox)
    assert isinstance(last, RunDone), last
    print(f"{last.step:,} steps in {last.seconds:.0f} s")
    print("| what | how often | one, median, s | share of the time |\n|---|--:|--:|--:|")
    for what, seconds in spent.items():
        middle = sorted(seconds)[len(seconds) // 2] if seconds else 0.0
        print(f"| {what} | {len(seconds)} | {middle:.2f} | {100 * sum(seconds) / last.seconds:.1f} % |")


if __name__ == "__main__":
    main()
