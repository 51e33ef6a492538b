"""Where the voxel under the mouse lies in the scatter, while somebody looks at it. No widgets."""

from typing import Any

import napari
import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.gui.embeddings.cloud import Cloud
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.placement import voxel_at
from cvrl_napari.gui.session import Session

EVERY_MS = 30
"""The place is looked up at most this often while the mouse moves."""


class UnderMouse(QObject):
    """Follows the mouse over the canvas while `follow` says so.

    Signals
    -------
    moved : object
        The place (2,) in the scatter; None when the mouse is beside the scan, or nothing is known of the voxel.
    """

    moved = Signal(object)

    def __init__(
        self, viewer: napari.Viewer, session: Session, computed: Computed, cloud: Cloud, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._computed, self._cloud = viewer, session, computed, cloud
        self._position: tuple[float, ...] = ()
        self._is_on = False
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(EVERY_MS)
        self._rest.timeout.connect(lambda: self.moved.emit(self.place()))

    def follow(self, on: bool) -> None:
        """Listen to the mouse, or no more."""
        if on == self._is_on:
            return
        self._is_on = on
        if on:
            self._viewer.mouse_move_callbacks.append(self._on_move)
        else:
            self._viewer.mouse_move_callbacks.remove(self._on_move)
            self._rest.stop()
            self.moved.emit(None)

    def close(self) -> None:
        """Let go of the viewer."""
        self.follow(False)

    def place(self) -> np.ndarray | None:
        """Return where the voxel under the mouse lies, (2,): its own place in a PCA, else that of the point most like it."""
        scan, sample, projection = self._session.layers.scan, self._cloud.sample, self._cloud.projection
        embeddings = self._computed.loaded.get(self._session.case)
        if scan is None or sample is None or projection is None or embeddings is None or len(self._position) < 3:
            return None
        voxel = voxel_at(scan, self._position[-3:])
        if voxel is None or self._viewer.dims.ndisplay != 2:
            return None
        z, y, x = embeddings.cell_of(np.array(voxel))
        space = embeddings.projected if self._cloud.shows_projected else None
        row = np.asarray((embeddings.features if space is None else space)[z, y, x], np.float32)
        if len(row) != sample.rows.shape[1]:
            return None  # points of another level, just about to be drawn anew
        if projection.basis is not None:
            places = projection.transform(row[None])
        else:
            places = projection.points[[np.square(sample.rows - row).sum(axis=1).argmin()]]
        place: np.ndarray = places[0]
        return place

    def _on_move(self, _viewer: Any, event: Any) -> None:
        self._position = tuple(event.position)
        if not self._rest.isActive():
            self._rest.start()
