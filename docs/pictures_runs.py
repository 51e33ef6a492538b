"""Make the picture of the earlier trainings for the user guide: `python docs/pictures_runs.py [--steps 300]`.

Without a screen: `xvfb-run -a -s "-screen 0 1600x1000x24" python docs/pictures_runs.py`. The scans are the program's own.
"""

import argparse
import tempfile
from pathlib import Path

import napari
from pictures import take
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.engine.run_list import list_runs, rename
from cvrl_napari.gui.demo import Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.phantom import create_phantom

SIZE = (1366, 768)
PATIENCE_S = 1_800


def main() -> None:
    """Train twice, compare, and take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=300, help="of each training")
    steps = parser.parse_args().steps
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sample-study"
        create_phantom(folder, size=0.5).close()
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*SIZE)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        opened = Waiting(dock.session.case_opened)
        dock.open_folders([folder])
        opened.wait(PATIENCE_S, "The study did not open")
        panel = dock.train_panel
        for method in ("supervised", "cvrl"):
            panel.set_options(method=method, steps=steps, preset="quick", device="cpu")
            ended = Waiting(dock.session.training.ended)
            QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
            ended.wait(PATIENCE_S, "The training did not end")
        for run, name in zip(list_runs(folder / "runs"), ("with the unlabeled scans", "labels only"), strict=True):
            rename(run.path, name)
        panel.earlier.expand(animate=False)
        read = Waiting(panel.history.changed)
        panel.history.refresh()
        read.wait(20, "The list was not read")
        compared = Waiting(panel.history.compared)
        first = panel.runs.list.topLevelItem(1)
        assert first is not None
        first.setCheckState(0, Qt.CheckState.Checked)
        compared.wait(20, "The curves were not read")
        panel.curves.setCurrentIndex(1)
        dock.notice.hide()
        for _ in range(20):
            QApplication.processEvents()
        dock.scroll_area.ensureWidgetVisible(panel.earlier)
        take(viewer, "runs-earlier")
        viewer.close()


if __name__ == "__main__":
    main()
