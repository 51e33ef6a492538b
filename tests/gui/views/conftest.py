"""The mouse of a person in a view, and linked views of a case without napari's window."""

import gc
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.views.crosshair import Crosshair
from cvrl_napari.gui.views.linked_views import LinkedViews
from cvrl_napari.gui.views.plane_view import PlaneView
from cvrl_napari.gui.views.viewing import Viewing
from cvrl_napari.study.study import Study

LEFT, RIGHT, NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.KeyboardModifier.NoModifier


class Mouse:
    """Moves over a view from point to point of the scan, in mm."""

    def place(self, view: PlaneView, point) -> QPoint:
        x, y = view.frame.to_screen(point)
        return QPoint(round(x), round(y))

    def click(self, view: PlaneView, point, modifiers=NONE) -> None:
        QTest.mouseClick(view, LEFT, modifiers, self.place(view, point))
        QApplication.processEvents()

    def move(self, view: PlaneView, point, modifiers=NONE) -> None:
        QTest.mouseMove(view, self.place(view, point))
        QApplication.processEvents()

    def drag(self, view: PlaneView, start, end, button=LEFT, steps: int = 6) -> None:
        first, last = self.place(view, start), self.place(view, end)
        self.drag_pixels(view, first, last - first, button, steps)

    def drag_pixels(self, view, first: QPoint, way: QPoint, button=LEFT, steps: int = 6, modifiers=NONE) -> None:
        QTest.mousePress(view, button, modifiers, first)
        for step in range(1, steps + 1):
            at = QPointF(first) + QPointF(way) * step / steps
            event = move_event(view, at, button, modifiers)
            QApplication.sendEvent(view, event)
            QApplication.processEvents()
        QTest.mouseRelease(view, button, modifiers, first + way)
        QApplication.processEvents()

    def hover(self, view, point, modifiers) -> None:
        QApplication.sendEvent(view, move_event(view, QPointF(self.place(view, point)), Qt.MouseButton.NoButton, modifiers))
        QApplication.processEvents()

    def wheel(self, view, notches: float, modifiers=NONE) -> None:
        at = QPointF(view.width() / 2, view.height() / 3)
        delta = QPoint(0, round(120 * notches))
        event = QWheelEvent(
            at, view.mapToGlobal(at), QPoint(), delta, Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False
        )
        QApplication.sendEvent(view, event)
        QApplication.processEvents()


def move_event(view, at: QPointF, button, modifiers):
    """A move of the mouse with a button held, which QTest cannot make."""
    return QMouseEvent(QEvent.Type.MouseMove, at, view.mapToGlobal(at), Qt.MouseButton.NoButton, button, modifiers)


@pytest.fixture
def mouse() -> Mouse:
    return Mouse()


def colour_at(view: PlaneView, point) -> tuple[int, int, int]:
    """What is seen of a point of the scan."""
    QApplication.processEvents()
    place = view.frame.to_screen(point)
    color = view.grab().toImage().pixelColor(round(place[0]), round(place[1]))
    return color.red(), color.green(), color.blue()


@pytest.fixture
def linked(ball_study: Study, qtbot) -> Iterator[SimpleNamespace]:
    """Three views of case 'a' of the study of balls: axial on the canvas, of which there is only the model."""
    viewer = ViewerModel()
    session = Session(viewer)
    viewing = Viewing(viewer, session)
    ball_study.close()
    with qtbot.waitSignal(session.case_opened):
        session.open_study(ball_study.folder)
    with qtbot.waitSignal(session.case_opened):
        session.open_case("a")
    crosshair = Crosshair(viewer)
    views = LinkedViews(viewer, crosshair, viewing.contrast, viewing.ruler, viewing.surfaces)
    views.resize(300, 700)
    views.show()
    qtbot.waitExposed(views)
    QApplication.processEvents()
    labels = session.layers.shown.labels
    middle = labels.data_to_world(np.array(labels.data.shape) // 2)
    crosshair.move(middle)
    QApplication.processEvents()
    axial, coronal, sagittal = views.views
    yield SimpleNamespace(**{name: value for name, value in locals().items() if name not in ("ball_study", "qtbot")})
    views.close_views()
    crosshair.close()
    views.close()
    views.deleteLater()
    viewing.close()
    session.shut_down()


@pytest.fixture
def window(make_napari_viewer, ball_study, qtbot):
    """The dock in a window on the screen, case 'a' on view."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    dock = CvrlDock(viewer)
    viewer.window.add_dock_widget(dock, name="CVRL", area="right")
    ball_study.close()
    with qtbot.waitSignal(dock.session.case_opened):
        dock.open_folders([ball_study.folder])
    with qtbot.waitSignal(dock.session.case_opened):
        dock.session.open_case("a")
    yield viewer, dock
    dock.shut_down()
    settle()  # what was left for the event loop to do holds the window
    gc.collect()


def canvas_of(viewer) -> QWidget:
    window = viewer.window._qt_window
    return next(one for one in window.findChildren(QWidget) if type(one).__name__ == "CanvasBackendDesktop")


def place_of(viewer, point) -> QPoint:
    """The pixel of the canvas, which shows an axial slice, of a point in mm."""
    canvas, camera = canvas_of(viewer), camera_of(viewer)
    middle = np.array((canvas.height(), canvas.width())) / 2
    row, column = middle + (np.array(point)[1:] - np.array(camera.center)[1:]) * camera.zoom
    return QPoint(round(column), round(row))


def settle() -> None:
    for _ in range(3):
        QApplication.processEvents()
