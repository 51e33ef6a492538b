"""The layers that the embeddings dock adds to the case on view: they lie on the grid of the cells.

A layer is there while something is shown in it: it is made when that is first wanted and taken away soon after it is no longer.
Making one and drawing it first cost napari 50 ms each, so what comes back soon gets the same layer, and everything happens one
layer, and one step, a round of the event loop.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import napari
import numpy as np
from qtpy.QtCore import QObject

from cvrl_napari.gui.late_controls import Image, add_unselected
from cvrl_napari.gui.layer_removal import remove_layers
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.own_round import OwnRound
from cvrl_napari.gui.placement import placement
from cvrl_napari.volumes.volume import Volume

APPEAR_MS = 30
"""Between the steps of showing a layer."""
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
        self._wanted: dict[str, tuple[np.ndarray, dict[str, Any]]] = {}
        self._appearing: set[str] = set()
        self._going: set[str] = set()
        self._is_closed = False
        self._appear = OwnRound(APPEAR_MS, self._next_appears, self)
        self._go = OwnRound(LINGER_MS, self._take_next, self)
        for going in (layers.room_wanted, layers.leaving):
            going.connect(self._take_all)

    @property
    def is_busy(self) -> bool:
        """Whether a layer is about to be made or seen, or to be taken away."""
        return bool(self._wanted or self._appearing or self._going)

    def plan(self, name: str, empty: Any, widest: tuple[float, float] | None = None, **look: Any) -> None:
        """Say how an image layer is to look; `empty` is a cell of it, of the type of its data.

        Parameters
        ----------
        widest : float, float, optional
            What its contrast limits can be set to; its data is not looked through for them then.
        """
        self._plans[name] = _Plan(np.asarray(empty), widest, look)

    def look(self, name: str, **look: Any) -> None:
        """Have a planned layer look otherwise from now on; one that is there at once."""
        self._plans[name].look.update(look)
        layer = self._find(name)
        for key, value in look.items() if layer is not None else ():
            setattr(layer, key, value)

    def get(self, name: str) -> Image | None:
        """Return the layer of this name while something is shown in it; None as long as it is not made."""
        return self._find(name) if name not in self._going else None

    def hide(self, name: str) -> None:
        """Show nothing in this layer; if nothing comes to be shown in it soon, it is taken away."""
        self._wanted.pop(name, None)
        self._appearing.discard(name)
        layer = self._find(name)
        if layer is not None and name not in self._going:
            layer.visible = False
            self._going.add(name)
            self._go.start(LINGER_MS)

    def show(self, name: str, data: np.ndarray, cell: Sequence[float]) -> None:
        """Show cells (Z, Y, X, ...) of the scan on view in a planned layer; `cell` is voxels of the scan for one cell.

        The layer is made or filled when the event loop has come round, and a hidden one is seen when it has done so again:
        each takes napari 50 ms.
        """
        scan = self._layers.scan
        assert scan is not None
        self._going.discard(name)
        self._wanted[name] = (data, cell_placement(scan, cell))
        if not self._appear.is_due:
            self._appear.start()

    def close(self) -> None:
        """Show nothing any more. The layers go one by one, and this with the last of them."""
        self._is_closed = True
        self._wanted.clear()
        for name in self._made:
            self.hide(name)
        self._go.start(BETWEEN_MS)

    def _find(self, name: str) -> Image | None:
        """Return the layer of this name; None when there is none, or the person has deleted it."""
        layer = self._made.get(name)
        return layer if layer is not None and layer in self._viewer.layers else None

    def _make(self, name: str, data: np.ndarray, place: dict[str, Any]) -> None:
        plan = self._plans[name]
        layer = Image(data, name=name, blending="translucent_no_depth", **place, **plan.look)
        if plan.widest is not None:
            layer.contrast_limits_range = plan.widest  # before napari listens
        add_unselected(self._viewer, layer)
        self._made[name] = layer

    def _next_appears(self) -> None:
        """Make, fill or show one layer; the next one when the event loop has come round."""
        if self._wanted:
            name = next(iter(self._wanted))
            data, place = self._wanted.pop(name)
            layer = self._find(name)
            if layer is None:
                self._make(name, data, place)
            else:
                _fill(layer, data, place)
                self._appearing.add(name)
        elif self._appearing:
            layer = self._find(self._appearing.pop())
            if layer is not None:
                layer.visible = True
        if self._wanted or self._appearing:
            self._appear.start()

    def _take_next(self) -> None:
        """Take a layer away that is no longer needed; the next one when the event loop comes round."""
        if self._going:
            self._take([self._going.pop()])
        if self._going:
            self._go.start(BETWEEN_MS)
        elif self._is_closed:
            for going in (self._layers.room_wanted, self._layers.leaving):
                going.disconnect(self._take_all)
            self.deleteLater()

    def _take_all(self) -> None:
        """Take all away at once: they would count for what napari can scroll through in the next case."""
        for waiting in (self._wanted, self._appearing, self._going):
            waiting.clear()
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
