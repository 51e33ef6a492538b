"""The crosshair of the linked views on the canvas: where it is, when it is not there, and what is seen of it."""

import numpy as np
import pytest
from napari.components import ViewerModel

from cvrl_napari.gui.views.canvas_crosshair import KEY, CanvasCrosshair, lines
from cvrl_napari.gui.views.crosshair import Crosshair

pytestmark = pytest.mark.gui


@pytest.fixture
def viewer(qapp):
    made = ViewerModel()
    made.add_image(np.zeros((10, 20, 30)), scale=(2.0, 1.0, 0.5))
    return made


@pytest.fixture
def shown(viewer):
    crosshair = Crosshair(viewer)
    made = CanvasCrosshair(viewer, crosshair, on=True)
    yield made
    made.close()
    crosshair.close()


def test_it_is_where_the_other_planes_meet_whichever_plane_is_on_the_canvas(viewer, shown):
    viewer.dims.set_point(range(3), (8.0, 5.0, 3.5))
    assert shown.overlay.visible
    assert shown.overlay.place == (5.0, 3.5)
    viewer.dims.order = (1, 0, 2)
    assert shown.overlay.place == (8.0, 3.5)
    viewer.dims.ndisplay = 3
    assert not shown.overlay.visible


def test_its_gap_is_as_wide_on_the_screen_at_any_zoom(viewer, shown):
    viewer.scene.camera.zoom = 4.0
    assert shown.overlay.pixel == pytest.approx(0.25)
    near, far = (np.abs(lines(pixel)[0]).max(axis=1).min() for pixel in (0.25, 1.0))
    assert near * 4 == pytest.approx(far)


def test_it_is_turned_off_and_gives_way(viewer, shown):
    with shown.out_of_the_way():
        assert not shown.overlay.visible
    assert shown.overlay.visible
    shown.turn(False)
    with shown.out_of_the_way():
        pass
    assert not shown.overlay.visible


def test_closed_it_leaves_nothing_behind(viewer):
    crosshair = Crosshair(viewer)
    CanvasCrosshair(viewer, crosshair, on=True).close()
    assert KEY not in viewer.scene.overlays
    viewer.dims.set_point(range(3), (8.0, 5.0, 3.5))
    crosshair.close()
