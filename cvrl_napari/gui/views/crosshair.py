"""The point that all views show: where their slices meet."""

import napari
import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.views.planes import Point


class Crosshair(QObject):
    """The three sliders of napari, as one point: what moves one of them moves the other.

    Signals
    -------
    moved
        The point is another one now.
    """

    moved = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        viewer.dims.events.point.connect(self._on_point)

    def close(self) -> None:
        """Let go of the viewer."""
        self._viewer.dims.events.point.disconnect(self._on_point)

    @property
    def point(self) -> Point:
        """Where it is, mm of the display, (z, y, x)."""
        dims = self._viewer.dims
        if dims.ndim < 3:  # the last layer has gone
            return 0.0, 0.0, 0.0
        z, y, x = (float(value) for value in dims.point[-3:])
        return z, y, x

    def move(self, point: npt.ArrayLike) -> None:
        """Go to the slices nearest to a point in mm; no farther than the layers reach."""
        dims = self._viewer.dims
        if dims.ndim < 3:
            return
        axes = tuple(range(dims.ndim - 3, dims.ndim))
        dims.set_point(axes, tuple(float(value) for value in np.asarray(point, np.float64)))

    def step(self, axis: int, by: int) -> None:
        """Go some slices along an array axis, (z, y, x)."""
        point = np.array(self.point)
        point[axis] += by * self._viewer.dims.range[self._viewer.dims.ndim - 3 + axis].step
        self.move(point)

    def _on_point(self, _event: object = None) -> None:
        self.moved.emit()
