"""How the case is looked at beyond napari's canvas: linked views, contrast, ruler and 3D surfaces. One object for the dock."""

from typing import Any

import napari
from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from cvrl_napari.gui.contrast import Contrast
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.views.brush_circle import draw_ring
from cvrl_napari.gui.views.canvas_crosshair import CanvasCrosshair
from cvrl_napari.gui.views.canvas_mouse import CanvasMouse
from cvrl_napari.gui.views.crosshair import Crosshair
from cvrl_napari.gui.views.linked_views import LinkedViews
from cvrl_napari.gui.views.ruler import Ruler
from cvrl_napari.gui.views.surface_view import SurfaceView

VIEWS_SHARE = 0.4
"""Part of the room between the docks at the sides that the views take."""


class Viewing(QObject):
    """Turns on and off what the person looks with; everything is off at first, and costs nothing then.

    Signals
    -------
    changed
        Something was turned on or off.
    """

    changed = Signal()

    def __init__(self, viewer: napari.Viewer, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._session = session
        self.contrast = Contrast(session.layers, self)
        self.ruler = Ruler(viewer, session.layers, self)
        self.surfaces = SurfaceView(viewer, session, self)
        self._mouse: CanvasMouse | None = CanvasMouse(viewer, self.contrast, self.ruler)
        self._crosshair: Crosshair | None = None
        self._lines: CanvasCrosshair | None = None
        self.has_lines = True
        """Whether the crosshair of the linked views is drawn on napari's canvas too."""
        self.views: LinkedViews | None = None
        """The linked views while they are open."""
        self._neighbor: QDockWidget | None = None
        draw_ring()
        self.ruler.changed.connect(self.changed)
        self.surfaces.changed.connect(self.changed)
        session.case_opened.connect(self._on_case_opened)

    def close(self) -> None:
        """Turn everything off and let go of the viewer."""
        if self._mouse is None:
            return
        self.show_views(False)
        self.surfaces.close()
        self.ruler.turn(False)
        self._mouse.close()
        self._mouse = None

    def show_views(self, on: bool, beside: QWidget | None = None) -> None:
        """Open or close the linked views, in a dock between the canvas and the dock that holds `beside`."""
        if on == (self.views is not None) or self._mouse is None:
            return
        window: Any = getattr(self._viewer, "window", None)
        if on and window is not None:
            self._crosshair = self._mouse.crosshair = Crosshair(self._viewer, self)
            self._lines = self._mouse.lines = CanvasCrosshair(self._viewer, self._crosshair, on=self.has_lines)
            self.views = LinkedViews(self._viewer, self._crosshair, self.contrast, self.ruler, self.surfaces)
            self.views.removed.connect(self._on_removed)
            dock = window.add_dock_widget(self.views, name="CVRL views", area="right")
            self._neighbor = _place_beside(dock, beside)
        elif self.views is not None and self._crosshair is not None:
            views, self.views = self.views, None
            views.close_views()
            self._keep_width()
            if views.parent() is not None:
                window.remove_dock_widget(views)
            views.deleteLater()
            self._mouse.crosshair = self._mouse.lines = None
            if self._lines is not None:
                self._lines.close()
                self._lines = None
            self._crosshair.close()
            self._crosshair.deleteLater()
            self._crosshair = None
        self.changed.emit()

    def show_lines(self, on: bool) -> None:
        """Draw the crosshair on napari's canvas, or only in the linked views; remembered while these are closed."""
        self.has_lines = on
        if self._lines is not None:
            self._lines.turn(on)
        self.changed.emit()

    def _keep_width(self) -> None:
        """Give the room of the views back to the canvas; Qt would give it to the dock beside them."""
        neighbor, self._neighbor = self._neighbor, None
        main = neighbor.window() if neighbor is not None else None
        if neighbor is not None and isinstance(main, QMainWindow) and not neighbor.isFloating():
            width = neighbor.width()
            QTimer.singleShot(0, neighbor, lambda: main.resizeDocks([neighbor], [width], Qt.Orientation.Horizontal))

    def _on_removed(self) -> None:
        self._keep_width()
        # napari is not done with the dock yet.
        QTimer.singleShot(0, self, lambda: self.show_views(False))

    def _on_case_opened(self, _case: str) -> None:
        self.ruler.turn(False)


def _place_beside(dock: QDockWidget, beside: QWidget | None) -> QDockWidget | None:
    """Put a dock between the canvas and the dock that holds a widget, instead of below that one; return that one."""
    window = dock.window()
    other: QWidget | None = beside
    while other is not None and not isinstance(other, QDockWidget):
        other = other.parentWidget()
    if not isinstance(window, QMainWindow) or not isinstance(other, QDockWidget) or other.isFloating():
        return None
    if window.dockWidgetArea(other) != window.dockWidgetArea(dock):
        return None
    canvas = window.centralWidget()
    widths = [round(VIEWS_SHARE * (canvas.width() if canvas is not None else 0)), other.width()]
    window.splitDockWidget(dock, other, Qt.Orientation.Horizontal)
    # Qt lays the docks out when the event loop comes round, and forgets a size it was told before.
    QTimer.singleShot(0, dock, lambda: window.resizeDocks([dock, other], widths, Qt.Orientation.Horizontal))
    return other
