"""Make the pictures of the guide's section on tools from a real napari window: `python docs/pictures_tools.py`.

Without a screen: `xvfb-run -a -s "-screen 0 1366x768x24" python docs/pictures_tools.py`. The scans are the phantom's.
"""

import tempfile
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QObject, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QPushButton

from cvrl_napari.gui.demo import Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.phantom import create_phantom

HERE = Path(__file__).parent / "pictures"
WINDOW = (1366, 768)
EVERY = 8


def take(viewer: napari.Viewer, name: str) -> None:
    """Save the window as `name`.png, in 128 colors."""
    for _ in range(8):
        QApplication.processEvents()
    window = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")
    window.quantize(128).save(HERE / f"{name}.png", optimize=True)
    print(name, (HERE / f"{name}.png").stat().st_size // 1000, "kB", flush=True)


def press(button: QPushButton, told: QObject) -> None:
    """Click a tool with the mouse and wait until it has worked."""
    for _ in range(8):  # it may only just have been unfolded
        QApplication.processEvents()
    done = Waiting(told)
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    done.wait(60, "The tool did not end")


def main() -> None:
    """Interpolate, grow in a grey range, and take a mask over with the brush; a picture of each."""
    with tempfile.TemporaryDirectory() as place:
        create_phantom(Path(place) / "sample-study").close()
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*WINDOW)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        session, box = dock.session, dock.tool_box
        opened = Waiting(session.case_opened)
        dock.open_folders([Path(place) / "sample-study"])
        opened.wait(60, "The study did not open")
        labeled = next(case.id for case in session.study.cases if case.is_labeled)
        opened = Waiting(session.case_opened)
        session.open_case(labeled)
        opened.wait(60, "The case did not open")
        dock.tools.expand(animate=False)
        labels = session.layers.shown.labels
        reference = labels.data.copy()
        chamber = reference == 1
        held = np.flatnonzero(chamber.any(axis=(1, 2)))
        painted = range(held[0], held[-1] + 1, EVERY)
        labels.data[...] = 0
        for z in painted:
            labels.data[z][chamber[z]] = 1
        labels.refresh()
        middle = painted[len(painted) // 2] + EVERY // 2
        viewer.dims.set_point(range(3), labels.data_to_world((middle, 0, 0)))
        dock.scroll_area.ensureWidgetVisible(dock.tools_panel)
        press(dock.tools_panel.buttons["Interpolate"], box.tools.told)
        take(viewer, "tools-interpolated")

        labels.data[...] = 0
        labels.refresh()
        y, x = np.argwhere(chamber[middle]).mean(axis=0)
        viewer.cursor.position = tuple(labels.data_to_world((middle, y, x)))
        box.keys["T"]()
        labels.brush_size = 15
        session.paint_with(1)
        with labels.block_history():
            for step in np.linspace(-14, 14, 15):
                labels.paint((middle, y + step, x + 0.4 * step), 1)
        take(viewer, "tools-grey-range")

        box.grey_range.set_on(False)
        labels.data[...] = 0
        labels.refresh()
        session.layers.set_mask(np.where(reference == BACKGROUND, 0, reference))
        session.mask_changed.emit()
        dock.scroll_area.ensureWidgetVisible(dock.mask_panel)
        QTest.mouseClick(dock.mask_panel.bring, Qt.MouseButton.LeftButton)
        with labels.block_history():
            for step in np.linspace(-10, 10, 11):
                labels.paint((middle, y - 4, x + step), 1)
        take(viewer, "tools-brings-mask")
        dock.shut_down()
        viewer.close()


if __name__ == "__main__":
    main()
