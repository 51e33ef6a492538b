"""Painting on labels of 512 x 512 x 300 voxels with the linked views open, and opening another case: what the GUI thread does.

    xvfb-run -a -s "-screen 0 1600x1000x24" python tests/benchmarks/bench_views.py [--segments 150]

One segment of a stroke is one move of the mouse by 12 pixels with a brush of 20 voxels in hand: the layer is painted, the views
look up their slices again and are drawn. Strokes go along a spiral over empty labels, so that each segment changes voxels.
What is counted is the processor time of the GUI thread; with napari's own canvas kept from drawing, and with it. Where there is
no graphics card Mesa draws the pixels, with LP_NO_RAST=1 it does all but these: that is what a card leaves to the GUI thread.
Last, the same moves with no tool in hand: what napari takes for a move alone.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import napari
import nibabel
import numpy as np
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from cvrl_napari.gui.demo import Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.views.canvas_crosshair import KEY
from cvrl_napari.study.study import Study

SHAPE = (300, 512, 512)
SPACING = (1.0, 0.7, 0.7)
BRUSH_VOXELS = 20
STEP = 12.0
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def make_study(folder: Path) -> Path:
    """Two scans of noise, 16 bit."""
    rng = np.random.default_rng(0)
    affine = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])
    (folder / "scans").mkdir()
    for name in "ab":
        plane = rng.normal(100, 20, SHAPE[1:]).astype(np.int16)
        scan = np.broadcast_to(plane, SHAPE) + np.arange(SHAPE[0], dtype=np.int16)[:, None, None]
        nibabel.save(nibabel.Nifti1Image(scan.T, affine), folder / "scans" / f"{name}.nii")
    Study.create(folder / "study", sorted((folder / "scans").iterdir()), classes=("organ",)).close()
    return folder / "study"


def spiral(widget: QWidget, count: int) -> list[QPointF]:
    """Return places `STEP` pixels apart on a spiral about the middle of a widget, whose turns lie a brush apart."""
    middle = QPointF(widget.width() / 2, widget.height() / 2)
    radius, turn, places = 20.0, 0.0, []
    for _ in range(count):
        places.append(middle + radius * QPointF(np.cos(turn), np.sin(turn)))
        turn += STEP / radius
        radius = 20 + (0.45 * min(widget.width(), widget.height()) - 20) * len(places) / count
    return places


def segments(widget: QWidget, count: int) -> Iterator[Callable[[], None]]:
    """Press, hand out moves along a spiral, let go."""
    first, *places = spiral(widget, count + 1)
    QTest.mouseMove(widget, first.toPoint())
    QTest.mousePress(widget, LEFT, NONE, first.toPoint())
    QApplication.processEvents()
    for at in places:
        move = QMouseEvent(QEvent.Type.MouseMove, at, widget.mapToGlobal(at), Qt.MouseButton.NoButton, LEFT, NONE)
        yield lambda move=move: QApplication.sendEvent(widget, move)
        time.sleep(0.006)  # napari takes one move in 5 ms
    QTest.mouseRelease(widget, LEFT, NONE, places[-1].toPoint())
    QApplication.processEvents()


def milliseconds(widget: QWidget, count: int) -> np.ndarray:
    """Time every segment of a stroke from the mouse's event until nothing is left to do."""
    took = []
    for move in segments(widget, count):
        start = time.thread_time()
        move()
        QApplication.processEvents()
        QApplication.processEvents()
        took.append(1000 * (time.thread_time() - start))
    return np.array(took)


def row(what: str, took: np.ndarray, changed: int) -> None:
    """Print one line of the table."""
    times = f"{np.median(took):.1f} | {np.percentile(took, 95):.1f} | {took.max():.1f}"
    print(f"| {what} | {times} | {changed:,} |", flush=True)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=150)
    count = parser.parse_args().segments
    with tempfile.TemporaryDirectory() as place:
        folder = make_study(Path(place))
        viewer = napari.Viewer()
        viewer.window.resize(1366, 768)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        session, viewing = dock.session, dock.viewing
        opened = Waiting(session.case_opened)
        dock.open_folders([folder])
        opened.wait(120, "the study did not open")
        session.paint_with(1)
        labels = session.layers.shown.labels
        labels.brush_size = BRUSH_VOXELS
        window = viewer.window._qt_window
        canvas = next(one for one in window.findChildren(QWidget) if type(one).__name__ == "CanvasBackendDesktop")

        places = {"views closed": (False, 0), "two views": (True, 0), "all three views": (True, 1)}
        print("| a segment of a stroke, ms of the GUI thread | median | p95 | most | voxels changed |\n|---|--:|--:|--:|--:|")
        for draws in (False, True):
            canvas.setUpdatesEnabled(draws)
            how = "canvas drawn" if draws else "canvas not drawn"
            for what, (opened_views, third) in places.items():
                viewing.show_views(opened_views, beside=dock)
                if third:
                    for view in viewing.views.views:
                        view.show()
                targets = {"on the canvas": canvas}
                if opened_views:
                    targets |= {f"in the {view.plane.name.lower()} view": view for view in viewing.views.shown_views()}
                for where, target in targets.items():
                    labels.data[...] = 0
                    labels.refresh()
                    session.paint_with(1)
                    settle(dock)
                    took = milliseconds(target, count)
                    row(f"{where}, {what}, {how}", took, np.count_nonzero(labels.data))
        viewing.show_views(False)
        canvas.setUpdatesEnabled(False)
        labels.mode = "pan_zoom"
        viewer.scene.camera.mouse_pan = False
        settle(dock)
        row("on the canvas, nothing in hand, canvas not drawn", milliseconds(canvas, count), 0)
        settle(dock)

        viewing.show_views(True, beside=dock)
        settle(dock)
        lines = viewer.scene.overlays[KEY]
        took = []
        for step in range(100):
            start = time.thread_time()
            lines.place = (float(step), float(step))
            QApplication.processEvents()
            took.append(1000 * (time.thread_time() - start))
        print(f"\nMoving the lines of the crosshair, ms: {np.median(took):.2f}, p95 {np.percentile(took, 95):.2f}")

        print("\n| opening another case, ms of the GUI thread | median of 6 |\n|---|---|")
        for views in (False, True):
            viewing.show_views(views, beside=dock)
            settle(dock)
            took = []
            for case in "bababa":
                opened = Waiting(session.case_opened)
                start = time.thread_time()
                session.open_case(case)
                opened.wait(120, "the case did not open")
                QApplication.processEvents()
                took.append(1000 * (time.thread_time() - start))
            print(f"| views {'open' if views else 'closed'} | {np.median(took):.0f} |", flush=True)
        viewer.close()


def settle(dock: CvrlDock) -> None:
    """Let everything be laid out, drawn and saved: saving two seconds after a stroke is not part of the next one."""
    dock.session.save_now()
    for _ in range(5):
        QApplication.processEvents()
        time.sleep(0.02)


if __name__ == "__main__":
    main()
