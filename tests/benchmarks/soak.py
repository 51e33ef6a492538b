"""A long afternoon in little: painting, previews, pauses, kills and other cases in a real window, and what that leaves behind.

    xvfb-run -a -s "-screen 0 1366x768x24" python tests/benchmarks/soak.py --minutes 12

The phantom is painted on and trained on. The child is killed (SIGKILL) every so often, and the run goes on from its checkpoint.
Memory, threads and open files of the viewer and of the child are printed once a minute. Ends with 1 if the second half of the
time needed more of them than the first, or if something that was asked for did not happen.
"""

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from cvrl_napari.engine.events import PreviewReady
from cvrl_napari.gui.demo import Waiting, open_window
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.phantom import create_phantom

CHECKPOINT_S = 20.0
"""After the first step of a child before it may be killed: a run without a checkpoint would begin anew."""
MAY_GROW = {"viewer MiB": 40.0, "child MiB": 60.0, "viewer threads": 2, "child threads": 2, "viewer files": 4, "child files": 4}
"""Between the medians of the second and the last quarter of the time; memory is also measured in percent, `SHARE`."""
SHARE = 0.05
WHATS = tuple(MAY_GROW)


class Sample(NamedTuple):
    """What both processes hold at a moment, by name; the child's figures are missing while none trains."""

    seconds: float
    held: dict[str, float]


def held_by(pid: int, who: str) -> dict[str, float]:
    """Return resident memory, threads and open files of a process; nothing when it is gone."""
    try:
        process = psutil.Process(pid)
        memory, threads, files = process.memory_info().rss / 2**20, process.num_threads(), process.num_fds()
    except psutil.Error:
        return {}
    return {f"{who} MiB": memory, f"{who} threads": threads, f"{who} files": files}


