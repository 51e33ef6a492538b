"""Make the pictures of the user guide from a real napari window: `python docs/pictures.py [--minutes 3]`.

Without a screen: `xvfb-run -a -s "-screen 0 1600x1000x24" python docs/pictures.py`. The scans are the program's own phantom.
"""

import argparse
import tempfile
from pathlib import Path

import napari
import numpy as np
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from scipy.ndimage import binary_dilation, binary_erosion

from cvrl_napari.engine.events import RunDone, StepDone
from cvrl_napari.gui.demo import PICTURE_AT, WINDOW, Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.export import formats_for
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.phantom import create_phantom, generate
from cvrl_napari.study.phantom_recipe import phantom_recipe

HERE = Path(__file__).parent / "pictures"
PAINTED_SLICES = (-3, 0, 3)
"""Slices painted, counted from the one on view: what a person would do first."""


def take(viewer: napari.Viewer, name: str) -> None:
    """Save the window as `name`.png."""
    for _ in range(5):
        QApplication.processEvents()
    window = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")
    window.save(HERE / f"{name}.png", optimize=True)
    print(name, (HERE / f"{name}.png").stat().st_size // 1000, "kB", flush=True)


def paint(viewer: napari.Viewer, dock: CvrlDock) -> None:
    """Paint the unlabeled case on view on three slices: the chamber somewhat inside its border, background around it."""
    study, case = dock.session.study, dock.session.case
    assert study is not None
    index = next(number for number, one in enumerate(study.cases) if one.id == case)
    recipe = phantom_recipe()
    unusual = np.linspace(*recipe.unusual_unlabeled, recipe.unlabeled)[index - recipe.labeled]
    _, reference = generate(recipe, float(unusual), np.random.Generator(np.random.PCG64([0, index])))
    layer = next(layer for layer in viewer.layers if layer.name.startswith("Labels"))
    middle = int(np.argmax(reference.sum(axis=(1, 2))))
    viewer.dims.set_point(range(3), layer.data_to_world((middle, 0, 0)))
    for offset in PAINTED_SLICES:
        chamber = reference[middle + offset] == 1
        around = binary_dilation(chamber, iterations=9) & ~binary_dilation(chamber, iterations=3)
        for value, plane in ((1, binary_erosion(chamber, iterations=2)), (BACKGROUND, around)):
            where = np.nonzero(plane)
            layer.data_setitem((np.full(len(where[0]), middle + offset), *where), np.uint8(value))
    layer.mode = "paint"


def main() -> None:
    """Go through the work once and take a picture at each stage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="training time")
    minutes = parser.parse_args().minutes
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "sample-study"
        create_phantom(folder).close()
        viewer = napari.Viewer(title="napari")
        viewer.window.resize(*WINDOW)
        dock = CvrlDock(viewer)
        viewer.window.add_dock_widget(dock, name="CVRL", area="right")
        take(viewer, "1-empty")
        session = dock.session
        opened = Waiting(session.case_opened)
        dock.open_folders([folder])
        opened.wait(60, "The study did not open")
        take(viewer, "2-study")
        measured = Waiting(session.measuring.measured, lambda case: case == session.case)
        paint(viewer, dock)
        measured.wait(20, "The labels were not measured")
        take(viewer, "3-painting")

        dock.train_panel.set_options(minutes=minutes)
        ended = Waiting(session.training.ended)
        near_end = Waiting(
            session.training.event_received,
            lambda event: isinstance(event, StepDone) and event.step >= PICTURE_AT * event.total,
            stop_at=session.training.ended,
        )
        QTest.mouseClick(dock.train_panel.button, Qt.MouseButton.LeftButton)
        near_end.wait(minutes * 60 + 300, "The training did not go on")
        take(viewer, "4-training")
        ended.wait(300, "The training did not end")
        assert isinstance(ended.values[0], RunDone), ended.values[0]

        dock.scroll_area.ensureWidgetVisible(dock.mask_panel)
        measured = Waiting(session.measuring.measured)
        dock.mask_panel.accept_button.click()
        measured.wait(20, "The labels were not measured")
        take(viewer, "5-accepted")
        saved = Waiting(session.saving.done)
        session.save_as(Path(place) / f"{session.case}_mask.nii.gz", formats_for(session.layers.scan)[0], what="mask")
        saved.wait(20, "The mask was not saved")
        dock.scroll_area.ensureWidgetVisible(dock.notice)
        take(viewer, "6-saved")
        viewer.close()


if __name__ == "__main__":
    main()
