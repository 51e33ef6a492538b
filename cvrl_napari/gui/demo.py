"""The demonstration: the phantom study in napari, ready to paint and train; `--scripted` presses Train and measures.

python -m cvrl_napari.gui.demo [--folder DIR] [--minutes 3] [--scripted]
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtTest import QTest

from cvrl_napari.engine.events import RunDone, RunFailed, StepDone
from cvrl_napari.engine.run_folder import newest_model
from cvrl_napari.gui.dock import CvrlDock, sample_folder
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

PICTURE_AT = 0.8
"""Share of the training after which the picture of the window is taken: the run is then still to be seen."""
WINDOW = (1366, 768)


class DemoError(RuntimeError):
    """A step of the demonstration did not happen; the message says which."""


def run_demo(folder: Path, *, scripted: bool, minutes: float) -> int:
    """Show the phantom study in `folder`, made when it is not there; returns the exit code.

    Parameters
    ----------
    scripted : bool
        Press Train without a person, compare with labels alone, print what came out, and leave. Needs a screen all the
        same (Xvfb will do).
    minutes : float
        Training time of the scripted run.
    """
    if not (folder / "study.json").is_file():
        print(f"Making the sample study in {folder} ...", flush=True)
        create_phantom(folder).close()
    viewer, dock = open_window(folder)
    if not scripted:
        napari.run()
        return 0
    try:
        seconds, picture, end = train_in_window(viewer, dock, minutes)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        viewer.close()
    scores = compare(folder, Path(end.model), end.step)
    print(f"seconds from pressing Train to the first overlay: {seconds:.1f}")
    print(f"Dice on the reference cases, labels only ({end.step:,} steps): {scores['supervised']:.3f}")
    print(f"Dice on the reference cases, CVRL ({end.step:,} steps): {scores['cvrl']:.3f}")
    print(f"picture: {picture}")
    print(f"study: {folder.resolve()}")
    return 0


def open_window(folder: Path) -> tuple[napari.Viewer, CvrlDock]:
    """Open napari with the dock and the study, on its first unlabeled case."""
    viewer = napari.Viewer(title="CVRL demonstration", show=True)
    viewer.window.resize(*WINDOW)
    dock = CvrlDock(viewer)
    viewer.window.add_dock_widget(dock, name="CVRL", area="right")
    dock.open_folders([folder])
    return viewer, dock


def train_in_window(viewer: napari.Viewer, dock: CvrlDock, minutes: float) -> tuple[float, Path, RunDone]:
    """Click Train and wait: seconds to the first overlay on the scan on view, the picture's path, how the run ended.

    Raises
    ------
    DemoError
        If the study does not open, or the run fails or shows nothing.
    """
    session, button = dock.session, dock.train_panel.button
    opened = Waiting(session.case_opened)
    if not session.case:
        opened.wait(60, "The study did not open")
    dock.train_panel.set_options(minutes=minutes)
    failures: list[RunFailed] = []
    ends: list[RunDone] = []
    session.training.ended.connect(lambda end: (ends if isinstance(end, RunDone) else failures).append(end))
    ended = Waiting(session.training.ended)
    shown = Waiting(session.mask_changed, lambda: session.has_mask, stop_at=session.training.ended)
    pressed = time.monotonic()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    shown.wait(300, "No overlay appeared")
    seconds = time.monotonic() - pressed
    print(f"first overlay after {seconds:.1f} s", flush=True)

    picture = session.study.folder / "demo.png" if session.study is not None else Path("demo.png")
    near_end = Waiting(
        session.training.event_received,
        lambda event: isinstance(event, StepDone) and event.step >= PICTURE_AT * event.total,
        stop_at=session.training.ended,
    )
    near_end.wait(minutes * 60 + 120, "The training did not go on")
    show_labeled(dock)
    take_picture(viewer, picture)
    if session.training.is_active:
        ended.wait(minutes * 60 + 120, "The training did not end")
    if failures:
        raise DemoError(f"{failures[0].message} {failures[0].hint} {session.training.details}")
    return seconds, picture, ends[0]


def show_labeled(dock: CvrlDock) -> None:
    """Open the first labeled case and wait for its mask, so that labels and mask are seen together."""
    session = dock.session
    if session.study is None or not session.training.is_active:
        return
    case = session.study.labeled_cases()[0]
    masked = Waiting(session.mask_changed, lambda: session.case == case, stop_at=session.training.ended)
    session.open_case(case)
    masked.wait(60, f"No mask of {case} appeared")


def take_picture(viewer: napari.Viewer, path: Path) -> None:
    """Save the whole window as it is on the screen."""
    viewer.screenshot(str(path), canvas_only=False, flash=False)


def compare(folder: Path, cvrl_model: Path, steps: int) -> dict[str, float]:
    """Train on labels alone for as many steps, predict the reference cases with both models, return the mean Dice of each."""
    print(f"training on labels alone for the same {steps:,} steps ...", flush=True)
    cvrl("train", str(folder), "--method", "supervised", "--steps", str(steps))
    scores = {}
    with Study.open(folder, read_only=True) as study:
        supervised_model = newest_model(study.runs_folder)
        assert supervised_model is not None
        scans = [str(study.case(case_id).scan) for case_id in study.held_out_cases()]
        for method, model in (("supervised", supervised_model), ("cvrl", cvrl_model)):
            output = study.predictions_folder / f"demo-{method}"
            cvrl("predict", str(model), *scans, "--output", str(output))
            report = json.loads(cvrl("evaluate", str(output), str(folder / "labels"), "--json", read=True))
            dice = [row["dice"]["mean"] for row in report["classes"]]
            scores[method] = sum(dice) / len(dice)
    return scores


def cvrl(*arguments: str, read: bool = False) -> str:
    """Run the `cvrl` command as a plain child; what it writes goes to the terminal, or is returned with `read`."""
    command = [sys.executable, "-P", "-m", "cvrl_napari", *arguments]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE if read else None).stdout or ""


class Waiting:
    """Wait for a signal that may come at any time from now on, while the window stays alive."""

    def __init__(self, signal: Any, fits: Callable[..., bool] = lambda *_: True, *, stop_at: Any = None) -> None:
        self._loop, self._fits, self._came = QEventLoop(), fits, False
        self.values: tuple[object, ...] = ()
        signal.connect(self._on_signal)
        if stop_at is not None:
            stop_at.connect(lambda *_: self._loop.quit())

    def wait(self, timeout_s: float, otherwise: str) -> None:
        """Return when the signal has come (or `stop_at`, after it); raise DemoError when neither has in time."""
        if self._came:
            return
        timer = QTimer()
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._loop.exit(1))
        timer.start(int(timeout_s * 1000))
        if self._loop.exec() != 0:
            raise DemoError(f"{otherwise} within {timeout_s:.0f} s.")

    def _on_signal(self, *values: object) -> None:
        if self._fits(*values):
            self._came, self.values = True, values
            self._loop.quit()


def main() -> int:
    """Read the arguments and run the demonstration."""
    parser = argparse.ArgumentParser(prog="python -m cvrl_napari.gui.demo", description="The sample study in napari.")
    parser.add_argument("--folder", type=Path, default=sample_folder(), help="folder of the study; made when it is not there")
    parser.add_argument("--minutes", type=float, default=3.0, help="training time of the scripted run")
    parser.add_argument("--scripted", action="store_true", help="press Train without a person, measure, and leave")
    asked = parser.parse_args()
    return run_demo(asked.folder, scripted=asked.scripted, minutes=asked.minutes)


if __name__ == "__main__":
    sys.exit(main())
