"""The only place that makes or changes napari layers: scan, labels, mask and difference of the case on view."""

import warnings
from collections.abc import Callable, Collection, Sequence

import napari
import numpy as np
from napari.layers import Labels
from napari.utils.events import EventEmitter
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.editing.accepting import accepted
from cvrl_napari.editing.edit import Edit
from cvrl_napari.engine.events import Box, PreviewReady
from cvrl_napari.gui.brush import Brush
from cvrl_napari.gui.case_layers import CONTOUR_WIDTH, MASK_OPACITY, CaseLayers, make_layers
from cvrl_napari.gui.case_view import CaseView, CaseViews, look_at_middle, plane_on_view, turn_head_up
from cvrl_napari.gui.class_colors import class_colormap, class_names
from cvrl_napari.gui.difference import Marked
from cvrl_napari.gui.difference_layer import DifferenceLayer
from cvrl_napari.gui.late_controls import add_unselected
from cvrl_napari.gui.layer_removal import remove_layers
from cvrl_napari.gui.own_round import in_own_round
from cvrl_napari.gui.sliced_late import sliced_late
from cvrl_napari.gui.undoing import Undoing
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.volume import Volume

VIEW_REST_MS = 200
"""Milliseconds a slice must stay on view before the run is told to predict it."""


class Layers(QObject):
    """The case on view as napari layers. GUI thread only.

    Signals
    -------
    labels_painted : str
        The case whose labels the person changed: after a stroke, fill, undo, redo or accept.
    stroke_goes_on
        Labels changed on the screen, perhaps in the middle of a stroke: `labels_painted` follows when it ends.
    case_left : str, object
        Case and its labels (uint8, (z, y, x)) just before another case is shown, when they changed since the last
        `mark_saved()`: the last chance to save them.
    leaving
        The case on view is about to go: who added layers of their own takes them away.
    room_wanted
        Who can do so takes them away already, for the sake of a short round of the event loop.
    view_changed : str, int, int
        Case, axis (0 = z) and index of the slice on view, 200 ms after it last moved.
    """

    labels_painted = Signal(str)
    stroke_goes_on = Signal()
    case_left = Signal(str, object)
    leaving = Signal()
    room_wanted = Signal()
    view_changed = Signal(str, int, int)

    def __init__(self, viewer: napari.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._shown: CaseLayers | None = None
        self._difference = DifferenceLayer(viewer)
        self._is_unsaved = False
        self._mask_source: str | None = None
        self._has_mask = False
        self._opacity = MASK_OPACITY
        self._views = CaseViews()
        self.brush = Brush(self)
        self.undoing = Undoing()
        # napari announces some changes before it makes them: listeners are told when the event loop comes round.
        self._painted = self._timer(0, self._tell_painted)
        self._moved = self._timer(VIEW_REST_MS, self._tell_view)
        # napari's own listeners come first: a contour is sliced once in 3D, and warned of, before it is filled in `_on_view`.
        warnings.filterwarnings("ignore", "Contours are not displayed during 3D rendering")
        for emitter in self._emitters():
            emitter.connect(self._on_view)

    @property
    def case(self) -> str | None:
        """The case on view."""
        return self._shown.case if self._shown else None

    @property
    def scan(self) -> Volume | None:
        """The scan of the case on view."""
        return self._shown.scan if self._shown else None

    @property
    def shown(self) -> CaseLayers | None:
        """The layers of the case on view, to be looked at and drawn elsewhere too."""
        return self._shown

    @property
    def is_unsaved(self) -> bool:
        """Whether the labels on view changed since they were shown or last marked as saved."""
        return self._is_unsaved

    def mark_saved(self) -> None:
        """Remember that the labels on view are on disk."""
        self._is_unsaved = False

    def labels_array(self) -> np.ndarray:
        """Return the labels on view, uint8, (z, y, x): the layer's own array, not a copy. (0, 0, 0) without a case."""
        return self._shown.labels.data if self._shown else np.zeros((0, 0, 0), np.uint8)

    def mask_array(self) -> np.ndarray:
        """Return the mask on view, uint8, (z, y, x): the layer's own array, not a copy. (0, 0, 0) without a case."""
        return self._shown.mask.data if self._shown else np.zeros((0, 0, 0), np.uint8)

    def scan_array(self) -> np.ndarray:
        """Return the grey values on view, (z, y, x), not a copy. (0, 0, 0) without a case."""
        return self._shown.image.data if self._shown else np.zeros((0, 0, 0), np.uint8)

    def make_room(self, then: Callable[[], None]) -> None:
        """Have others take their layers away, then do something when that is drawn; at once when there were none."""
        count = len(self._viewer.layers)
        self.room_wanted.emit()
        if len(self._viewer.layers) == count:
            then()
        else:
            in_own_round(then, self)

    def show_case(self, study: Study, case_id: str, *, scan: Volume | None = None, channels: Sequence[np.ndarray] = ()) -> None:
        """Show a case in place of the one on view, at the slice, zoom and contrast it was left with.

        Parameters
        ----------
        scan : Volume, optional
            The case's scan, when the caller has read it already (in a thread: a large one takes seconds).
        channels : sequence of arrays of shape (z, y, x)
            Its further images on the scan's grid; hidden at first, then as those of the case before.

        Raises
        ------
        VolumeError, StudyError
            When scan or labels cannot be read; what was on view stays.
        """
        scan = scan if scan is not None else study.read_scan(case_id)
        labels = study.read_labels(case_id)
        labels = np.zeros(scan.array.shape, np.uint8) if labels is None else np.array(labels, np.uint8, order="C")
        before = self._leave()
        self._views.open(study)
        mode = before.labels.mode if before is not None else "pan_zoom"
        # The person may have deleted a layer of the case before.
        if before is not None and before.can_hold(study, scan, channels) and set(before.layers) <= set(self._viewer.layers):
            with sliced_late(before.layers):
                self._show(before.holding(case_id, scan, labels, channels), mode)
        else:
            made = make_layers(study, case_id, scan, labels, channels=channels, mask_opacity=self._opacity)
            self._show(self._replace(before, made), mode)

    def _show(self, shown: CaseLayers, mode: str) -> None:
        self._listen(shown.labels)
        self._shown = shown
        self._viewer.layers.selection.active = shown.labels
        shown.labels.mode = mode  # last: napari takes the brush away from a layer that is not selected
        self._look(shown.case, shown)

    def clear(self) -> None:
        """Take the case off the viewer; `case_left` is emitted first when there is something to save."""
        before = self._leave()
        self._views.save()
        self._shown = None
        if before is not None:
            remove_layers(self._viewer, before.layers)

    def close(self) -> None:
        """Clear, and let go of the viewer."""
        self.clear()
        for emitter in self._emitters():
            emitter.disconnect(self._on_view)
        self._moved.stop()

    def set_classes(self, classes: Sequence[StructureClass]) -> None:
        """Recolor and rename the classes of the layers on view."""
        if self._shown is not None:
            for layer in (self._shown.labels, self._shown.mask):
                layer.colormap = class_colormap(classes)
                layer.features = class_names(classes)

    def select_class(self, class_id: int) -> None:
        """Paint with this class from now on: 0 erases, 255 paints background."""
        if self._shown is not None:
            self._shown.labels.selected_label = class_id

    def take_brush(self) -> None:
        """Let the mouse paint labels from now on."""
        if self._shown is not None:
            self._viewer.layers.selection.active = self._shown.labels
            self._shown.labels.mode = "paint"

    def update_overlay(self, event: PreviewReady) -> bool:
        """Bring the mask on view up to date with a preview.

        Only the box that changed is copied out of the memory-mapped file, all of it when the mask came from elsewhere.
        Returns False when the event is of another case, or the file is not a mask of this one; the next preview is then
        copied as a whole.
        """
        shown = self._shown
        if shown is None or event.case != shown.case:
            return False
        whole = event.path != self._mask_source
        self._difference.keep_mask(event.step)
        if event.box is None and not whole:
            self._difference.refresh()
            return True
        mask = shown.mask.data
        self._mask_source = None
        try:
            preview = np.load(event.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):  # being replaced, or the run's folder was deleted
            return False
        if preview.shape != mask.shape or preview.dtype != np.uint8:
            return False
        inside = ... if whole or event.box is None else _slices(event.box)
        mask[inside] = preview[inside]
        self._mask_source = event.path
        self._refresh_mask()
        return True

    def set_mask(self, mask: np.ndarray) -> None:
        """Show a whole mask on the scan's grid (a prediction), uint8, (z, y, x).

        Raises
        ------
        ValueError
            If it has another shape than the scan on view.
        """
        if self._shown is None or mask.shape != self._shown.mask.data.shape:
            raise ValueError(f"a mask of shape {mask.shape} does not fit the scan on view, {self.mask_array().shape}")
        self._difference.keep_mask(None)
        self._shown.mask.data[...] = mask
        self._mask_source = None
        self._refresh_mask()

    def clear_mask(self) -> None:
        """Show no mask until the next one comes."""
        if self._shown is not None:
            self.set_mask(np.zeros_like(self._shown.mask.data))
            self._has_mask = False

    def accept(self, class_id: int | None = None, box: Box | None = None, *, only_unpainted: bool = False) -> int:
        """Turn the mask into labels as `accepted` says, as one undoable step; returns how many voxels changed.

        Parameters
        ----------
        class_id : int, optional
            Only this class is taken over.
        box : Box, optional
            Only inside this box, ((z0, z1), (y0, y1), (x0, x1)).
        only_unpainted : bool
            What is painted stays as it is.
        """
        if self._shown is None or not self._has_mask:
            return 0
        inside = (slice(None),) * 3 if box is None else _slices(box)
        labels, mask = self._shown.labels.data[inside], self._shown.mask.data[inside]
        return self.apply(Edit.between(labels, accepted(labels, mask, class_id, only_unpainted=only_unpainted), inside))

    def replace(self, values: Collection[int], array: np.ndarray) -> int:
        """Bring the labels of these values from an array, as one undoable step; returns how many voxels changed.

        What was painted with one of `values` goes where the array has none of them; other classes stay where it is 0.

        Parameters
        ----------
        array : uint8 array of shape (z, y, x)
            0 where nothing is brought, else one of `values`: classes, or 255 for painted background.

        Raises
        ------
        ValueError
            If it has another shape than the scan on view.
        """
        if self._shown is None or array.shape != self._shown.labels.data.shape:
            raise ValueError(f"labels of shape {array.shape} do not fit the scan on view, {self.labels_array().shape}")
        labels = self._shown.labels.data
        kept = np.where(np.isin(labels, list(values)), 0, labels)
        return self.apply(Edit.between(labels, np.where(array > 0, array, kept)))

    def apply(self, edit: Edit) -> int:
        """Make a change as one undoable step, see `Edit.still_due`; returns how many voxels changed."""
        if self._shown is None:
            return 0
        due = edit.still_due(self._shown.labels.data)
        if len(due):
            labels, visible = self._shown.labels, self._shown.labels.visible
            labels.visible = True  # napari writes into the slice on view too, and a hidden layer's may be of another shape
            labels.data_setitem(due.indices, due.after)
            labels.visible = visible
        return len(due)

    def mark(self, marked: Marked | None) -> None:
        """Mark where labels and mask differ, or what the newest mask changed, and follow it; None marks nothing."""
        self._difference.show(self._shown, marked)

    def set_opacity(self, opacity: float) -> None:
        """Opacity of the mask, 0 to 1; kept from case to case."""
        self._opacity = opacity
        if self._shown is not None:
            self._shown.mask.opacity = opacity

    def _replace(self, before: CaseLayers | None, shown: CaseLayers) -> CaseLayers:
        """Put layers into the viewer in the place of others, looking and painting alike."""
        self.undoing.take(shown.labels, self._on_painted)
        self.brush.take(shown.labels, lambda dimensions: sorted(self._viewer.dims.order[-dimensions:]))
        if before is not None:
            shown.look_like(before)
        # The new layers come before the old ones go: a viewer without layers forgets which plane it shows.
        for layer in shown.layers:
            add_unselected(self._viewer, layer)
        if before is not None:
            remove_layers(self._viewer, before.layers)
        return shown

    def _listen(self, labels: Labels) -> None:
        for emitter in (labels.events.paint, labels.events.data):
            emitter.connect(self._on_painted)
        labels.events.labels_update.connect(self._on_stroke)
        # Else napari draws its list of layers anew with every dab, which costs more than the dab; nothing in it changed.
        labels.events.labels_update.disconnect(labels.events)

    def _leave(self) -> CaseLayers | None:
        """Remember how the case on view is looked at, and offer what is not saved; returns it."""
        self.mark(None)
        self.leaving.emit()
        self.undoing.forget()
        self._painted.stop()
        shown = self._shown
        if shown is not None:
            self._views.remember(shown.case, CaseView.of(self._viewer, shown.image))
            self._opacity = shown.mask.opacity
            if self._is_unsaved:
                self.case_left.emit(shown.case, shown.labels.data)
            for emitter in (shown.labels.events.paint, shown.labels.events.data):
                emitter.disconnect(self._on_painted)
            shown.labels.events.labels_update.disconnect(self._on_stroke)
        self._is_unsaved = self._has_mask = False
        self._mask_source = None
        return shown

    def _look(self, case_id: str, shown: CaseLayers) -> None:
        """Look at the case as it was left; a new one as a whole, at the middle of what is painted or of the scan."""
        view = self._views.of(case_id)
        if view is not None:
            view.restore(self._viewer, shown.image)
        else:
            look_at_middle(self._viewer, shown.labels)
        self._on_view()

    def _refresh_mask(self) -> None:
        assert self._shown is not None
        self._has_mask = True
        self._shown.mask.refresh(extent=False, thumbnail=False)  # a thumbnail costs as much as the slice itself
        self._difference.refresh()

    def _on_stroke(self, _event: object) -> None:
        self._is_unsaved = True
        self.stroke_goes_on.emit()

    def _on_painted(self, _event: object = None) -> None:
        self._is_unsaved = True
        self._painted.start()

    def _tell_painted(self) -> None:
        if self._shown is not None:
            self._difference.refresh()
            self.labels_painted.emit(self._shown.case)

    def _emitters(self) -> tuple[EventEmitter, ...]:
        events = self._viewer.dims.events
        return events.point, events.order, events.ndisplay

    def _on_view(self, _event: object = None) -> None:
        if self._shown is None:
            return
        contour = CONTOUR_WIDTH if self._viewer.dims.ndisplay == 2 else 0
        if self._shown.mask.contour != contour:
            self._shown.mask.contour = contour
        turn_head_up(self._viewer)
        self._moved.start()

    def _tell_view(self) -> None:
        if self._shown is not None:
            self.view_changed.emit(self._shown.case, *plane_on_view(self._viewer, self._shown.image))

    def _timer(self, milliseconds: int, function: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(function)
        return timer


def _slices(box: Box) -> tuple[slice, ...]:
    return tuple(slice(start, stop) for start, stop in box)
