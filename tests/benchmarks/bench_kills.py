"""What is lost when the viewer is killed at a random moment while somebody paints and never rests the hand.

    QT_QPA_PLATFORM=offscreen python tests/benchmarks/bench_kills.py [--kills 200] [--at-once 3] [--seed 0]

A child process opens a study as the window does and makes a stroke every 30 ms, now and then one of some seconds without
letting go; every stroke is written down as it is made. It is killed (SIGKILL) after 0.2 to 9 seconds, the study is opened
again and compared. Each study lives through many kills. Ends with 1 if a study could not be read, or a stroke older than five
seconds was lost.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import nibabel
import numpy as np
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

os.environ["NUMBA_THREADING_LAYER"] = "workqueue"  # the one that may be forked

from cvrl_napari.gui.class_colors import class_colormap
from cvrl_napari.gui.session import Session
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.study import Study

SHAPE = (96, 192, 192)
STROKE_EVERY_MS = 30
LONGEST_LOSS_S = 5.0
SECONDS = (0.2, 9.0)


class Life(NamedTuple):
    """A painter at work: its process, what it writes down, and how many seconds of painting it has."""

    pid: int
    strokes: Path
    seconds: float


class Death(NamedTuple):
    """What was found after a kill: strokes made, strokes lost, seconds between the oldest of these and the kill."""

    made: int
    lost: int
    oldest_lost_s: float
    told: bool


def make_study(folder: Path) -> Path:
    """Make a study of one scan of the size of a left atrium's."""
    scan = np.random.default_rng(0).integers(0, 900, SHAPE[::-1]).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(scan, np.eye(4)), folder / "scan.nii")
    Study.create(folder / "study", [folder / "scan.nii"], classes=["chamber"]).close()
    return folder / "study"


def paint(study: Path, strokes: Path, first: int, seed: int) -> None:
    """Open the study and paint voxel after voxel, from number `first` on, until killed."""
    application = QApplication(["painter"])
    session = Session(ViewerModel())
    session.training.get_ready = lambda: None  # no training is asked for: spare the machine a child each time
    chance = random.Random(seed)
    descriptor = os.open(strokes, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    number = first
    held = ExitStack()
    held_until = 0.0

    def stroke() -> None:
        nonlocal number, held_until
        layer = session.layers._shown.labels
        now = time.monotonic()
        if held_until and now > held_until:
            held.close()
            held_until = 0.0
        elif not held_until and chance.random() < 0.01:
            held.enter_context(layer.block_history())
            held_until = now + chance.uniform(1, 8)
        layer.data_setitem(tuple(np.array([one]) for one in np.unravel_index(number, SHAPE)), 1)
        os.write(descriptor, f"{number} {time.monotonic()}\n".encode())
        number += 1

    timer = QTimer()
    timer.timeout.connect(stroke)
    session.case_opened.connect(lambda _: timer.start(STROKE_EVERY_MS))
    session.open_study(study)
    application.exec()


def begin(study: Path, strokes: Path, first: int, seed: int, seconds: float) -> Life:
    """Start a painter; the process is forked, so that what is slow to import is there."""
    strokes.unlink(missing_ok=True)
    pid = os.fork()
    if pid == 0:
        os.close(1)
        paint(study, strokes, first, seed)
        os._exit(0)
    return Life(pid, strokes, seconds)


def is_over(life: Life) -> bool:
    """Whether the painter has painted as long as it may."""
    if not life.strokes.exists():
        return False
    with life.strokes.open() as lines:
        first = lines.readline().split()
    return bool(first) and time.monotonic() > float(first[1]) + life.seconds


def end(life: Life, study: Path) -> Death:
    """Kill the painter and see what is on disk."""
    os.kill(life.pid, signal.SIGKILL)
    killed_at = time.monotonic()
    os.waitpid(life.pid, 0)
    lines = life.strokes.read_text().splitlines() if life.strokes.exists() else []
    made = {int(number): float(when) for number, when in (line.split() for line in lines)}
    with Study.open(study) as opened:
        labels = opened.read_labels("scan")
        told = "ended unexpectedly" in opened.notice
    flat = np.zeros(np.prod(SHAPE), np.uint8) if labels is None else labels.ravel()
    lost = [when for number, when in made.items() if not flat[number]]
    return Death(len(made), len(lost), killed_at - min(lost) if lost else 0.0, told)


def main() -> int:
    """Kill as often as asked, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    chamber = StructureClass(id=1, name="chamber", color="#E69F00")
    Labels(np.zeros((2, 2, 2), np.uint8), colormap=class_colormap([chamber]))  # compiled once, not in every child
    deaths: list[Death] = []
    begun = unreadable = 0
    with tempfile.TemporaryDirectory() as place:
        studies = []
        for number in range(options.at_once):
            (Path(place) / str(number)).mkdir()
            studies.append(make_study(Path(place) / str(number)))
        lives: dict[Path, Life] = {}
        firsts = dict.fromkeys(studies, 0)
        while len(deaths) + unreadable < options.kills:
            for study in studies:
                if study not in lives and begun < options.kills:
                    strokes = study.with_name("strokes.txt")
                    lives[study] = begin(study, strokes, firsts[study], chance.getrandbits(32), chance.uniform(*SECONDS))
                    begun += 1
                elif study in lives and is_over(lives[study]):
                    try:
                        deaths.append(end(lives.pop(study), study))
                    except Exception as error:  # whatever it is: the study is not readable
                        unreadable += 1
                        print(f"unreadable: {error!r}", file=sys.stderr)
                    firsts[study] += 10_000
            time.sleep(0.02)
    made, lost = sum(one.made for one in deaths), sum(one.lost for one in deaths)
    ages = sorted(one.oldest_lost_s for one in deaths)
    too_old = sum(age > LONGEST_LOSS_S for age in ages)
    print("| kills | strokes made | lost | oldest stroke lost, median | worst | kills with one older than 5 s | unreadable |")
    print("|---|---|---|---|---|---|---|")
    print(
        f"| {len(deaths)} | {made:,} | {lost:,} | {ages[len(ages) // 2]:.1f} s | {ages[-1]:.1f} s | {too_old} | {unreadable} |"
    )
    return int(too_old > 0 or unreadable > 0 or made == 0)


if __name__ == "__main__":
    sys.exit(main())
