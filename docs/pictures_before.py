"""Make the picture of the plan before the start for the user guide: `python docs/pictures_before.py`.

Without a screen: `xvfb-run -a -s "-screen 0 1600x1000x24" python docs/pictures_before.py`. The scans are the program's own.
"""

import tempfile
from pathlib import Path

import napari
from pictures import take
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from cvrl_napari.gui.demo import Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.phantom import create_phantom

SIZE = (1366, 768)
PATIENCE_S = 300


def main() -> None:
    """Open the phantom, wait for the plan, unfold its reasons, and take the picture."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sample-study"
        create_phantom(folder).close()
        viewer = napari.Viewer(title="napari")
        viewer.theme = "dark"  # whatever the person who makes the pictures prefers
        viewer.window.resize(*SIZE)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        panel = dock.train_panel
        opened = Waiting(dock.session.case_opened)
        foreseen = Waiting(panel.foresight.changed, lambda: panel.foresight.foreseen is not None)
        dock.open_folders([folder])
        opened.wait(PATIENCE_S, "The study did not open")
        foreseen.wait(PATIENCE_S, "The plan was not told")
        QTest.mouseClick(panel.why_button, Qt.MouseButton.LeftButton)
        dock.scroll_area.ensureWidgetVisible(panel.why)
        take(viewer, "before-the-start")
        viewer.close()


if __name__ == "__main__":
    main()
