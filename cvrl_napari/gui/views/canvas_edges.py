"""Keeps the edges of napari's canvas right: the letters of the patient's sides and the scale bar.

They are an overlay of the canvas, so they are drawn with the picture and are on its screenshots.
"""

from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Layer

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.orientation_letters import edge_letters
from cvrl_napari.gui.placement import layer_affine
from cvrl_napari.gui.views.edge_overlay import EdgeOverlay

KEY = "cvrl_edges"


class CanvasEdges:
    """Letters and scale bar of a viewer; there are none when no layer says how it lies in the patient, and no letters in 3D.

    The letters speak of the selected layer, else of the topmost one that knows. The bar gives way to napari's own.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._overlay = EdgeOverlay()
        viewer.canvas.overlays[KEY] = self._overlay
        for emitter in self._emitters():
            emitter.connect(self.refresh)
        self.refresh()

    def close(self) -> None:
        """Take all off, and let go of the viewer."""
        if self._viewer.canvas.overlays.pop(KEY, None) is not None:
            self._overlay.visible = False
            for emitter in self._emitters():
                emitter.disconnect(self.refresh)

    @property
    def letters(self) -> dict[str, str]:
        """The letters on view by edge, empty when there are none."""
        return dict(self._overlay.letters) if self._overlay.visible else {}

    @property
    def has_bar(self) -> bool:
        """Whether the scale bar is on view."""
        return self._overlay.visible and self._overlay.pixels_per_mm > 0

    def refresh(self, _event: object = None) -> None:
        """Write what belongs to the plane on view."""
        affine = self._affine()
        self._overlay.letters = {} if affine is None else self._letters(affine)
        is_napari_s = self._viewer.canvas.overlays["scale_bar"].visible
        self._overlay.pixels_per_mm = 0.0 if affine is None or is_napari_s else camera_of(self._viewer).zoom
        self._overlay.visible = affine is not None

    def _letters(self, affine: npt.NDArray[np.float64]) -> dict[str, str]:
        dims = self._viewer.dims
        displayed = [axis - (dims.ndim - 3) for axis in dims.displayed]
        if dims.ndisplay != 2 or min(displayed) < 0:  # an axis that is none of space
            return {}
        vertical, horizontal = camera_of(self._viewer).orientation2d
        return edge_letters(affine, displayed, (str(vertical), str(horizontal)))

    def _affine(self) -> npt.NDArray[np.float64] | None:
        layers = self._viewer.layers
        active = layers.selection.active
        wanted: list[Layer] = ([] if active is None else [active]) + [layer for layer in reversed(layers) if layer.visible]
        return next((affine for affine in map(layer_affine, wanted) if affine is not None), None)

    def _emitters(self) -> tuple[Any, ...]:
        viewer = self._viewer
        return (
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.dims.events.ndim,
            camera_of(viewer).events.orientation,
            camera_of(viewer).events.zoom,
            viewer.canvas.overlays["scale_bar"].events.visible,
            viewer.layers.selection.events.active,
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
        )
