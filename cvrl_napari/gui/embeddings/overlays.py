"""The layers that the embeddings dock adds to the case on view: they lie on the grid of the cells.

A layer is there while something is shown in it: it is made when that is first wanted and taken away soon after it is no longer.
Making one costs napari a tenth of a second, so what comes back soon gets the same layer, and everything happens one layer, and
one step, a round of the event loop.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import napari
import numpy as np
from qtpy.QtCore import QObject, QTimer

from cvrl_napari.gui.late_controls import Image
from cvrl_napari.gui.layer_removal import remove_layers
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.placement import placement
from cvrl_napari.volumes.volume import Volume

APPEAR_MS = 10
"""Between filling a layer and drawing it: a key or the mouse has its turn. A timer of 0 would give it none."""
LINGER_MS = 1500
"""A layer in which nothing is shown any more is hidden at once, and taken away after this."""
BETWEEN_MS = 50
"""Between layers that are taken away one after the other."""


class Overlays(QObject):
    """Layers by name. They take no part in saving, and none is left when the case goes or the dock closes."""

    def __init__(self, viewer: napari.Viewer, layers: Layers) -> None:
        super().__init__(layers)  # not of the dock: the last layer is taken away after that is gone
        self._viewer, self._layers = viewer, layers
        self._plans: dict[str, _Plan] = {}
        self._made: dict[str, Image] = {}
        self._appearing: set[str] = set()
        self._going: set[str] = set()
        self._is_closed = False
        self._appear = self._timer(APPEAR_MS, self._let_appear)
        self._go = self._timer(LINGER_MS, self._take_next)
        layers.leaving.connect(self._take_all)

    @property
    def is_busy(self) -> bool:
        """Whether a layer is about to be seen, or to be taken away."""
        return bool(self._appearing or self._going)

    def plan(self, name: str, empty: Any, widest: tuple[float, float] | None = None, **look: Any) -> None:
        """Say how an image layer is to look; `empty` is a cell of it, of the type of its data.

        Parameters
        ----------
        widest : float, float, optional
            What its contrast limits can be set to; its data is not looked through for them then.
        """
        self._plans[name] = _Plan(np.asarray(empty), widest, look)

    def get(self, name: str) -> Image | None:
        """Return the layer of this name while something is shown in it."""
        return self._find(name) if name not in self._going else None

    def hide(self, name: str) -> None:
        """Show nothing in this layer; if nothing comes to be shown in it soon, it is taken away."""
        self._appearing.discard(name)
        layer = self._find(name)
        if layer is not None and name not in self._going:
            layer.visible = False
            self._going.add(name)
            self._go.start(LINGER_MS)

    def show(self, name: str, data: np.ndarray, cell: Sequence[float]) -> Image:
        """Show cells (Z, Y, X, ...) of the scan on view in a planned layer; `cell` is voxels of the scan for one cell.

        A hidden layer is seen when the event loop comes round: filling it and drawing it take napari 50 ms each.
        """
        scan = self._layers.scan
        assert scan is not None
        layer, place = self._find(name), cell_placement(scan, cell)
        self._going.discard(name)
        if layer is None:
            return self._make(name, data, place)
        _fill(layer, data, place)
        self._appearing.add(name)
        self._appear.start()
        return layer

    def close(self) -> None:
        """Show nothing any more. The layers go one by one, and this with the last of them."""
        self._is_closed = True
        for name in self._made:
            self.hide(name)
        self._go.start(BETWEEN_MS)

    def _find(self, name: str) -> Image | None:
        """Return the layer of this name; None when there is none, or the person has deleted it."""
        layer = self._made.get(name)
        return layer if layer is not None and layer in self._viewer.layers else None

    def _make(self, name: str, data: np.ndarray, place: dict[str, Any]) -> Image:
        """Add a layer. What is selected stays so, the brush in the hand too; napari would select the new layer."""
        plan = self._plans[name]
        layer = Image(data, name=name, blending="translucent_no_depth", **place, **plan.look)
        if plan.widest is not None:
            layer.contrast_limits_range = plan.widest  # before napari listens
        selection = self._viewer.layers.selection
        active = selection.active
        # To show the controls of another layer and then those of the former again costs a third of all.
        with selection.events.blocker_all():
            self._viewer.add_layer(layer)
            selection.active = active
        self._made[name] = layer
        return layer

    def _let_appear(self) -> None:
        names, self._appearing = self._appearing, set()
        for name in names:
            layer = self._find(name)
            if layer is not None and not layer.visible:
                layer.visible = True

    def _take_next(self) -> None:
        """Take a layer away that is no longer needed; the next one when the event loop comes round."""
        if self._going:
            self._take([self._going.pop()])
        if self._going:
            self._go.start(BETWEEN_MS)
        elif self._is_closed:
            self._layers.leaving.disconnect(self._take_all)
            self.deleteLater()

    def _take_all(self) -> None:
        """Take all away at once: they would count for what napari can scroll through in the next case."""
        self._appearing.clear()
        self._going.clear()
        self._take(list(self._made))

    def _take(self, names: Sequence[str]) -> None:
        """Remove layers; how opaque somebody made them is kept for the next time."""
        layers = {name: layer for name in names if (layer := self._find(name)) is not None}
        shown, selection = self._layers.shown, self._viewer.layers.selection
        if shown is not None and selection.active in layers.values():
            selection.active = shown.labels
        remove_layers(self._viewer, list(layers.values()))
        for name, layer in layers.items():
            plan = self._plans[name]
            plan.look["opacity"] = layer.opacity
            layer.data = plan.empty.reshape(
                1, 1, 1, *plan.empty.shape
            )  # frees the memory: the layer waits for garbage collection
        for name in names:
            self._made.pop(name, None)

    def _timer(self, milliseconds: int, function: Any) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(function)
        return timer


class _Plan(NamedTuple):
    """A cell of a layer, the range of its contrast limits, and how it is to look."""

    empty: np.ndarray
    widest: tuple[float, float] | None
    look: dict[str, Any]


def _fill(layer: Image, data: np.ndarray, place: dict[str, Any]) -> None:
    """Give a layer other contents, and move it there."""
    layer.data = data
    if tuple(layer.scale) != tuple(place["scale"]):
        layer.scale = place["scale"]
    # Last, and for a hidden layer always: napari remembers where the former contents of a hidden layer ended until it is moved.
    if not layer.visible or tuple(layer.translate) != tuple(place["translate"]):
        layer.translate = place["translate"]


def cell_placement(scan: Volume, cell: Sequence[float]) -> dict[str, Any]:
    """Return scale, translate and units of a layer whose elements are cells of `cell` (z, y, x) voxels, from voxel 0 on."""
    place = placement(scan)
    spacing, voxels = np.array(place["scale"]), np.array(cell)
    # Voxel 0 is drawn around `translate`; the middle of cell 0 lies (cell - 1) / 2 voxels further.
    translate = np.array(place["translate"]) + (voxels - 1) / 2 * spacing
    return {"scale": tuple(spacing * voxels), "translate": tuple(translate), "units": place["units"]}
