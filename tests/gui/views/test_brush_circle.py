"""The circle round the brush: where it is drawn, how large, and that it is drawn by the ring alone."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint
from qtpy.QtTest import QTest

from .conftest import canvas_of, settle

pytestmark = pytest.mark.gui


def test_the_circle_is_as_large_as_the_brush_white_outside_and_black_inside(window, qtbot):
    viewer, dock = window
    dock.session.paint_with(1)
    labels = dock.session.layers.shown.labels
    canvas = canvas_of(viewer)
    middle = QPoint(canvas.width() // 2, canvas.height() // 3)
    QTest.mouseMove(canvas, middle)
    viewer.mouse_over_canvas = True
    circle = viewer.canvas.overlays["_brush_circle"]

    def picture() -> np.ndarray:
        settle()
        return viewer.screenshot(canvas_only=True, flash=False)[..., :3].astype(int)

    for size in (4, 12):
        labels.brush_size = size
        qtbot.waitUntil(lambda: circle.visible)
        circle.position = [middle.x(), middle.y()]
        with_circle = picture()
        circle.visible = False
        drawn = np.abs(with_circle - picture()).max(axis=-1) > 30
        circle.visible = True
        across = np.flatnonzero(drawn[middle.y()])
        assert len(across) >= 3
        assert across[-1] - across[0] == pytest.approx(circle.size, abs=2)
        assert (across[0] + across[-1]) / 2 == pytest.approx(middle.x(), abs=1.5)
        rows, columns = np.nonzero(drawn)
        distance = np.hypot(rows - middle.y(), columns - middle.x())
        assert (np.abs(distance - circle.size / 2) < 3.5).all(), "something is drawn within the circle, or far from it"
        shades = with_circle[middle.y(), across].mean(axis=-1)
        assert shades[0] > shades[1]
        assert shades[-1] > shades[-2]
    (made,) = viewer.window._qt_viewer.canvas._viewer_overlay_to_visual[circle]
    assert [part.visible for part in made.node._subvisuals] == [False, False, True], "napari draws its own circle too"
