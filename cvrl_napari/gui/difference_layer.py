"""The layer that marks where labels and mask differ, or what the newest mask changed, while somebody wants to see it."""

import napari
import numpy as np
from napari.layers import Labels

from cvrl_napari.gui import difference
from cvrl_napari.gui.case_layers import CaseLayers, make_difference
from cvrl_napari.gui.late_controls import add_unselected
from cvrl_napari.gui.layer_removal import remove_layers


class DifferenceLayer:
    """There is none until `show`; it follows labels and mask by `refresh`."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._shown: CaseLayers | None = None
        self._marked: difference.Marked | None = None
        self._layer: Labels | None = None
        self._before: np.ndarray | None = None
        self._step: int | None = None

    def show(self, shown: CaseLayers | None, marked: difference.Marked | None) -> None:
        """Mark something of a case on view; None takes the layer away."""
        if shown is None:
            marked = None
        if self._layer is not None and (shown is not self._shown or marked != self._marked):
            remove_layers(self._viewer, [self._layer])
            self._layer = None
        if shown is not self._shown or marked != self._marked:
            self._before = self._step = None
        self._shown, self._marked = shown, marked
        if shown is not None and marked is not None and self._layer is None:
            self._layer = make_difference(shown, self._compared(shown), marked)
            add_unselected(self._viewer, self._layer)
            self._viewer.layers.selection.active = shown.labels

    def keep_mask(self, step: int | None) -> None:
        """Remember the mask, which is about to change; a preview that comes in parts, all of one `step`, is one change."""
        if self._marked == "changes" and self._shown is not None and (step is None or step != self._step):
            self._before, self._step = self._shown.mask.data.copy(), step

    def refresh(self) -> None:
        """Labels or mask are others now."""
        if self._layer is not None and self._shown is not None:
            self._layer.data[...] = self._compared(self._shown)
            self._layer.refresh(extent=False, thumbnail=False)

    def _compared(self, shown: CaseLayers) -> np.ndarray:
        if self._marked == "changes":
            before = self._before if self._before is not None else shown.mask.data
            return difference.compare(before, shown.mask.data, complete=True)
        complete = shown.study.case(shown.case).state in ("complete", "accepted")
        return difference.compare(shown.labels.data, shown.mask.data, complete=complete)
