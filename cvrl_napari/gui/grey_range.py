"""The grey values that the brush may paint: set by hand, or from what lies under the cursor. No widgets."""

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.editing.brushes import under_brush
from cvrl_napari.gui.grey_limits import grey_limits
from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.session import Session

SPREAD = 2.0
"""Standard deviations on either side of the mean: 95 of 100 voxels of the tissue under the brush."""
LEAST_BRUSH = 5
"""Voxels across; a smaller brush sees too few of them to tell how much they vary."""


class GreyRange(QObject):
    """On or off, and between which grey values of the scan. Each case has grey values of its own; a new one starts off.

    Signals
    -------
    changed
        Switch, ends or limits are others now.
    """

    changed = Signal()

    def __init__(self, session: Session, pointing: Pointing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers, self._pointing = session.layers, pointing
        self.limits = (0.0, 1.0)
        self.ends = (0.0, 1.0)
        self.is_on = False
        session.case_opened.connect(self._on_case_opened)

    def set_on(self, on: bool) -> None:
        """Limit the brush, or let it paint any grey value."""
        self.is_on = on and self._layers.case is not None
        self._apply()

    def set_ends(self, low: float, high: float) -> None:
        """Paint between these from now on."""
        self.ends = (min(low, high), max(low, high))
        self._apply()

    def from_cursor(self) -> None:
        """Set the ends to the mean of what lies under the brush, 2 SD on either side, and limit the brush to that."""
        shown = self._layers.shown
        if shown is None:
            return
        array, axis = self._layers.scan_array(), self._pointing.plane[0]
        size = max(shown.labels.brush_size, LEAST_BRUSH)
        axes = [other for other in range(3) if other != axis]
        greys = array[under_brush(self._pointing.voxel, size, axes, array.shape, (1.0, 1.0, 1.0))].astype(np.float64)
        self.is_on = True
        self.set_ends(float(greys.mean() - SPREAD * greys.std()), float(greys.mean() + SPREAD * greys.std()))

    def _on_case_opened(self, case: str) -> None:
        if case:
            self.limits = grey_limits(self._layers.scan_array())
        self.is_on = False
        self.ends = self.limits
        self._apply()

    def _apply(self) -> None:
        self._layers.brush.grey_range = self.ends if self.is_on else None
        self.changed.emit()
