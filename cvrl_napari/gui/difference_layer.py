"""The layer that shows where labels and mask differ, while somebody wants to see it."""

import napari
import numpy as np
from napari.layers import Labels

from cvrl_napari.gui import difference
from cvrl_napari.gui.case_layers import CaseLayers, make_difference


class DifferenceLayer:
    """There is none until `show`; it follows labels and mask by `refresh`."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._shown: CaseLayers | None = None
        self._layer: Labels | None = None

    def show(self, shown: CaseLayers | None) -> None:
        """Compare labels and mask of a case on view; None takes the layer away."""
        if self._layer is not None and shown is not self._shown:
            if self._layer in self._viewer.layers:  # the person may have deleted it
                self._viewer.layers.remove(self._layer)
            self._layer = None
        self._shown = shown
        if shown is not None and self._layer is None:
            self._layer = make_difference(shown, _compared(shown))
            self._viewer.add_layer(self._layer)
            self._viewer.layers.selection.active = shown.labels

    def refresh(self) -> None:
        """Labels or mask are others now."""
        if self._layer is not None and self._shown is not None:
            self._layer.data[...] = _compared(self._shown)
            self._layer.refresh(extent=False, thumbnail=False)


def _compared(shown: CaseLayers) -> np.ndarray:
    complete = shown.study.case(shown.case).state in ("complete", "accepted")
    return difference.compare(shown.labels.data, shown.mask.data, complete=complete)
