"""The main job by mouse and key, in a real window on real scans: open, paint, train, accept, save, close, reopen.

A picture of every step lies in the test's temporary folder (`pytest --basetemp=DIR` keeps it in a place of your choice).
"""

import shutil

import nibabel
import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from cvrl_napari.engine.events import PreviewReady, RunDone
from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def atrium_folder(shared_data, tmp_path):
    """Four left-atrium scans, copied so that nothing can happen to the originals."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for path in sorted((shared_data / "left_atrium" / "scans").iterdir())[:4]:
        shutil.copy(path, folder)
    return folder


class Person:
    """Somebody with a mouse in front of the canvas."""

    def __init__(self, viewer, pictures):
        self.viewer, self.pictures = viewer, pictures
        window = viewer.window._qt_window
        self.canvas = next(one for one in window.findChildren(QWidget) if type(one).__name__ == "CanvasBackendDesktop")

    def stroke(self, start_mm, end_mm):
        """Press, drag and release between two points of the slice on view, (vertical, horizontal) in mm."""
        camera = camera_of(self.viewer)
        middle = np.array((self.canvas.height(), self.canvas.width())) / 2

        def point(mm):
            row, column = middle + (np.array(mm) - np.array(camera.center[1:])) * camera.zoom
            return QPoint(round(column), round(row))

        QTest.mouseMove(self.canvas, point(start_mm))
        QTest.mousePress(self.canvas, LEFT, NONE, point(start_mm))
        for share in np.linspace(0, 1, 8):
            QTest.mouseMove(self.canvas, point(np.array(start_mm) * (1 - share) + np.array(end_mm) * share))
            QApplication.processEvents()
        QTest.mouseRelease(self.canvas, LEFT, NONE, point(end_mm))
        QApplication.processEvents()

    def look(self, name):
        """Take a picture of the window."""
        QApplication.processEvents()
        self.viewer.screenshot(str(self.pictures / f"{name}.png"), canvas_only=False, flash=False)


@pytest.mark.gui
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_from_a_folder_of_scans_to_a_saved_mask(make_napari_viewer, qtbot, atrium_folder, shared_data, tmp_path):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    dock = CvrlDock(viewer)
    viewer.window.add_dock_widget(dock, name="CVRL", area="right")
    session = dock.session
    person = Person(viewer, tmp_path)

    # A folder of scans becomes a study.
    with qtbot.waitSignal(session.case_opened, timeout=30_000):
        session.create_study(tmp_path / "atria", [atrium_folder], ["left atrium"])
    case = session.case
    assert [one.state for one in session.study.cases] == ["unlabeled"] * 4
    assert not dock.train_panel.button.isEnabled()
    person.look("1-opened")

    # Paint by mouse where the atrium is largest: the structure with key 1, background with key 0.
    reference = read(shared_data / "left_atrium" / "labels" / f"{case}.nii.gz").array
    layer = next(one for one in viewer.layers if one.name.startswith("Labels"))
    z = int(np.argmax(reference.sum(axis=(1, 2))))
    viewer.dims.set_point(0, layer.data_to_world((z, 0, 0))[0])
    rows, columns = np.nonzero(reference[z])
    row = int(np.median(rows))
    inside = columns[rows == row]
    spans = [(row + offset, inside.min() + 6, inside.max() - 6) for offset in (-3, 0, 3)]

    def mm(row, column):
        return layer.data_to_world((z, row, column))[1:]

    window = viewer.window._qt_window
    QTest.keyClick(window, Qt.Key.Key_1)
    layer.brush_size = 5
    with qtbot.waitSignal(session.painting.saved, timeout=20_000):
        for stroke_row, first, last in spans:
            person.stroke(mm(stroke_row, first), mm(stroke_row, last))
        QTest.keyClick(window, Qt.Key.Key_0)
        for border in (rows.min() - 20, rows.max() + 20):
            person.stroke(mm(border, inside.min()), mm(border, inside.max()))
    qtbot.waitUntil(lambda: not session.painting.pending, timeout=20_000)  # a long painting is saved on the way, too
    painted = session.study.read_labels(case)
    assert (painted == 1).sum() > 200
    assert (painted == 255).sum() > 200
    assert reference[painted == 1].mean() > 0.8
    assert session.study.case(case).state == "partial"
    person.look("2-painted")

    # One press; the mask comes while it trains; a stroke made meanwhile is taken up; stop.
    seen = []
    session.training.event_received.connect(seen.append)
    dock.train_panel.set_options(minutes=1.0)
    with qtbot.waitSignal(session.mask_changed, timeout=120_000):
        qtbot.mouseClick(dock.train_panel.button, LEFT)
    QTest.keyClick(window, Qt.Key.Key_1)
    person.stroke(mm(row + 6, spans[0][1]), mm(row + 6, spans[0][2]))
    qtbot.waitUntil(lambda: session.training.strokes_seen > 0, timeout=60_000)
    with qtbot.waitSignal(session.training.ended, timeout=120_000) as ended:
        person.look("3-training")
    assert isinstance(ended.args[0], RunDone), ended.args[0]
    assert any(isinstance(event, PreviewReady) and event.case == case for event in seen)
    person.look("4-trained")

    # Accept, take it back, accept again.
    before = session.layers.labels_array().copy()
    qtbot.mouseClick(dock.mask_panel.accept_button, LEFT)
    accepted = session.layers.labels_array().copy()
    assert not np.array_equal(before, accepted)
    viewer.layers.selection.active = layer
    layer.undo()
    assert np.array_equal(session.layers.labels_array(), before)
    layer.redo()
    assert np.array_equal(session.layers.labels_array(), accepted)
    person.look("5-accepted")

    # Save the mask: it lies exactly on the scan.
    with qtbot.waitSignal(session.confirmed):
        session.save_as(tmp_path / "mask.nii.gz", what="mask")
    scan, mask = nibabel.load(atrium_folder / f"{case}.nii.gz"), nibabel.load(tmp_path / "mask.nii.gz")
    assert mask.shape == scan.shape
    assert np.array_equal(mask.affine, scan.affine)

    # Close and reopen: everything is there.
    assert session.close_study()
    assert len(viewer.layers) == 0
    with qtbot.waitSignal(session.case_opened, timeout=30_000):
        dock.open_folders([tmp_path / "atria"])
    with qtbot.waitSignal(session.case_opened, timeout=30_000):
        session.open_case(case)
    assert np.array_equal(session.layers.labels_array(), accepted)
    assert session.study.case(case).state in ("complete", "accepted")
    assert session.has_mask
    person.look("6-reopened")
    session.shut_down()
    with Study.open(tmp_path / "atria", read_only=True) as study:
        assert np.array_equal(study.read_labels(case), accepted)
