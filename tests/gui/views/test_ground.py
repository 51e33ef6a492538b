"""What the brush touches is drawn again, and the picture is the one that would come of drawing all of it."""

import numpy as np
import pytest
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication

from cvrl_napari.gui.brush import paint_voxels
from cvrl_napari.gui.views.followed_layers import hull
from cvrl_napari.gui.views.layer_space import voxel_at

pytestmark = pytest.mark.gui


def picture(view) -> np.ndarray:
    QApplication.processEvents()
    drawn = view._ground.pixmap(view.frame, view._point, view.size(), view.devicePixelRatioF())
    image = drawn.toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()).copy()


@pytest.fixture
def ready(linked):
    """All three views, drawn once; what they draw from then on is counted."""
    for view in linked.views.views:
        view.show()
        picture(view)
    return linked


def test_a_dab_is_drawn_as_if_all_were_drawn_anew(ready, mouse):
    labels = ready.labels
    at = voxel_at(labels, ready.crosshair.point)
    ready.session.paint_with(2)
    before = [picture(view) for view in ready.views.views]
    labels.brush_size = 5
    labels.paint(tuple(at), 2)  # on the canvas: axial
    paint_voxels(labels, (np.array([at[0] + 2]), np.array([at[1]]), np.array([at[2] + 1])), 1)  # seen in the coronal view only
    labels.paint((at[0] + 3, at[1] - 6, at[2] + 6), 1)  # seen in none
    QApplication.processEvents()
    part = [picture(view) for view in ready.views.views]
    for view, one, old in zip(ready.views.views, part, before, strict=True):
        assert not np.array_equal(one, old)
        view.show_layers(ready.views._followed.drawn(), set(ready.viewer.layers))
        np.testing.assert_array_equal(picture(view), one)
    labels.undo()
    labels.undo()
    labels.undo()
    for view, old in zip(ready.views.views, before, strict=True):
        np.testing.assert_array_equal(picture(view), old)


def test_only_the_part_that_changed_is_drawn(ready):
    labels, view = ready.labels, ready.coronal
    at = voxel_at(labels, ready.crosshair.point)
    told = []
    ready.views._followed.painted.connect(told.append)
    labels.paint(tuple(at), 2)
    QApplication.processEvents()
    (boxes,) = told
    assert boxes[labels][1].start <= at[1] < boxes[labels][1].stop
    assert boxes[labels][2].stop - boxes[labels][2].start < labels.data.shape[2]
    assert view._ground.painted(boxes, view.frame, view._point).isEmpty()  # nothing is left to draw
    labels.data[tuple(at)] = 1
    changed = view._ground.painted(boxes, view.frame, view._point)
    assert 0 < changed.width() * changed.height() < view.width() * view.height() / 10


def test_a_contour_is_drawn_anew_as_a_whole(ready):
    ready.labels.contour = 1
    QApplication.processEvents()
    at = voxel_at(ready.labels, ready.crosshair.point)
    for step in range(3):
        ready.labels.paint((at[0], at[1], at[2] + step), 2)
        QApplication.processEvents()
    one = picture(ready.coronal)
    ready.coronal.show_layers(ready.views._followed.drawn(), set(ready.viewer.layers))
    np.testing.assert_array_equal(picture(ready.coronal), one)


def test_painting_does_not_make_napari_draw_its_list_of_layers(ready):
    told = []
    ready.viewer.layers.events.connect(lambda event: told.append(event.type))
    ready.labels.paint(tuple(voxel_at(ready.labels, ready.crosshair.point)), 2)
    assert "labels_update" not in told


def test_the_hull_of_two_boxes():
    one, other = (slice(0, 2), slice(4, 5), slice(1, 9)), (slice(1, 3), slice(2, 3), slice(2, 4))
    assert hull(one, other) == (slice(0, 3), slice(2, 5), slice(1, 9))