class Afternoon:
    """Does one thing after the other in the window, each at its own rhythm."""

    def __init__(self, dock: CvrlDock, seconds: float, seed: int = 0) -> None:
        self.dock, self.session, self.seconds = dock, dock.session, seconds
        self.chance = np.random.default_rng(seed)
        self.count: Counter[str] = Counter()
        self.samples: list[Sample] = []
        self.started = time.monotonic()
        self.child_since = 0.0
        self.timers: list[QTimer] = []
        self.session.training.event_received.connect(self._on_event)
        self.session.training.ended.connect(lambda _: QTimer.singleShot(500, self._go_on))
        for every_s, what in (
            (0.7, self.paint),
            (5, self.sample),
            (23, self.pause),
            (31, self.accept),
            (41, self.other_case),
            (67, self.kill),
        ):
            self._every(every_s, what)

    def _every(self, seconds: float, what: Callable[[], None]) -> None:
        timer = QTimer()
        timer.timeout.connect(what)
        timer.start(int(1000 * seconds))
        self.timers.append(timer)

    def click(self, button: QPushButton) -> None:
        """Click a button, as a hand would."""
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)

    def paint(self) -> None:
        """A stroke of the brush somewhere on the case on view."""
        layers = self.session.layers
        if not self.session.case:
            return
        labels = layers._shown.labels
        center = [self.chance.integers(3, size - 3) for size in labels.data.shape]
        labels.paint(center, int(self.chance.integers(1, len(self.session.study.classes) + 1)))
        self.count["strokes"] += 1

    def pause(self) -> None:
        """Pause, and go on three seconds later."""
        panel, training = self.dock.train_panel, self.session.training
        if training.phase == "running":
            self.click(panel.pause)
            self.count["pauses"] += 1
            QTimer.singleShot(3_000, lambda: training.phase == "paused" and self.click(panel.pause))

    def accept(self) -> None:
        """Take the mask over, and take that back: what is painted stays small."""
        if self.session.has_mask:
            self.click(self.dock.mask_panel.accept_button)
            self.session.layers._shown.labels.undo()
            self.count["accepted"] += 1

    def other_case(self) -> None:
        """Open the next case."""
        self.dock.study_panel.step(1)
        self.count["cases opened"] += 1

    def kill(self) -> None:
        """Kill the child, if it has a checkpoint to go on from."""
        training = self.session.training
        worker = training._worker
        if worker is None or worker.pid is None or not training.run:
            return
        if (training.run / "checkpoint" / "state.safetensors").is_file() and time.monotonic() > self.child_since + CHECKPOINT_S:
            os.kill(worker.pid, signal.SIGKILL)
            self.count["kills"] += 1

    def _go_on(self) -> None:
        """Go on after a kill; begin anew where there is nothing to go on from."""
        panel = self.dock.train_panel
        self.child_since = time.monotonic()
        if panel.go_on.isVisible():
            self.click(panel.go_on)
            self.count["gone on"] += 1
        else:
            self.click(panel.button)
            self.count["begun"] += 1

    def _on_event(self, event: object) -> None:
        self.count["previews"] += isinstance(event, PreviewReady)

    def sample(self) -> None:
        """Write down what is held now."""
        worker = self.session.training._worker
        held = held_by(os.getpid(), "viewer")
        busy = self.session.training.phase in ("running", "paused") and time.monotonic() > self.child_since + CHECKPOINT_S
        if worker is not None and worker.pid is not None and busy:
            held |= held_by(worker.pid, "child")
        self.samples.append(Sample(time.monotonic() - self.started, held))
        if int(self.samples[-1].seconds // 60) != int((self.samples[-2].seconds if len(self.samples) > 1 else -1) // 60):
            print(self._row(self.samples[-1]), flush=True)

    def _row(self, sample: Sample) -> str:
        figures = [f"{sample.held[what]:,.0f}" if what in sample.held else "" for what in WHATS]
        done = ", ".join(f"{count} {what}" for what, count in self.count.items())
        return f"| {sample.seconds / 60:.0f} | {' | '.join(figures)} | {done} |"

    def grown(self) -> list[str]:
        """Say what grew between the second and the last quarter, a sentence each."""
        found = []
        for what, may in MAY_GROW.items():
            early, late = (self._median(what, *part) for part in ((0.25, 0.5), (0.75, 1.0)))
            limit = max(may, SHARE * early) if "MiB" in what else may
            print(f"{what}: {early:,.0f} in the second quarter, {late:,.0f} in the last")
            if not late - early <= limit:
                found.append(f"{what} grew from {early:,.0f} to {late:,.0f}.")
        return found

    def _median(self, what: str, start: float, end: float) -> float:
        inside = [s.held[what] for s in self.samples if start <= s.seconds / self.seconds <= end and what in s.held]
        return statistics.median(inside) if inside else float("nan")


def main() -> int:
    """Live through the afternoon and judge it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--size", type=float, default=0.6, help="of the phantom")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "study"
        create_phantom(folder, size=asked.size).close()
        viewer, dock = open_window(folder)
        Waiting(dock.session.case_opened).wait(60, "The study did not open")
        dock.train_panel.set_options(preset="quick", device="cpu", minutes=10 * asked.minutes)
        print(f"| minute | {' | '.join(WHATS)} | done so far |\n|{'--:|' * (len(WHATS) + 1)}---|")
        afternoon = Afternoon(dock, 60 * asked.minutes)
        afternoon._go_on()
        loop = QEventLoop()
        QTimer.singleShot(int(60_000 * asked.minutes), partial(loop.exit, 0))
        loop.exec()
        for timer in afternoon.timers:
            timer.stop()
        afternoon.session.training.ended.disconnect()
        problems = afternoon.grown()
        asked_for = "strokes", "pauses", "accepted", "kills", "gone on", "previews"
        problems += [f"No {what}." for what in asked_for if not afternoon.count[what]]
        viewer.close()
    left = psutil.Process().children(recursive=True)
    problems += [f"Left behind: {process.cmdline()}" for process in left]
    print("\n".join(problems) or "Nothing grew, nothing was left behind.")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main())
