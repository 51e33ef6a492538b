"""Make the pictures of the embeddings dock for the user guide: `python docs/pictures_embeddings.py [--minutes 4]`.

Without a screen: `xvfb-run -a -s "-screen 0 1600x1000x24" python docs/pictures_embeddings.py`. The scans are the program's own
phantom; a study that has been trained can be given with `--study`: those in the guide were taken of 40 scans of the hippocampus
(Medical Segmentation Decathlon, CC-BY-SA 4.0), 12 labeled to learn from, after five minutes; beside it a mean teacher's run.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import napari
import numpy as np
from pictures import take
from qtpy.QtCore import QPointF, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.run_folder import newest_model
from cvrl_napari.gui.demo import WINDOW
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.coloring import KINDS
from cvrl_napari.gui.embeddings.computed import SCOPES
from cvrl_napari.gui.embeddings.dock import TITLE, EmbeddingsDock
from cvrl_napari.gui.embeddings.feature_layer import LAYER as COLORS
from cvrl_napari.gui.embeddings.model_change import LAYER as CHANGE
from cvrl_napari.study.phantom import create_phantom
from cvrl_napari.study.study import Study

LEFT, NOTHING = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def until(done: Callable[[], object], seconds: float = 300) -> None:
    """Keep the window alive until something is so."""
    end = time.monotonic() + seconds
    while not done():
        QApplication.processEvents()
        time.sleep(0.02)
        if time.monotonic() > end:
            raise SystemExit("The window did not get as far as the next picture.")


def fence(dock: EmbeddingsDock, chosen: np.ndarray) -> None:
    """Draw a lasso with the mouse around the thick of some points, bool (N,)."""
    plot = dock.scatter.plot
    places = dock.cloud.places[chosen]
    middle = np.median(places, axis=0)
    reach = 2.0 * np.median(np.abs(places - middle), axis=0)
    corners = []
    for angle in np.linspace(0, 2 * np.pi, 36):
        place = middle + reach * (np.cos(angle), np.sin(angle))
        corners.append(plot.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(*map(float, place)))))
    canvas = plot.viewport()
    QTest.mousePress(canvas, LEFT, NOTHING, corners[0])
    for corner in corners[1:]:
        QTest.mouseMove(canvas, corner)
        time.sleep(0.02)
        QApplication.processEvents()
    QTest.mouseRelease(canvas, LEFT, NOTHING, corners[-1])


def show(viewer: napari.Viewer, folder: Path) -> None:
    """Go through the dock once and take a picture of each of its tabs."""
    viewer.theme = "dark"  # whatever the person who makes the pictures prefers
    viewer.window.resize(*WINDOW)
    main_dock = CvrlDock(viewer)
    viewer.window.add_dock_widget(main_dock, name="CVRL", area="right")
    main_dock.open_folders([folder])
    session = main_dock.session
    until(lambda: session.case)
    session.open_case(session.study.labeled_cases()[0])
    until(lambda: session.case == session.study.labeled_cases()[0])
    inside = np.argwhere(session.layers.labels_array() == 1)
    scan = next(layer for layer in viewer.layers if layer.name == session.case)
    voxel = inside[np.abs(inside - np.median(inside, axis=0)).sum(axis=1).argmin()]
    viewer.dims.set_point(range(3), scan.data_to_world(voxel))
    QTest.mouseClick(main_dock.embeddings_button, LEFT)
    until(lambda: TITLE in viewer.window.dock_widgets)
    dock: EmbeddingsDock = viewer.window.dock_widgets[TITLE]
    dock.cases.setCurrentIndex(list(SCOPES).index("labeled"))
    dock.cases.activated.emit(dock.cases.currentIndex())
    until(lambda: dock.cloud.sample is not None and len(dock.cloud.sample.cases) > 1)
    fence(dock, dock.cloud.sample.predicted == 1)
    until(lambda: dock.selection._fenced is not None)
    take(viewer, "7-scatter")

    dock.selection.clear()
    dock.scatter.kind.setCurrentIndex(list(KINDS).index("case"))
    until(lambda: not dock.overlays.is_busy)
    take(viewer, "7-cases")
    dock.scatter.kind.setCurrentIndex(list(KINDS).index("predicted"))

    dock.tabs.setCurrentIndex(1)
    QTest.mouseClick(dock.similar.button, LEFT)
    until(lambda: dock.similarity._embeddings is not None)
    dock.similarity._point(scan.data_to_world(voxel))
    dock.similarity.compare_whole()
    until(lambda: dock.similarity.has_map)
    dock.similar.find_button.click()
    until(lambda: dock.similar.matches.count())
    next(layer for layer in viewer.layers if layer.name.startswith("Labels")).visible = False
    take(viewer, "8-similar")

    dock.similarity.clear()
    QTest.mouseClick(dock.similar.button, LEFT)
    dock.similar.colors.click()
    until(lambda: dock.overlays.get(COLORS) is not None and not dock.overlays.is_busy)
    take(viewer, "8-colors")
    dock.similar.colors.click()
    if dock.similar.other.count() > 2:  # another model, beside itself
        dock.similar.other.setCurrentIndex(1)
        dock.similar.other.activated.emit(1)
        until(lambda: dock.overlays.get(CHANGE) is not None and not dock.overlays.is_busy)
        take(viewer, "8-differs")
        dock.similar.other.activated.emit(0)

    dock.tabs.setCurrentIndex(2)
    until(lambda: dock.health_panel.is_drawn and dock.health_panel.sentence.text())
    if dock.health_panel.other.count() > 1:
        dock.health_panel.other.setCurrentIndex(1)
        dock.health_panel.other.activated.emit(1)
        until(lambda: dock.health.reading.other is not None)
    until(lambda: dock.health_panel.map.image is not None and not dock.overlays.is_busy)
    take(viewer, "9-health")
    main_dock.close()


def main() -> None:
    """Train where there is no trained study, compute the features, and take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=4.0, help="training time")
    parser.add_argument("--study", type=Path, help="a study that is trained")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = asked.study or Path(place) / "sample-study"
        if asked.study is None:
            create_phantom(folder).close()
            command = [sys.executable, "-P", "-m", "cvrl_napari", "train", str(folder), "--minutes", str(asked.minutes)]
            subprocess.run(command, check=True)
        with Study.open(folder, read_only=True) as study:
            model = newest_model(study.runs_folder)
            assert model is not None
            list(embed_cases(study, model, [*study.labeled_cases(), *study.unlabeled_cases()]))
        viewer = napari.Viewer(title="napari")
        show(viewer, folder)
        viewer.close()


if __name__ == "__main__":
    main()
