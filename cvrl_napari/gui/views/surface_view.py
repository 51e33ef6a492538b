"""The 3D button: napari's canvas shows the structures as smooth surfaces, and then its slices again."""

from collections.abc import Sequence
from functools import partial

import napari
import numpy as np
from napari.layers import Layer, Surface
from napari.utils.colormaps import Colormap
from qtpy.QtCore import QObject, QTimer, Signal
from qtpy.QtGui import QColor

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.layer_removal import remove_layers
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.views.surfaces import Mesh, brightness, meshes_of

REST_MS = 400
"""Milliseconds without painting after which the surfaces are made anew."""
FILLED = 0.9
"""Part of the canvas that the diagonal of the structures' box fills."""
MASK_OPACITY = 0.5
"""The model's surface lets the person's own be seen through it."""
NOTHING = "There is nothing to show in 3D yet."
FROM_THE_FRONT, HEAD_UP = (-0.25, 0.9, 0.35), (1.0, 0.0, 0.0)
"""Where the camera looks and what is up, (z, y, x) towards Superior, Posterior and Left."""


class SurfaceView(QObject):
    """Turns napari's canvas to 3D and back. The surfaces are made in a thread and follow what is painted and predicted.

    Signals
    -------
    changed
        Turned on or off, or there are other surfaces now.
    stale
        What the hidden layers hold may have changed: napari does not tell of layers that are not visible.
    """

    changed = Signal()
    stale = Signal()

    def __init__(self, viewer: napari.Viewer, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self._thread = Background(self)
        self.hidden: list[Layer] = []
        """Layers that make room for the surfaces while these are on view."""
        self._mode = "pan_zoom"
        self._surfaces: list[Surface] = []
        self.is_on = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(self._make)
        for signal in (session.painting.painted, session.mask_changed, session.classes_changed):
            signal.connect(self._on_changed)
        session.case_opened.connect(self._on_case_opened)
        viewer.dims.events.ndisplay.connect(self._on_ndisplay)

    def close(self) -> None:
        """Turn off, wait for the thread, let go of the viewer."""
        self.turn(False)
        self._viewer.dims.events.ndisplay.disconnect(self._on_ndisplay)
        self._thread.close()

    def turn(self, on: bool) -> None:
        """Show surfaces in 3D, or slices again."""
        if on == self.is_on or (on and self._session.layers.shown is None):
            return
        self.is_on = on
        labels = self._session.layers.shown.labels if self._session.layers.shown is not None else None
        if on:
            self._mode = labels.mode if labels is not None else "pan_zoom"
            self._hide_slices()
            self._viewer.dims.ndisplay = 3
            self._make()
        else:
            self._rest.stop()
            self._remove(self._surfaces)
            self._surfaces = []
            for layer in self.hidden:
                layer.visible = True
            self.hidden = []
            self._viewer.dims.ndisplay = 2
        self._select_labels()
        if not on and labels is not None:
            labels.mode = self._mode  # napari laid the brush down when the layer was hidden
        self.changed.emit()

    def _hide_slices(self) -> None:
        """Scan and labels as volumes would hide the surfaces, and make every turn of the picture slow."""
        self.hidden += [layer for layer in self._viewer.layers if layer.visible and layer not in self._surfaces]
        for layer in self.hidden:
            layer.visible = False

    def _make(self) -> None:
        shown = self._session.layers.shown
        if not self.is_on or shown is None:
            return
        case = shown.case
        labels, mask = shown.labels.data.copy(), shown.mask.data.copy()
        place = tuple(shown.labels.scale), tuple(shown.labels.translate)

        def make() -> list[list[Mesh]]:
            # An accepted mask would be drawn twice in the same place.
            both = [labels] if np.array_equal(mask, labels) else [labels, mask]
            return [meshes_of(array, *place) for array in both]

        self._thread.run(make, partial(self._show, case), self._fail)

    def _show(self, case: str, meshes: list[list[Mesh]]) -> None:
        study = self._session.study
        if not self.is_on or study is None or self._session.case != case:
            return
        first = not self._surfaces
        self._remove(self._surfaces)
        classes = {one.id: one for one in study.classes}
        self._surfaces = [
            _layer(mesh, f"{classes[mesh.value].name} ({what})", classes[mesh.value].color, opacity)
            for what, opacity, some in zip(("labels", "mask"), (1.0, MASK_OPACITY), meshes, strict=False)
            for mesh in some
            if mesh.value in classes
        ]
        for layer in self._surfaces:
            self._viewer.add_layer(layer)
        if not self._surfaces:
            self._session.noticed.emit(
                "There is nothing to show in 3D yet.", "Paint a structure, or train and let it be predicted.", ""
            )
        elif first:
            self._look([mesh for some in meshes for mesh in some])
        self._select_labels()
        self.changed.emit()

    def _look(self, meshes: Sequence[Mesh]) -> None:
        """Show all the structures, from the front."""
        corners = [corner for mesh in meshes for corner in (mesh.vertices.min(axis=0), mesh.vertices.max(axis=0))]
        low, high = np.min(corners, axis=0), np.max(corners, axis=0)
        camera = camera_of(self._viewer)
        camera.set_view_direction(FROM_THE_FRONT, HEAD_UP)
        camera.center = tuple(float(value) for value in (low + high) / 2)
        camera.zoom = FILLED * min(self._viewer.canvas.size) / max(float(np.linalg.norm(high - low)), 1.0)

    def _select_labels(self) -> None:
        shown = self._session.layers.shown
        if shown is not None and shown.labels in self._viewer.layers:
            self._viewer.layers.selection.active = shown.labels

    def _fail(self, error: Exception) -> None:
        self._session.noticed.emit("The surfaces could not be made.", "Go on in 2D.", repr(error))

    def _remove(self, layers: list[Surface]) -> None:
        remove_layers(self._viewer, layers)

    def _on_changed(self) -> None:
        if self.is_on:
            self.stale.emit()
            self._rest.start()

    def _on_case_opened(self, case: str) -> None:
        if not self.is_on:
            return
        if not case:
            self.turn(False)
            return
        self._hide_slices()
        self._remove(self._surfaces)
        self._surfaces = []
        self._make()

    def _on_ndisplay(self, _event: object = None) -> None:
        if self.is_on and self._viewer.dims.ndisplay == 2:
            self.turn(False)


def _layer(mesh: Mesh, name: str, color: str, opacity: float) -> Surface:
    shades = Colormap([QColor(color).darker(400).name(), color], name=f"cvrl {color}")
    data = (mesh.vertices, mesh.faces, brightness(mesh.vertices, mesh.faces))
    look = {"colormap": shades, "contrast_limits": (0, 1), "shading": "none"}
    return Surface(data, name=name, opacity=opacity, units=("mm", "mm", "mm"), **look)
