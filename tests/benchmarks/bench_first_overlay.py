"""How long a person waits from pressing Train to the first mask on the scan on view, and what the time goes to.

A real napari window with the dock, a real click, a real training child. The cache of the study is empty.

    xvfb-run -a -s "-screen 0 1366x768x24" python tests/benchmarks/bench_first_overlay.py [--scans 80] [--wait 10]

Without `--scans` the phantom is trained on, otherwise so many left-atrium scans, the first 8 of them labeled.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from qtpy.QtCore import QEventLoop, Qt, QTimer
from qtpy.QtTest import QTest

from cvrl_napari.engine.events import PreviewReady, RunFailed
from cvrl_napari.gui.demo import Waiting, open_window
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

DATA = Path(os.environ.get("CVRL_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "left_atrium"
LABELED = 8


def make_study(folder: Path, scans: int) -> None:
    """Make the phantom, or a study of the first scans of the left atrium."""
    if not scans:
        create_phantom(folder / "study").close()
        return
    names = (DATA / "train.list").read_text().split()[:scans]
    (folder / "labels").mkdir()
    for name in names[:LABELED]:
        (folder / "labels" / f"{name}.nii.gz").symlink_to((DATA / "labels" / f"{name}.nii.gz").resolve())
    files = [DATA / "scans" / f"{name}.nii.gz" for name in names]
    Study.create(folder / "study", files, classes=("left atrium",), labels=folder / "labels").close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=0, help="left-atrium scans; 0 takes the phantom")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds between the opening of the study and the press")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_study(Path(folder), asked.scans)
        started = time.monotonic()
        viewer, dock = open_window(Path(folder) / "study")
        session = dock.session
        opened = Waiting(session.case_opened)
        if not session.case:
            opened.wait(60, "The study did not open")
        print(f"window and study open after {time.monotonic() - started:.1f} s", flush=True)
        pause = QEventLoop()
        QTimer.singleShot(int(1000 * asked.wait), pause.quit)
        pause.exec()

        seen: list[tuple[float, str]] = []
        session.training.event_received.connect(lambda event: seen.append((time.monotonic(), event.kind)))
        failed: list[RunFailed] = []
        session.training.ended.connect(lambda end: failed.append(end) if isinstance(end, RunFailed) else None)
        preview = Waiting(
            session.training.event_received, lambda event: isinstance(event, PreviewReady), stop_at=session.training.ended
        )
        shown = Waiting(session.mask_changed, lambda: session.has_mask, stop_at=session.training.ended)
        pressed = time.monotonic()
        QTest.mouseClick(dock.train_panel.button, Qt.MouseButton.LeftButton)
        preview.wait(300, "No preview came")
        shown.wait(300, "No overlay appeared")
        overlay = time.monotonic() - pressed
        if failed:
            raise SystemExit(f"{failed[0].message} {failed[0].hint}")
        for kind, words in (
            ("planned", "planned"),
            ("labels", "network made"),
            ("step", "first step"),
            ("preview", "mask"),
        ):
            print(f"{words} after {next(moment for moment, name in seen if name == kind) - pressed:.1f} s")
        print(f"first overlay after {overlay:.1f} s")
        viewer.close()


if __name__ == "__main__":
    main()
