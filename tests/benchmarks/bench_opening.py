"""How long a scan takes to open and be drawn, and to scroll through, in a real napari window.

    xvfb-run -a -s "-screen 0 1366x768x24" python tests/benchmarks/bench_opening.py [--repetitions 5]

Left-atrium scans open as cases of a study with the dock beside them; a plain .nii of 1 GB (int16, made for this, in the
system's cache) opens by itself, as by drag and drop. Seconds until the event loop has drawn it; medians. Memory is what the
process holds after that beyond what it held before, shared pages of the mapped file left out.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import napari
import nibabel
import numpy as np
import psutil
from bench_first_overlay import make_study
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.demo import Waiting, open_window

SHAPE = (1024, 1024, 512)
"""Voxels (i, j, k) of the large scan: 1 GB of int16."""


def draw(viewer: napari.Viewer) -> None:
    """Let napari slice and draw what it has pending."""
    QApplication.processEvents()
    viewer.window._qt_viewer.canvas.native.repaint()
    QApplication.processEvents()


def own_memory() -> float:
    """MiB of this process without what it shares with the file system's cache."""
    info = psutil.Process().memory_info()
    return (info.rss - info.shared) / 2**20


def open_cases(folder: Path, repetitions: int) -> float:
    """Return the seconds from asking for a case to its picture."""
    make_study(folder, 4)
    viewer, dock = open_window(folder / "study")
    session = dock.session
    opened = Waiting(session.case_opened)
    if not session.case:
        opened.wait(60, "The study did not open")
    ids = [case.id for case in session.study.cases]
    seconds = []
    for turn in range(repetitions + 1):
        opened = Waiting(session.case_opened)
        started = time.perf_counter()
        session.open_case(ids[turn % len(ids)])
        opened.wait(60, "The case did not open")
        draw(viewer)
        seconds.append(time.perf_counter() - started)
    viewer.close()
    return statistics.median(seconds[1:])


def open_large(folder: Path, repetitions: int) -> tuple[float, float, float]:
    """Return the seconds to open the large scan, to change its slice, and the MiB it took."""
    rng = np.random.default_rng(0)
    scan = np.tile(rng.integers(-1000, 2000, (64, 1024, 512), dtype=np.int16), (16, 1, 1))
    nibabel.save(nibabel.Nifti1Image(scan, np.diag([0.5, 0.5, 0.5, 1.0])), folder / "large.nii")
    del scan
    viewer = napari.Viewer(show=True)
    draw(viewer)
    before = own_memory()
    opening = []
    for _ in range(repetitions):
        viewer.layers.clear()
        started = time.perf_counter()
        viewer.open(folder / "large.nii", plugin="cvrl-napari")
        draw(viewer)
        opening.append(time.perf_counter() - started)
    scrolling = []
    for index in np.linspace(10, SHAPE[2] - 10, 40).astype(int):
        started = time.perf_counter()
        viewer.dims.set_current_step(0, int(index))
        draw(viewer)
        scrolling.append(time.perf_counter() - started)
    taken = own_memory() - before
    viewer.close()
    return statistics.median(opening), statistics.median(scrolling), taken


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        case = open_cases(Path(folder), asked.repetitions)
        opening, scrolling, taken = open_large(Path(folder), asked.repetitions)
    print("| what | s | MiB taken |\n|---|--:|--:|")
    print(f"| a left-atrium case opened and drawn | {case:.2f} | |")
    print(f"| 1 GB .nii opened and drawn | {opening:.2f} | {taken:.0f} |")
    print(f"| its slice changed and drawn | {scrolling:.3f} | |")


if __name__ == "__main__":
    main()
