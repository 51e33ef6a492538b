"""The status bar tells of the voxel under the cursor as it is, not as it was when the mouse last moved."""

from typing import Any

import napari
from qtpy.QtCore import QObject, QTimer

from cvrl_napari.gui.placement import layer_affine
from cvrl_napari.gui.session import Session


class FreshStatus(QObject):
    """Asks the selected layer again, once in a round of the event loop, when labels or masks changed without the mouse.

    napari asks only when the mouse moves on the canvas; after a click on *Accept* it is elsewhere.
    """

    def __init__(self, viewer: napari.Viewer, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._ask)
        session.layers.labels_painted.connect(self._start)
        session.mask_changed.connect(self._start)
        for emitter in self._emitters():
            emitter.connect(self._start)

    def close(self) -> None:
        """Let go of the viewer."""
        self._soon.stop()
        for emitter in self._emitters():
            emitter.disconnect(self._start)

    def _start(self, _event: object = None) -> None:
        self._soon.start()

    def _ask(self) -> None:
        viewer = self._viewer
        active, told = viewer.layers.selection.active, viewer.status
        # A sentence of another's stays; so does what is told of a layer that is none of ours, and of a ray in 3D.
        if active is None or not isinstance(told, dict) or layer_affine(active) is None or viewer.dims.ndisplay != 2:
            return
        viewer.status = active.get_status(viewer.cursor.position, dims_displayed=list(viewer.dims.displayed), world=True)

    def _emitters(self) -> tuple[Any, ...]:
        layers = self._viewer.layers.events
        return layers.inserted, layers.removed
