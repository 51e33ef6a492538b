"""The layers that the views draw, and when they look different: napari's own list is followed, nothing is copied."""

from typing import Any

import napari
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
    "labels_update",
    "opacity",
    "scale",
    "selected_label",
    "set_data",
    "show_selected_label",
    "translate",
    "visible",
)
"""Events of a layer after which it looks different; `labels_update` comes with every dab of the brush."""


def can_draw(layer: Layer) -> bool:
    """Say whether the views can draw a layer: one image or labels of three axes, neither rotated nor at several scales."""
    drawn = isinstance(layer, Image | Labels) and layer.ndim == 3 and not layer.multiscale
    return drawn and not getattr(layer, "rgb", False)


class FollowedLayers(QObject):
    """Tells which layers are to be drawn, in which order, and which of them changed.

    Signals
    -------
    changed : object
        The set of layers that look different now; told once the event loop comes round, however often they changed.
    """

    changed = Signal(object)

    def __init__(self, viewer: napari.Viewer, surfaces: SurfaceView, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers = viewer.layers
        self._surfaces = surfaces
        self._stale: set[Layer] = set()
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

        self._connected[layer] = stale
        for name in LOOKS:
            if name in layer.events.emitters:
                layer.events[name].connect(stale)
        stale()

    def _leave(self, layer: Layer) -> None:
        stale = self._connected.pop(layer, None)
        if stale is not None:
            for name in LOOKS:
                if name in layer.events.emitters:
                    layer.events[name].disconnect(stale)
        self._stale.discard(layer)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)

    def _on_removed(self, event: Any) -> None:
        self._leave(event.value)
        self._soon.start()

    def _on_reordered(self, _event: object = None) -> None:
        self._soon.start()

    def _on_hidden_changed(self) -> None:
        # napari tells nothing of what changes in a layer that it does not show.
        self._stale.update(self._surfaces.hidden)
        self._soon.start()

    def _tell(self) -> None:
        stale, self._stale = self._stale, set()
        self.changed.emit(stale)
