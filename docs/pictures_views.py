"""Make the pictures of linked views and 3D for the user guide: `python docs/pictures_views.py`.

Without a screen put `xvfb-run -a -s "-screen 0 1600x1000x24"` before it. The scans are the program's own phantom.
"""

import tempfile
from pathlib import Path

import napari
from pictures import take
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.demo import WINDOW, Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.phantom import create_phantom


def main() -> None:
    """Open the views, measure, then turn to 3D."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sample-study"
        create_phantom(folder).close()
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*WINDOW)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        session, viewing = dock.session, dock.viewing
        opened = Waiting(session.case_opened)
        dock.open_folders([folder])
        opened.wait(60, "The study did not open")
        opened = Waiting(session.case_opened)
        session.open_case(session.study.labeled_cases()[0])
        opened.wait(60, "The case did not open")
        dock.view_panel.views_button.click()
        for _ in range(10):
            QApplication.processEvents()
        viewer.reset_view()
        session.paint_with(1)
        coronal = viewing.views.views[1]
        QTest.mouseMove(coronal, QPoint(coronal.width() // 2 - 30, coronal.height() // 2 - 20))
        take(viewer, "views-linked")
        made = Waiting(viewing.surfaces.changed, lambda: any(layer.name.endswith("(labels)") for layer in viewer.layers))
        dock.view_panel.surfaces_button.click()
        made.wait(60, "No surface was made")
        take(viewer, "views-3d")
        dock.view_panel.surfaces_button.click()
        viewer.close()


if __name__ == "__main__":
    main()
