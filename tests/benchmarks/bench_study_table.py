"""How long a study of 1,000 cases takes to open and its table to scroll, and what memory that takes.

    xvfb-run -a -s "-screen 0 1366x768x24" python tests/benchmarks/bench_study_table.py [--cases 1000]

Small scans, with labels on every second one. First a small study is opened: napari makes its first layers and compiles their
colors once a process. Then, of the large one, the seconds until `open_study` returns and until the table and the first case are
drawn; then the table is scrolled from end to end, three rows at a time, each step drawn.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import napari
import nibabel
import numpy as np
import psutil
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.demo import Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.study import Study

SHAPE = (20, 48, 48)


def make_study(folder: Path, cases: int) -> Path:
    """Make a study of many scans, half of them labeled."""
    rng = np.random.default_rng(0)
    (folder / "scans").mkdir()
    scans = [folder / "scans" / f"case_{number:04}.nii" for number in range(cases)]
    for scan in scans:
        nibabel.save(nibabel.Nifti1Image(rng.integers(0, 900, SHAPE[::-1], np.int16), np.eye(4)), scan)
    labels = np.zeros(SHAPE, np.uint8)
    labels[5:15, 20:40, 20:40] = 1
    with Study.create(folder / "study", scans, classes=["chamber"]) as study:
        study.write_labels("case_0000", labels, state="complete")
        text = (study.folder / "study.json").read_text()
    first = folder / "study" / "labels" / "case_0000.nii.gz"
    parts = text.split('"state": "unlabeled"')
    for number in range(2, cases, 2):
        shutil.copy(first, first.with_name(f"case_{number:04}.nii.gz"))
    # The first case is complete already, so part n is followed by the state of case n + 1.
    states = ["unlabeled" if number % 2 else "complete" for number in range(1, cases)]
    text = parts[0] + "".join(f'"state": "{state}"{part}' for state, part in zip(states, parts[1:], strict=True))
    (folder / "study" / "study.json").write_text(text)
    return folder / "study"


def memory() -> float:
    """MiB of this process."""
    return float(psutil.Process().memory_info().rss) / 2**20


def main() -> None:
    """Open, scroll twice, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000)
    cases = parser.parse_args().cases
    with tempfile.TemporaryDirectory() as place:
        folder = make_study(Path(place), cases)
        viewer = napari.Viewer()
        viewer.window.resize(1366, 768)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        first = Path(place) / "first"
        first.mkdir()
        small = make_study(first, 4)
        opened = Waiting(dock.session.case_opened)
        started = time.perf_counter()
        dock.session.open_study(small)
        opened.wait(120, "No case opened")
        print(f"The first study of the process, four cases: first case on view after {time.perf_counter() - started:.2f} s.\n")
        dock.session.close_study()
        opened = Waiting(dock.session.case_opened)
        started = time.perf_counter()
        dock.session.open_study(folder)
        returned = time.perf_counter() - started
        dock.study_panel.list.grab()
        drawn = time.perf_counter() - started
        opened.wait(60, "No case opened")
        on_view = time.perf_counter() - started
        bar = dock.study_panel.list.verticalScrollBar()
        held: list[float] = []
        steps: list[float] = []
        for _ in range(2):
            for value in range(0, bar.maximum(), max(3 * bar.maximum() // cases, 1)):
                began = time.perf_counter()
                bar.setValue(value)
                dock.study_panel.list.viewport().grab()
                steps.append(time.perf_counter() - began)
                QApplication.processEvents()
            held.append(memory())
        steps.sort()
        print("| cases | open_study returns | table drawn | first case on view | scroll step, median | p95 | MiB, 1 pass | 2 |")
        print("|---|---|---|---|---|---|---|---|")
        print(
            f"| {cases:,} | {returned:.2f} s | {drawn:.2f} s | {on_view:.2f} s | {1e3 * statistics.median(steps):.1f} ms "
            f"| {1e3 * steps[int(0.95 * len(steps))]:.1f} ms | {held[0]:.0f} | {held[1]:.0f} |"
        )
        viewer.close()


if __name__ == "__main__":
    main()
