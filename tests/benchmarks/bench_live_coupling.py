"""How long a stroke takes to reach a running training: from the hand to the event that tells that the model learns from it.

    xvfb-run -a python tests/benchmarks/bench_live_coupling.py [--strokes 6]

A real run in its child process on a small phantom, in the session that the dock drives, without a window. First single
strokes with a rest after each, then one every 0.2 seconds without any: of these the oldest that is not taken up counts.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import LabelsTaken, StepDone
from cvrl_napari.gui.session import Session
from cvrl_napari.study.phantom import create_phantom

PAUSE_S = 0.2


def wait(condition: Callable[[], bool], seconds: float) -> None:
    """Let the event loop run until something is so."""
    end = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError("the training did not answer")
        QApplication.processEvents()
        time.sleep(0.005)


def main() -> None:
    """Train, paint, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--strokes", type=int, default=6)
    strokes = parser.parse_args().strokes
    application = QApplication([])
    with tempfile.TemporaryDirectory() as place:
        create_phantom(Path(place) / "study", size=0.4).close()
        session = Session(ViewerModel())
        session.open_study(Path(place) / "study")
        wait(lambda: bool(session.case), 60)
        steps: list[StepDone] = []
        taken: list[float] = []

        def follow(event: object) -> None:
            if isinstance(event, StepDone):
                steps.append(event)
            elif isinstance(event, LabelsTaken) and session.case in event.cases:
                taken.append(time.perf_counter())

        session.training.event_received.connect(follow)
        session.train(TrainRequest(method="cvrl", preset="quick", device="cpu", steps=100_000))
        wait(lambda: len(steps) > 3, 300)
        layer = next(one for one in session.layers._viewer.layers if one.name.startswith("Labels"))
        rested = []
        for number in range(strokes):
            taken.clear()
            began = time.perf_counter()
            layer.paint((6 + number % 4, 12 + number, 14), 1)
            wait(lambda: bool(taken), 60)
            rested.append(taken[0] - began)
        made: list[float] = []
        oldest: list[float] = []
        begun = time.perf_counter()
        painted = 1
        taken.clear()
        while time.perf_counter() < begun + 20:
            made.append(time.perf_counter())
            painted = 255 - painted + 1  # a structure, background, and so on: a stroke that changes nothing does not count
            layer.paint((8, 10, 8), painted)
            pause = time.perf_counter() + PAUSE_S
            wait(lambda pause=pause: time.perf_counter() > pause, 5)
            if taken:  # all that was painted three seconds before the event was on disk by then, at the least
                oldest.append(taken[0] - made[0])
                made = [one for one in made if one > taken[0] - PAUSE_S]
                taken.clear()
        session.shut_down()
    print("| painting | times measured | seconds to the model, median | worst |")
    print("|---|---|---|---|")
    for name, seconds in (("a stroke, then a rest", rested), ("without a rest", oldest)):
        print(f"| {name} | {len(seconds)} | {statistics.median(seconds):.1f} | {max(seconds):.1f} |")
    del application


if __name__ == "__main__":
    main()
