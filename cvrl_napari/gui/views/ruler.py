"""The ruler: distances in mm between two points, on napari's canvas and in the linked views. No widgets.

While it is on its lines are a layer of napari's, in voxels of the case's grid: the sliders keep their steps that way.
"""

import napari
import numpy as np
from napari.layers import Shapes
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.layer_removal import remove_layers
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.orientation_letters import COLOR
from cvrl_napari.gui.views.layer_space import extent_mm
from cvrl_napari.gui.views.measured import Measured
from cvrl_napari.gui.views.planes import Point

NAME = "Ruler"
TEXT = {"string": "{words}", "size": 12, "color": COLOR, "anchor": "upper_left"}


class Ruler(QObject):
    """Off at first; two clicks, or a drag, make a line. Turning it off, or opening another case, takes the lines away.

    Signals
    -------
    changed
        The ruler was turned on or off, or there are other lines now.
    """

    changed = Signal()

    def __init__(self, viewer: napari.Viewer, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._layers = viewer, layers
        self._layer: Shapes | None = None
        self._lines: list[Measured] = []
        self._is_open = False

    @property
    def is_on(self) -> bool:
        """Whether a click measures now."""
        return self._layer is not None and self._layer in self._viewer.layers

    @property
    def lines(self) -> tuple[Measured, ...]:
        """What was measured, oldest first; the last one may still be drawn."""
        return tuple(self._lines) if self.is_on else ()

    def turn(self, on: bool) -> None:
        """Turn the ruler on or off; it cannot be on without a case."""
        if on == self.is_on:
            return
        if on:
            self._turn_on()
        elif self._layer is not None:
            remove_layers(self._viewer, [self._layer])
            self._layer = None
        self._lines, self._is_open = [], False
        shown = self._layers.shown
        if not on and shown is not None and shown.labels in self._viewer.layers:
            self._viewer.layers.selection.active = shown.labels
        self.changed.emit()

    def press(self, point: Point) -> None:
        """Begin a line, or end the one that follows the mouse."""
        if not self.is_on:
            return
        point = self._inside(point)
        if self._is_open:
            self._lines[-1] = Measured(self._lines[-1].start, point)
            self._is_open = False
        else:
            self._lines.append(Measured(point, point))
            self._is_open = True
        self._show()

    def move(self, point: Point) -> None:
        """Let the line that was begun follow the mouse."""
        if self.is_on and self._is_open:
            self._lines[-1] = Measured(self._lines[-1].start, self._inside(point))
            self._show()

    def release(self, point: Point, *, clicked: bool) -> None:
        """End a line that was dragged; after a click it follows the mouse to the next one."""
        if self.is_on and self._is_open and not clicked:
            self.move(point)
            self._is_open = False

    def _inside(self, point: Point) -> Point:
        """Return the point of the scan that is nearest: a line outside of it would lengthen napari's sliders."""
        shown = self._layers.shown
        assert shown is not None
        low, high = extent_mm(shown.image)
        half = np.abs(np.asarray(shown.image.scale)) / 2
        z, y, x = (float(value) for value in np.clip(point, low + half, high - half))
        return z, y, x

    def _turn_on(self) -> None:
        shown = self._layers.shown
        if shown is None:
            return
        image = shown.image
        look = {"edge_color": COLOR, "face_color": "transparent", "edge_width": 0.7}
        place = {"scale": image.scale, "translate": image.translate, "units": image.units}
        self._layer = Shapes(ndim=3, name=NAME, features={"words": np.zeros(0, str)}, text=TEXT, **look, **place)
        self._viewer.add_layer(self._layer)
        self._viewer.layers.selection.active = self._layer

    def _show(self) -> None:
        layer = self._layer
        assert layer is not None
        ends = [[layer.world_to_data(point) for point in line] for line in self._lines]
        layer.data = [(np.array(pair), "line") for pair in ends]
        layer.features = {"words": np.array([line.words for line in self._lines])}
        self.changed.emit()
