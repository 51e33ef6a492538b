"""The only place that makes or changes napari layers: scan, labels, mask and difference of the case on view."""

from collections.abc import Sequence

import napari
import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.events import Box, PreviewReady
from cvrl_napari.study.study import StructureClass, Study
from cvrl_napari.volumes.volume import Volume


class Layers(QObject):
    """The case on view as napari layers. GUI thread only.

    Signals
    -------
    labels_painted : str
        The case whose labels the person changed (stroke, fill, undo, redo, accept); at the end of a stroke, not during it.
    case_left : str, object
        Case and its labels (uint8, (z, y, x)) when another case is about to be shown and the labels changed since the last
        `mark_saved()`: the last chance to save. Emitted synchronously.
    view_changed : str, int, int
        Case, axis (0 = z) and index of the slice on view, 200 ms after it last moved.
    """

    labels_painted = Signal(str)
    case_left = Signal(str, object)
    view_changed = Signal(str, int, int)

    def __init__(self, viewer: napari.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        raise NotImplementedError

    @property
    def case(self) -> str | None:
        """The case on view."""
        raise NotImplementedError

    def show_case(self, study: Study, case_id: str, *, scan: Volume | None = None) -> None:
        """Show a case; `scan` spares reading it again when the caller already has it (read in a thread).

        Raises
        ------
        VolumeError, StudyError
            When scan or labels cannot be read; what was on view stays.
        """
        raise NotImplementedError

    def clear(self) -> None:
        """Take the case off the viewer (`case_left` is emitted first when needed)."""
        raise NotImplementedError

    def labels_array(self) -> np.ndarray:
        """Return the labels on view, uint8, (z, y, x): the layer's own array, not a copy. Empty (0, 0, 0) without a case."""
        raise NotImplementedError

    def mask_array(self) -> np.ndarray:
        """Return the mask on view, uint8, (z, y, x): the layer's own array, not a copy. Empty (0, 0, 0) without a case."""
        raise NotImplementedError

    def mark_saved(self) -> None:
        """Remember that the labels on view are on disk."""
        raise NotImplementedError

    @property
    def is_unsaved(self) -> bool:
        """Whether the labels on view changed since they were shown or last marked as saved."""
        raise NotImplementedError

    def set_classes(self, classes: Sequence[StructureClass]) -> None:
        """Recolor and rename the classes of the layers on view."""
        raise NotImplementedError

    def select_class(self, class_id: int) -> None:
        """Paint with this class from now on: 0 erases, 255 paints background."""
        raise NotImplementedError

    def update_overlay(self, event: PreviewReady) -> bool:
        """Copy the changed box of a preview into the mask on view; False when the event is of another case or unreadable."""
        raise NotImplementedError

    def set_mask(self, mask: np.ndarray) -> None:
        """Show a whole mask, uint8, (z, y, x) on the scan's grid (a prediction)."""
        raise NotImplementedError

    def accept(self, class_id: int | None = None, box: Box | None = None) -> int:
        """Turn the mask into labels, as one undoable step; returns how many voxels changed.

        Parameters
        ----------
        class_id : int, optional
            Only this class is taken over; other labels stay where the mask is not of this class.
        box : Box, optional
            Only inside this box.
        """
        raise NotImplementedError

    def difference(self, on: bool) -> None:
        """Show or hide where labels and mask differ; follows both while shown."""
        raise NotImplementedError

    def set_opacity(self, opacity: float) -> None:
        """Opacity of the mask, 0 to 1; kept from case to case."""
        raise NotImplementedError
