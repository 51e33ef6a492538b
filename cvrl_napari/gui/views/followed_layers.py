"""The layers that the views draw, and when they look different: napari's own list is followed, nothing is copied."""

from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.gui.views.surface_view import SurfaceView

LOOKS = (
    "colormap",
    "contour",
    "contrast_limits",
    "data",
    "gamma",
    "interpolation2d",
    "opacity",
    "scale",
    "selected_label",
    "set_data",
    "show_selected_label",
    "translate",
    "visible",
)
"""Events of a layer after which it looks different all over; `labels_update` comes with every dab of the brush."""

Box = tuple[slice, slice, slice]
"""A part of a layer's array, (z, y, x)."""


def hull(one: Box, other: Box) -> Box:
    """Return the smallest box that holds two."""
    z, y, x = (slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True))
    return z, y, x


def can_draw(layer: Layer) -> bool:
    """Say whether the views can draw a layer: one image or labels of three axes, neither rotated nor at several scales."""
    drawn = isinstance(layer, Image | Labels) and layer.ndim == 3 and not layer.multiscale
    return drawn and (not getattr(layer, "rgb", False) or (layer.data.shape[-1] == 3 and layer.data.dtype == np.uint8))


class FollowedLayers(QObject):
    """Tells which layers are to be drawn, in which order, and which of them changed.

    Signals
    -------
    changed : object
        The set of layers that look different now; told once the event loop comes round, however often they changed.
    painted : object
        Where labels were painted, a `Box` by layer, when nothing else changed; told likewise.
    """

    changed = Signal(object)
    painted = Signal(object)

    def __init__(self, viewer: napari.Viewer, surfaces: SurfaceView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers, self._dims = viewer.layers, viewer.dims
        self._surfaces = surfaces
        self._stale: set[Layer] = set()
        self._painted: dict[Layer, Box] = {}
        self._others = False
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._tell)
        self._connected: dict[Layer, Any] = {}
        for layer in self._layers:
            self._follow(layer)
        self._layers.events.inserted.connect(self._on_inserted)
        self._layers.events.removed.connect(self._on_removed)
        self._layers.events.reordered.connect(self._on_reordered)
        surfaces.stale.connect(self._on_hidden_changed)

    def close(self) -> None:
        """Let go of the viewer and its layers."""
        self._soon.stop()
        self._layers.events.inserted.disconnect(self._on_inserted)
        self._layers.events.removed.disconnect(self._on_removed)
        self._layers.events.reordered.disconnect(self._on_reordered)
        self._surfaces.stale.disconnect(self._on_hidden_changed)
        for layer in list(self._connected):
            self._leave(layer)

    def drawn(self) -> list[Image | Labels]:
        """Return the layers to be drawn now, lowest first; those that only make room for surfaces are still seen here."""
        hidden = self._surfaces.hidden
        return [layer for layer in self._layers if layer in self._connected and (layer.visible or layer in hidden)]

    def _follow(self, layer: Layer) -> None:
        if not can_draw(layer):
            return

        def stale(_event: object = None) -> None:
            self._stale.add(layer)
            self._soon.start()

        def painted(event: Any) -> None:
            box = self._box_of(layer, event)
            known = self._painted.get(layer)
            self._painted[layer] = box if known is None else hull(known, box)
            self._soon.start()

        self._connected[layer] = stale, painted
        for name, listener in self._listeners(layer):
            layer.events[name].connect(listener)
        stale()

    def _listeners(self, layer: Layer) -> list[tuple[str, Any]]:
        stale, painted = self._connected[layer]
        wanted = [(name, stale) for name in LOOKS] + [("labels_update", painted)]
        return [(name, listener) for name, listener in wanted if name in layer.events.emitters]

    def _box_of(self, layer: Layer, event: Any) -> Box:
        """Return what a `labels_update` is about: a part of the slice on the canvas, at any depth as far as it tells."""
        whole = [slice(0, size) for size in layer.data.shape]
        for axis, start, size in zip(self._dims.displayed[-len(event.offset) :], event.offset, event.data.shape, strict=True):
            whole[axis - (self._dims.ndim - 3)] = slice(start, start + size)
        z, y, x = whole
        return z, y, x

    def _leave(self, layer: Layer) -> None:
        if layer in self._connected:
            for name, listener in self._listeners(layer):
                layer.events[name].disconnect(listener)
            del self._connected[layer]
        self._stale.discard(layer)
        self._painted.pop(layer, None)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)

    def _on_removed(self, event: Any) -> None:
        self._leave(event.value)
        self._on_reordered()

    def _on_reordered(self, _event: object = None) -> None:
        self._others = True
        self._soon.start()

    def _on_hidden_changed(self) -> None:
        # napari tells nothing of what changes in a layer that it does not show.
        self._stale.update(self._surfaces.hidden)
        self._on_reordered()

    def _tell(self) -> None:
        stale, painted, others = self._stale, self._painted, self._others
        self._stale, self._painted, self._others = set(), {}, False
        if stale or others:
            self.changed.emit(stale | painted.keys())
        elif painted:
            self.painted.emit(painted)
