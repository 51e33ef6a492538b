"""The layers that the embeddings dock adds to the case on view: they lie on the grid of the cells and go with the case."""

from collections.abc import Sequence
from typing import Any

import napari
import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QObject

from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.placement import placement
from cvrl_napari.volumes.volume import Volume


class Overlays(QObject):
    """Layers by name. They take no part in saving, and none is left when the case changes or the dock closes.

    While a case is on view they are hidden, not removed: napari takes a fifth of a second to make a layer or remove it.
    """

    def __init__(self, viewer: napari.Viewer, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._layers = viewer, layers
        self._shown: dict[str, Layer] = {}
        layers.leaving.connect(self.clear)

    def get(self, name: str) -> Layer | None:
        """Return the layer of this name, hidden or not; None when there is none, or the person has deleted it."""
        layer = self._shown.get(name)
        return layer if layer is not None and layer in self._viewer.layers else None

    def hide(self, name: str) -> None:
        """Show nothing in this layer, if it is there."""
        layer = self.get(name)
        if layer is not None:
            layer.visible = False

    def show_image(self, name: str, data: np.ndarray, cell: Sequence[float], **look: Any) -> Image:
        """Show values of the cells of the scan on view, see `_show`."""
        return self._show(Image, name, data, cell, look)

    def show_labels(self, name: str, data: np.ndarray, cell: Sequence[float], **look: Any) -> Labels:
        """Show label values of the cells of the scan on view, locked, see `_show`."""
        layer = self._show(Labels, name, data, cell, look)
        layer.editable = False
        return layer

    def clear(self) -> None:
        """Take all of them away."""
        layers = [layer for layer in self._shown.values() if layer in self._viewer.layers]
        self._shown = {}
        for layer in layers:
            self._viewer.layers.remove(layer)

    def _show(self, kind: type[Layer], name: str, data: np.ndarray, cell: Sequence[float], look: dict[str, Any]) -> Any:
        """Show cells (Z, Y, X, ...), in the place of the layer of this name; `cell` is voxels of the scan for one cell.

        The layer that is selected stays selected: a brush must not be lost because something is shown.
        """
        scan = self._layers.scan
        assert scan is not None
        layer, place = self.get(name), cell_placement(scan, cell)
        if layer is not None:
            moved = layer.data.shape != data.shape
            layer.data = data
            if moved:  # cells of another level
                layer.scale, layer.translate = place["scale"], place["translate"]
            layer.visible = True
            return layer
        active = self._viewer.layers.selection.active
        mode = getattr(active, "mode", None)
        layer = kind(data, name=name, **place, **look)
        self._viewer.add_layer(layer)
        self._shown[name] = layer
        self._viewer.layers.selection.active = active
        if active is not None and mode is not None:
            active.mode = mode
        return layer


def cell_placement(scan: Volume, cell: Sequence[float]) -> dict[str, Any]:
    """Return scale, translate and units of a layer whose elements are cells of `cell` (z, y, x) voxels, from voxel 0 on."""
    place = placement(scan)
    spacing, voxels = np.array(place["scale"]), np.array(cell)
    # Voxel 0 is drawn around `translate`; the middle of cell 0 lies (cell - 1) / 2 voxels further.
    translate = np.array(place["translate"]) + (voxels - 1) / 2 * spacing
    return {"scale": tuple(spacing * voxels), "translate": tuple(translate), "units": place["units"]}
