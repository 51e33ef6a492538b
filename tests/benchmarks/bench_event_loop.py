"""How long the viewer keeps a person waiting, with and without training beside it.

A real napari window shows a left-atrium scan (the phantom, where a clone has no real scans) with labels and mask. A timer
that is due every 10 ms measures how late the event loop serves it, while nobody does anything and while somebody scrolls
and paints ten times a second; first alone, then with a real training child started through `TrainingWorker`. Drawing is
part of it: under Xvfb it is done in software, and a frame costs tens of milliseconds that a graphics card would not.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/bench_event_loop.py [--seconds 15]
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
import psutil
from qtpy.QtCore import QEventLoop, QObject, Qt, QTimer

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import View
from cvrl_napari.engine.events import PreviewReady, RunFailed, StepDone
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.worker import TrainingWorker, spare_threads, training_child
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

DUE_MS = 10
WORK_MS = 100
DATA = Path(os.environ.get("CVRL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "left_atrium"


class Probe(QObject):
    """Measures how late the event loop is, in ms, for each time it comes round."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setSingleShot(True)  # armed anew each time: no tick is swallowed by a late one before it
        self._timer.timeout.connect(self._on_tick)
        self._due = 0.0
        self.delays: list[float] = []

    def start(self) -> None:
        self.delays = []
        self._arm()

    def stop(self) -> list[float]:
        self._timer.stop()
        return self.delays

    def _arm(self) -> None:
        self._due = time.perf_counter() + DUE_MS / 1000
        self._timer.start(DUE_MS)

    def _on_tick(self) -> None:
        self.delays.append(max(0.0, 1000 * (time.perf_counter() - self._due)))
        self._arm()


class Person(QObject):
    """Paints one dab ten times a second, and scrolls one slice before each of them while `scrolls` is set."""

    def __init__(self, viewer: napari.Viewer, layers: Layers) -> None:
        super().__init__()
        self._viewer, self._layers = viewer, layers
        self._timer = QTimer(self)
        self._timer.setInterval(WORK_MS)
        self._timer.timeout.connect(self._on_tick)
        self._random = np.random.default_rng(0)
        self.scrolls = False
        self.set_working = lambda works: self._timer.start() if works else self._timer.stop()

    def _on_tick(self) -> None:
        depth, height, width = self._layers.labels_array().shape
        z = (self._viewer.dims.current_step[0] + self.scrolls) % depth
        if self.scrolls:
            self._viewer.dims.set_current_step(0, z)
        labels = next(layer for layer in self._viewer.layers if layer.name.startswith("Labels"))
        labels.paint((z, int(self._random.integers(height)), int(self._random.integers(width))), 1)


