"""What the mouse does in a view: the tool that is in hand on napari's canvas is in hand here too."""

from typing import Literal

import napari
import numpy as np
from napari.layers import Labels
from qtpy.QtCore import QObject, QPointF, Qt
from qtpy.QtGui import QMouseEvent

from cvrl_napari.gui.contrast import Contrast
from cvrl_napari.gui.views.crosshair import Crosshair
from cvrl_napari.gui.views.layer_space import size_in_mm, voxel_at
from cvrl_napari.gui.views.plane_view import PlaneView
from cvrl_napari.gui.views.ruler import Ruler
from cvrl_napari.gui.views.stroke import Stroke, fill

CLICK_PIXELS = 4
"""A mouse that moved less between pressing and letting go has clicked."""
BRUSHES = ("paint", "erase")

Doing = Literal["nothing", "crosshair", "contrast", "ruler", "painting", "moving"]


class Hand(QObject):
    """One view's mouse. It changes layers as napari's canvas does, through the layer's own undoable steps."""

    def __init__(self, viewer: napari.Viewer, view: PlaneView, crosshair: Crosshair, contrast: Contrast, ruler: Ruler) -> None:
        super().__init__(view)
        self._viewer, self._view = viewer, view
        self._crosshair, self._contrast, self._ruler = crosshair, contrast, ruler
        self._doing: Doing = "nothing"
        self._stroke: Stroke | None = None
        self._pressed_at = self._last = QPointF()
        view.pressed.connect(self._on_pressed)
        view.moved.connect(self._on_moved)
        view.released.connect(self._on_released)

    @property
    def labels(self) -> Labels | None:
        """The layer the brush paints on: the selected one, as on napari's canvas."""
        active = self._viewer.layers.selection.active
        return active if isinstance(active, Labels) and active.ndim == 3 and active.editable and active.visible else None

    def brush_mm(self) -> float | None:
        """Return how wide the brush in hand is, mm; None when there is none."""
        labels = self.labels
        if labels is None or labels.mode not in BRUSHES or self._ruler.is_on:
            return None
        return float((2 * (labels.brush_size // 2) + 1) * size_in_mm(labels))

    def let_go(self) -> None:
        """End what is going on, as if the button had been let go."""
        if self._stroke is not None:
            self._stroke.end()
            self._stroke = None
        self._doing = "nothing"

    def _on_pressed(self, event: QMouseEvent) -> None:
        self.let_go()
        self._pressed_at = self._last = event.position()
        self._doing = self._meant(event)
        point = self._view.point_at(event.position())
        labels = self.labels
        if self._doing == "crosshair":
            self._crosshair.move(point)
        elif self._doing == "ruler":
            self._ruler.press(point)
        elif self._doing == "painting" and labels is not None:
            voxel = voxel_at(labels, point)
            if labels.mode in BRUSHES:
                self._stroke = Stroke(labels, self._view.plane)
                self._stroke.to(voxel)
            elif labels.mode == "fill":
                fill(labels, self._view.plane, voxel)
            else:
                self._pick(labels, voxel)

    def _meant(self, event: QMouseEvent) -> Doing:
        button = event.button()
        if button == Qt.MouseButton.RightButton:
            return "contrast"
        if button != Qt.MouseButton.LeftButton:
            return "moving"
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            return "crosshair"
        if self._ruler.is_on:
            return "ruler"
        labels = self.labels
        return "painting" if labels is not None and labels.mode in (*BRUSHES, "fill", "pick") else "moving"

    def _on_moved(self, event: QMouseEvent) -> None:
        place, point = event.position(), self._view.point_at(event.position())
        moved, self._last = place - self._last, place
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if self._doing == "crosshair" or (self._doing == "nothing" and shifted):
            self._crosshair.move(point)
        elif self._doing == "contrast":
            self._contrast.drag(moved.x(), moved.y())
        elif self._doing == "moving":
            self._view.look_at(self._view.frame.moved(moved.x(), moved.y()))
        elif self._stroke is not None and (labels := self.labels) is not None:
            self._stroke.to(voxel_at(labels, point))
        elif self._ruler.is_on:
            self._ruler.move(point)

    def _on_released(self, event: QMouseEvent) -> None:
        way = event.position() - self._pressed_at
        clicked = way.manhattanLength() <= CLICK_PIXELS
        point = self._view.point_at(event.position())
        if self._doing == "ruler":
            self._ruler.release(point, clicked=clicked)
        elif self._doing == "moving" and clicked and event.button() == Qt.MouseButton.LeftButton:
            self._crosshair.move(point)
        self.let_go()

    def _pick(self, labels: Labels, voxel: np.ndarray) -> None:
        if all(0 <= index < size for index, size in zip(voxel, labels.data.shape, strict=True)):
            labels.selected_label = int(labels.data[tuple(voxel)])
