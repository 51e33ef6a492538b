"""The layers that the embeddings dock adds to the case on view: they lie on the grid of the cells.

napari takes a fifth of a second to make a layer, to remove one, and to compile its shaders when it is first drawn. So each
layer is made once, soon after the dock is opened, while nothing is shown in it yet; after that it only gets other contents,
and is hidden and emptied when the case goes.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import napari
import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer

from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.placement import placement
from cvrl_napari.volumes.volume import Volume

BETWEEN_MS = 50
"""Between the layers that are made one after the other: the mouse has its turn."""


class Overlays(QObject):
    """Layers by name. They take no part in saving, and none is left when no case is on view or the dock closes."""

    def __init__(self, viewer: napari.Viewer, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._layers = viewer, layers
        self._plans: dict[str, _Plan] = {}
        self._made: dict[str, Image] = {}
        self._empty: set[str] = set()
        self._appearing: set[str] = set()
        self._to_make: list[str] = []
        self._appear = QTimer(self)
        self._appear.setSingleShot(True)
        self._appear.timeout.connect(self._let_appear)
        self._step = QTimer(self)
        self._step.setInterval(BETWEEN_MS)
        self._step.timeout.connect(self._prepare_next)
        layers.leaving.connect(self._on_leaving)

    def plan(self, name: str, empty: Any, **look: Any) -> None:
        """Say how an image layer is to look; `empty` is a cell of it that is drawn as nothing, of the type of its data."""
        self._plans[name] = _Plan(np.asarray(empty), look)

    def prepare(self, _case: str = "") -> None:
        """Make the planned layers ahead, one after the other, if a case is on view; they are hidden."""
        if self._layers.scan is not None:
            self._to_make = [name for name in self._plans if self._find(name) is None]
            self._step.start()

    def get(self, name: str) -> Image | None:
        """Return the layer of this name while something is shown in it, or was since the case is on view."""
        return self._find(name) if name not in self._empty else None

    def hide(self, name: str) -> None:
        """Show nothing in this layer, if it is there."""
        self._appearing.discard(name)
        layer = self._find(name)
        if layer is not None:
            layer.visible = False

    def show(self, name: str, data: np.ndarray, cell: Sequence[float]) -> Image:
        """Show cells (Z, Y, X, ...) of the scan on view in a planned layer; `cell` is voxels of the scan for one cell.

        A hidden layer is seen when the event loop comes round: filling it and drawing it take napari 50 ms each.
        """
        scan = self._layers.scan
        assert scan is not None
        layer, place = self._find(name), cell_placement(scan, cell)
        if layer is None:
            layer = self._make(name, data, place)
        else:
            _fill(layer, data, place)
        self._empty.discard(name)
        self._appearing.add(name)
        self._appear.start()
        return layer

    def clear(self) -> None:
        """Take all of them away."""
        self._step.stop()
        self._appearing.clear()
        layers = [layer for name in self._made if (layer := self._find(name)) is not None]
        self._made, self._empty = {}, set()
        if layers:
            with self._viewer.layers.batched_update():  # napari collects garbage after each removal, or each batch
                for layer in layers:
                    self._viewer.layers.remove(layer)

    def _find(self, name: str) -> Image | None:
        """Return the layer of this name; None when it is not made yet, or the person has deleted it."""
        layer = self._made.get(name)
        return layer if layer is not None and layer in self._viewer.layers else None

    def _make(self, name: str, data: np.ndarray, place: dict[str, Any]) -> Image:
        """Add a layer. The one that is selected stays selected: a brush must not be lost because something is shown."""
        plan = self._plans[name]
        active = self._viewer.layers.selection.active
        mode = getattr(active, "mode", None)
        layer = Image(data, name=name, blending="translucent_no_depth", **place, **plan.look)
        self._viewer.add_layer(layer)
        self._made[name] = layer
        self._viewer.layers.selection.active = active
        if active is not None and mode is not None:
            active.mode = mode
        return layer

    def _let_appear(self) -> None:
        names, self._appearing = self._appearing, set()
        for name in names:
            layer = self._find(name)
            if layer is not None and not layer.visible:
                layer.visible = True

    def _prepare_next(self) -> None:
        """Make a layer and let it be drawn once, or hide the one made before."""
        for name in self._empty:
            self.hide(name)
        scan = self._layers.scan
        while self._to_make and self._find(self._to_make[0]) is not None:
            self._to_make.pop(0)  # somebody was quicker
        if scan is None or not self._to_make:
            self._step.stop()
            return
        name, place = self._to_make.pop(0), placement(scan)
        place["translate"] = np.clip(self._viewer.dims.point[-3:], *_corners(scan))  # on the slice on view: it is drawn
        self._make(name, self._plans[name].nothing(), place)
        self._empty.add(name)

    def _on_leaving(self, coming: Volume | None) -> None:
        """Show nothing, where the next scan will be: a hidden layer, too, counts for what napari can scroll through."""
        if coming is None:
            self.clear()
            return
        self._appearing.clear()
        place, corners = placement(coming), _corners(coming)
        place["translate"] = np.mean(corners, axis=0)
        for name in self._made:
            layer = self._find(name)
            if layer is not None:
                layer.visible = False
                fits = np.allclose(layer.scale, place["scale"])
                if name not in self._empty or not fits or (np.clip(layer.translate, *corners) != layer.translate).any():
                    _fill(layer, self._plans[name].nothing(), place)
                self._empty.add(name)


class _Plan(NamedTuple):
    """How a layer is to look, and a cell of it that shows nothing."""

    empty: np.ndarray
    look: dict[str, Any]

    def nothing(self) -> np.ndarray:
        """Return one empty cell."""
        return self.empty.reshape(1, 1, 1, *self.empty.shape)


def _fill(layer: Image, data: np.ndarray, place: dict[str, Any]) -> None:
    """Give a layer other contents, and move it there."""
    layer.data = data
    if tuple(layer.scale) != tuple(place["scale"]):
        layer.scale = place["scale"]
    # Last, and for a hidden layer always: napari remembers where the former contents of a hidden layer ended until it is moved.
    if not layer.visible or tuple(layer.translate) != tuple(place["translate"]):
        layer.translate = place["translate"]


def _corners(scan: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return where the first and the last voxel of a scan are drawn, mm of the display."""
    place = placement(scan)
    first = np.array(place["translate"])
    return first, first + (np.array(scan.array.shape) - 1) * place["scale"]


def cell_placement(scan: Volume, cell: Sequence[float]) -> dict[str, Any]:
    """Return scale, translate and units of a layer whose elements are cells of `cell` (z, y, x) voxels, from voxel 0 on."""
    place = placement(scan)
    spacing, voxels = np.array(place["scale"]), np.array(cell)
    # Voxel 0 is drawn around `translate`; the middle of cell 0 lies (cell - 1) / 2 voxels further.
    translate = np.array(place["translate"]) + (voxels - 1) / 2 * spacing
    return {"scale": tuple(spacing * voxels), "translate": tuple(translate), "units": place["units"]}