def wait(milliseconds: int, until: Callable[[Callable[[], None]], object] | None = None) -> None:
    """Let the event loop run for a time, or until what `until` connects to happens."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    if until is not None:
        until(loop.quit)
    loop.exec()


def make_study(folder: Path) -> Study:
    """Two labeled and two unlabeled scans of the left atrium, else the phantom."""
    if not DATA.is_dir():
        return create_phantom(folder / "study")
    names = (DATA / "train.list").read_text().split()[:4]
    scans = [DATA / "scans" / f"{name}.nii.gz" for name in names]
    (folder / "labels").mkdir()
    for name in names[:2]:
        (folder / "labels" / f"{name}.nii.gz").symlink_to((DATA / "labels" / f"{name}.nii.gz").resolve())
    return Study.create(folder / "study", scans, classes=("left atrium",), labels=folder / "labels")


def measure_bare_napari(viewer: napari.Viewer, image: np.ndarray, milliseconds: int) -> list[float]:
    """Scroll through nothing but an image, one slice ten times a second: what is left of the delay without this plugin."""
    viewer.add_image(image)
    timer, probe = QTimer(), Probe()
    timer.setInterval(WORK_MS)
    timer.timeout.connect(lambda: viewer.dims.set_current_step(0, (viewer.dims.current_step[0] + 1) % len(image)))
    wait(2000)
    timer.start()
    wait(500)
    probe.start()
    wait(milliseconds)
    timer.stop()
    viewer.layers.clear()
    return probe.stop()


def row(name: str, values: list[float]) -> None:
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    print(f"| {name:<42} | {len(values):>6} | {p50:>6.1f} | {p95:>6.1f} | {p99:>6.1f} | {max(values):>7.1f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=15.0, help="length of each measurement")
    milliseconds = int(1000 * parser.parse_args().seconds)
    folder = tempfile.TemporaryDirectory()
    study = make_study(Path(folder.name))
    case = study.labeled_cases()[0]
    viewer = napari.Viewer()
    bare = measure_bare_napari(viewer, study.read_scan(case).array, milliseconds)
    layers = Layers(viewer)
    layers.show_case(study, case)
    layers.set_mask(np.where(layers.labels_array() == 255, 0, layers.labels_array()))
    probe, person = Probe(), Person(viewer, layers)
    updates: list[float] = []

    def measure(name: str, *, works: bool, scrolls: bool = False) -> None:
        person.scrolls = scrolls
        person.set_working(works)
        wait(500)
        probe.start()
        wait(milliseconds)
        row(name, probe.stop())
        person.set_working(False)

    def on_event(event: object) -> None:
        if isinstance(event, PreviewReady):
            start = time.perf_counter()
            layers.update_overlay(event)
            updates.append(1000 * (time.perf_counter() - start))

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    shape = " x ".join(map(str, layers.labels_array().shape))
    print(f"{cores} cores, {spare_threads()} for training; load average before: {psutil.getloadavg()[0]:.1f}; scan {shape}\n")
    print("| event loop late by, ms                     |  ticks |    p50 |    p95 |    p99 |     max |")
    print("|--------------------------------------------|-------:|-------:|-------:|-------:|--------:|")
    row("bare napari, one image, scrolling", bare)
    wait(2000)
    measure("no training, nobody works", works=False)
    measure("no training, painting", works=True)
    measure("no training, scrolling and painting", works=True, scrolls=True)

    worker = TrainingWorker(training_child(study.folder, TrainRequest(preset="quick", device="cpu", minutes=60)))
    steps: list[object] = []
    ends: list[object] = []
    worker.event_received.connect(on_event)
    worker.event_received.connect(lambda event: steps.append(event) if isinstance(event, StepDone) else None)
    worker.ended.connect(ends.append)
    worker.send(View(case=case, index=viewer.dims.current_step[0]))
    probe.start()
    pressed = time.perf_counter()
    worker.start()
    while not steps and not ends:
        wait(50)
    row("training starts, nobody works", probe.stop())
    first_step = time.perf_counter() - pressed
    measure("training, nobody works", works=False)
    measure("training, painting", works=True)
    measure("training, scrolling and painting", works=True, scrolls=True)
    while not updates and not ends:
        wait(50)
    first_stop = time.perf_counter()
    worker.stop()
    wait(60_000, worker.finished.connect)
    stopped = time.perf_counter() - first_stop
    worker.shut_down()

    if updates:
        row("overlay update (box of a real preview)", updates)
    whole = []
    for _ in range(30):
        mask = layers.mask_array().copy()
        start = time.perf_counter()
        layers.set_mask(mask)
        whole.append(1000 * (time.perf_counter() - start))
    row("overlay update (whole scan)", whole)
    print(f"\nfirst step after {first_step:.1f} s, {len(steps)} steps; stopping took {stopped:.1f} s")
    if ends and isinstance(ends[0], RunFailed):
        raise SystemExit(f"{ends[0].message} {ends[0].hint}")
    layers.close()
    viewer.close()
    study.close()
    folder.cleanup()


if __name__ == "__main__":
    main()
