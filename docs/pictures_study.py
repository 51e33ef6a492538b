"""Make the pictures of the study table and the classes: `python docs/pictures_study.py [--folder DIR]`.

Without a screen: `xvfb-run -a -s "-screen 0 1366x768x24" python docs/pictures_study.py`. The scans are the program's own
phantom; with `--scans FOLDER` the same is done with other scans, and nothing but the picture's folder is written to.
"""

import argparse
import tempfile
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.engine.events import LabelsTaken
from cvrl_napari.gui.demo import WINDOW, Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.version_dialog import VersionDialog
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.finding import find_scans

HERE = Path(__file__).parent / "pictures"
LEFT = Qt.MouseButton.LeftButton


def settle(seconds: float = 0.3) -> None:
    """Let the window draw what it has pending."""
    QTest.qWait(round(seconds * 1000))
    QApplication.processEvents()


def take(viewer: napari.Viewer, folder: Path, name: str) -> None:
    """Save the window as `name`.png."""
    settle()
    window = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")
    window.save(folder / f"{name}.png", optimize=True)
    print(name, (folder / f"{name}.png").stat().st_size // 1000, "kB", flush=True)


def paint(dock: CvrlDock, value: int, number: int) -> None:
    """Paint a few disks of a class on the case on view."""
    layer = next(one for one in dock.session.layers._viewer.layers if one.name.startswith("Labels"))
    middle = np.array(layer.data.shape) // 2
    layer.brush_size = 9
    for step in range(3):
        layer.paint((middle[0] + step, middle[1] + 6 * number, middle[2] + 4 * step), value)


def main() -> None:
    """Open a study, mark, note, paint, go back; a picture of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=HERE, help="where the pictures go")
    parser.add_argument("--scans", type=Path, help="a folder of other scans")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sample-study"
        if options.scans is None:
            create_phantom(folder).close()
        else:
            Study.create(folder, find_scans(options.scans)[:20], classes=["chamber", "wall"]).close()
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*WINDOW)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        session, panel = dock.session, dock.study_panel
        opened = Waiting(session.case_opened)
        dock.open_folders([folder])
        opened.wait(60, "The study did not open")
        if len(session.study.classes) < 2:
            session.add_class("wall")
        for number, value in enumerate((1, 2, 1)):
            paint(dock, value, number)
            session.save_now()
        QTest.keyClick(viewer.window._qt_window, Qt.Key.Key_L, Qt.KeyboardModifier.AltModifier)
        panel.editing.set_note(session.case, "Motion at the apex: ask for the second series.")
        labeled = session.study.labeled_cases()
        session.training.event_received.emit(LabelsTaken(cases=labeled[:-1], step=1))
        settle(3)
        print("marked by key:", session.study.case(session.case).needs_look)
        take(viewer, options.folder, "study-table")
        header = panel.list.horizontalHeader()
        for column in (3, 1):
            place_of = QPoint(header.sectionViewportPosition(column) + 12, header.height() // 2)
            QTest.mouseClick(header.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, place_of)
        QTest.keyClicks(panel.search, "look")
        take(viewer, options.folder, "study-filter")
        panel.search.clear()
        looked = Waiting(panel.editing.looked)
        panel.versions_action.trigger()
        looked.wait(20, "The versions were not read")
        settle()
        dialog = dock.findChildren(VersionDialog)[-1]
        dialog.grab().save(str(options.folder / "study-versions.png"))
        dialog.reject()
        panel.menu.popup(panel.case_button.mapToGlobal(QPoint(0, panel.case_button.height())))
        settle()
        panel.menu.grab().save(str(options.folder / "study-menu.png"))
        panel.menu.close()
        viewer.close()


if __name__ == "__main__":
    main()
