"""The status bar follows labels and masks without a move of the mouse, which is on a button of the dock meanwhile."""

import numpy as np
import pytest
from napari.components import ViewerModel

from cvrl_napari.gui.dock import CvrlDock

pytestmark = pytest.mark.gui


@pytest.fixture
def dock(ball_study, qtbot):
    """The dock with case 'a' on view."""
    viewer = ViewerModel()
    made = CvrlDock(viewer)
    made.viewer = viewer
    made.show()
    ball_study.close()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([ball_study.folder])
    with qtbot.waitSignal(made.session.case_opened):
        made.session.open_case("a")
    yield made
    made.close()
    made.deleteLater()


def test_it_tells_what_accepting_undoing_and_a_new_mask_made_of_the_voxel_under_the_cursor(dock, qtbot):
    viewer, layers = dock.viewer, dock.session.layers
    labels = layers.shown.labels
    z = viewer.dims.current_step[0]
    ball = (z, *np.argwhere(labels.data[z] == 1)[0])

    def told() -> str:
        return viewer.status["value"] if isinstance(viewer.status, dict) else viewer.status

    def show_mask(value: int) -> None:
        mask = np.zeros(labels.data.shape, np.uint8)
        mask[ball] = value
        layers.set_mask(mask)
        dock.session.mask_changed.emit()

    show_mask(2)
    qtbot.wait(20)
    assert told() == "Ready"  # the mouse was never on the canvas: there is nothing to tell of
    viewer.mouse_over_canvas = True
    viewer.cursor.position = labels.data_to_world(ball)
    viewer.update_status_from_cursor()
    viewer.mouse_over_canvas = False
    assert told().endswith("ball · mask: shell")
    show_mask(1)
    qtbot.waitUntil(lambda: told().endswith("ball · mask: ball"))
    show_mask(2)
    dock.mask_panel.difference.click()
    qtbot.waitUntil(lambda: told().endswith("difference: another class in the mask"))
    dock.session.accept()
    qtbot.waitUntil(lambda: told().endswith("shell · mask: shell"))
    labels.undo()
    qtbot.waitUntil(lambda: "ball · mask: shell" in told())
    viewer.status = "words of another plugin"
    labels.redo()
    qtbot.wait(20)
    assert told() == "words of another plugin"
