"""Axial, coronal and sagittal views side by side, linked by a crosshair: the planes that napari's canvas does not show.

They are drawn by us from the layers' own arrays. Further canvases of napari's would need copies of every layer, kept in step
by its private parts, a second undo history, and a graphics context each.
"""

import napari
from napari.layers import Labels, Layer
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QHideEvent, QResizeEvent, QShowEvent
from qtpy.QtWidgets import QSplitter, QVBoxLayout, QWidget

from cvrl_napari.gui.contrast import Contrast
from cvrl_napari.gui.views.crosshair import Crosshair
from cvrl_napari.gui.views.followed_layers import Box, FollowedLayers
from cvrl_napari.gui.views.hand import Hand
from cvrl_napari.gui.views.plane_view import PlaneView
from cvrl_napari.gui.views.planes import PLANES
from cvrl_napari.gui.views.ruler import Ruler
from cvrl_napari.gui.views.surface_view import SurfaceView

BRUSH_EVENTS = ("mode", "brush_size", "n_edit_dimensions")


class LinkedViews(QWidget):
    """The views of the planes that are not on napari's canvas: two of them, all three while it shows 3D.

    Signals
    -------
    removed
        The person closed the dock that held them.
    """

    removed = Signal()

    def __init__(
        self,
        viewer: napari.Viewer,
        crosshair: Crosshair,
        contrast: Contrast,
        ruler: Ruler,
        surfaces: SurfaceView,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("CVRL views")
        self._viewer, self._crosshair, self._ruler = viewer, crosshair, ruler
        self._followed: FollowedLayers | None = FollowedLayers(viewer, surfaces, self)
        self.views = tuple(PlaneView(plane) for plane in PLANES)
        self._hands = [Hand(viewer, view, crosshair, contrast, ruler) for view in self.views]
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.addWidget(self._splitter)
        for view in self.views:
            self._splitter.addWidget(view)
            view.scrolled.connect(lambda by, axis=view.plane.normal: crosshair.step(axis, by))
        self._brushed: Layer | None = None
        self._followed.changed.connect(self._on_layers)
        self._followed.painted.connect(self._on_painted)
        crosshair.moved.connect(self._on_point)
        ruler.changed.connect(self._on_ruler)
        viewer.dims.events.order.connect(self._choose_planes)
        viewer.dims.events.ndisplay.connect(self._choose_planes)
        viewer.layers.selection.events.active.connect(self._on_active)
        self._choose_planes()
        self._on_active()
        self._show_everything()

    def close_views(self) -> None:
        """Let go of the viewer, for good."""
        if self._followed is None:
            return
        for hand in self._hands:
            hand.let_go()
        self._follow_brush(None)
        self._followed.close()
        self._followed = None
        self._crosshair.moved.disconnect(self._on_point)
        self._ruler.changed.disconnect(self._on_ruler)
        self._viewer.dims.events.order.disconnect(self._choose_planes)
        self._viewer.dims.events.ndisplay.disconnect(self._choose_planes)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        for view in self.views:
            view.show_layers((), set())

    def shown_views(self) -> list[PlaneView]:
        """Return the views that are to be seen now."""
        return [view for view in self.views if not view.isHidden()]

    # Following

    def _choose_planes(self, _event: object = None) -> None:
        dims = self._viewer.dims
        on_canvas = dims.order[0] if dims.ndim == 3 and dims.ndisplay == 2 else None
        for view in self.views:
            view.setHidden(view.plane.normal == on_canvas)

    def _on_layers(self, stale: set[Layer]) -> None:
        if self._followed is None or not self.isVisible():
            return
        drawn = self._followed.drawn()
        for view in self.views:
            view.show_layers(drawn, stale)

    def _on_painted(self, painted: dict[Layer, Box]) -> None:
        if self.isVisible():
            for view in self.views:
                view.show_painted(painted)

    def _on_point(self) -> None:
        if self.isVisible():
            for view in self.views:
                view.show_point(self._crosshair.point)

    def _on_ruler(self) -> None:
        for view in self.views:
            view.show_lines(self._ruler.lines)
        self._on_brush()

    def _on_active(self, _event: object = None) -> None:
        active = self._viewer.layers.selection.active
        self._follow_brush(active if isinstance(active, Labels) else None)
        self._on_brush()

    def _follow_brush(self, layer: Layer | None) -> None:
        for name in BRUSH_EVENTS:
            if self._brushed is not None:
                self._brushed.events[name].disconnect(self._on_brush)
            if layer is not None:
                layer.events[name].connect(self._on_brush)
        self._brushed = layer

    def _on_brush(self, _event: object = None) -> None:
        for view, hand in zip(self.views, self._hands, strict=True):
            view.show_brush(hand.brush_mm())

    def _show_everything(self) -> None:
        if self._followed is None:
            return
        drawn = self._followed.drawn()
        for view in self.views:
            view.show_layers(drawn, set(drawn))
            view.show_point(self._crosshair.point)
        self._on_ruler()

    # Qt

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up with what happened while nobody looked."""
        super().showEvent(event)
        self._show_everything()

    def hideEvent(self, event: QHideEvent) -> None:
        """End a stroke whose release nobody will tell of."""
        for hand in self._hands:
            hand.let_go()
        super().hideEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Stand side by side in a wide dock, one above the other in a high one."""
        super().resizeEvent(event)
        wide = self.width() > self.height()
        self._splitter.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)

    def event(self, event: QEvent) -> bool:
        """Tell when napari takes the dock away: its content loses its parent then, without a close event."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and self._followed is not None:
            self.removed.emit()
        return super().event(event)
