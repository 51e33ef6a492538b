"""In a real window: the mouse goes towards a letter, and the voxel under it lies further in that direction of the patient."""

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QApplication, QWidget

from cvrl_napari.gui.case_view import turn_head_up
from cvrl_napari.gui.orientation_letters import TOWARDS
from cvrl_napari.gui.readers import read_layers
from cvrl_napari.gui.views.canvas_edges import CanvasEdges
from cvrl_napari.gui.world_position import spot_at

pytestmark = pytest.mark.gui

NONE = Qt.MouseButton.NoButton
EDGES = {"top": (0.5, 0.1), "bottom": (0.5, 0.9), "left": (0.1, 0.5), "right": (0.9, 0.5)}
"""Where an edge of the canvas is, as shares of its width and height."""


def test_the_mouse_goes_where_the_letters_say(make_napari_viewer, qtbot, shared_data):
    viewer = make_napari_viewer(show=True)
    edges = CanvasEdges(viewer)
    canvas = next(one for one in viewer.window._qt_window.findChildren(QWidget) if type(one).__name__ == "CanvasBackendDesktop")
    ((array, about, _),) = read_layers(str(shared_data / "clinical" / "labelled" / "t2.nii.gz"))
    layer = viewer.add_image(array, **about)

    def under_mouse(across: float, down: float) -> np.ndarray:
        """Move the mouse to a place on the canvas and return where the voxel there lies, RAS mm."""
        seen: list[tuple[float, ...]] = []

        def settled() -> bool:  # napari takes a move of the mouse at its leisure, and none before the canvas is laid out
            point = QPointF(across * canvas.width(), down * canvas.height())
            none = Qt.MouseButton.NoButton
            move = QMouseEvent(
                QEvent.Type.MouseMove, point, canvas.mapToGlobal(point), none, none, Qt.KeyboardModifier.NoModifier
            )
            QApplication.sendEvent(canvas, move)
            seen.append(tuple(viewer.cursor.position))
            return len(seen) > 8 and len(set(seen[-8:])) == 1

        qtbot.waitUntil(settled)
        return np.array(spot_at(layer, viewer.cursor.position).ras_mm)

    def check_letters() -> None:
        assert set(edges.letters) == set(EDGES)
        for edge, place in EDGES.items():
            middle = under_mouse(0.5, 0.5)
            moved = under_mouse(*place) - middle
            letter = edges.letters[edge]
            (axis,) = [axis for axis, pair in enumerate(TOWARDS) if letter in pair]
            assert abs(moved[axis]) == pytest.approx(np.abs(moved).max())
            assert (moved[axis] > 5.0) if letter in "RAS" else (moved[axis] < -5.0), (edge, letter, moved)

    for order in ((0, 1, 2), (1, 0, 2), (2, 0, 1)):  # axial, coronal, sagittal, with the head up as the dock draws them
        viewer.dims.order = order
        turn_head_up(viewer)
        viewer.reset_view()
        check_letters()
    viewer.dims.transpose()
    viewer.reset_view()
    check_letters()
    viewer.dims.roll()
    viewer.reset_view()
    check_letters()
    viewer.dims.ndisplay = 3
    assert edges.letters == {}
    edges.close()
