"""One open study, the case on view, its labels on their way to disk, and the jobs beside it. All behaviour, no widgets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import napari
import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import View
from cvrl_napari.engine.events import Adjusted, PreviewReady, RunDone, RunFailed
from cvrl_napari.engine.run_list import model_for_masks
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.class_editing import ClassEditing
from cvrl_napari.gui.export import FORMATS, Format
from cvrl_napari.gui.importing import Importing
from cvrl_napari.gui.layers import Layers
from cvrl_napari.gui.masks import newest_mask
from cvrl_napari.gui.measuring import Measuring
from cvrl_napari.gui.painting import Painting
from cvrl_napari.gui.prediction import Prediction
from cvrl_napari.gui.readiness import reason_not_to_train
from cvrl_napari.gui.saving import Saving
from cvrl_napari.gui.study_making import make_sample, make_study
from cvrl_napari.gui.training import Training
from cvrl_napari.gui.words import SENTENCES, counted, duration
from cvrl_napari.study.case import Image
from cvrl_napari.study.channels import channels_of
from cvrl_napari.study.errors import LockedError, StudyError
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError
from cvrl_napari.volumes.regridding import linear_on_grid
from cvrl_napari.volumes.volume import Volume


class Session(QObject):
    """What the dock does. Panels call its methods and follow its signals; nothing here knows a widget.

    Signals
    -------
    study_changed
        A study was opened or closed, or its cases or classes changed.
    case_changed : str
        State or volumes of one case changed.
    choice_needed : str, object
        This case can be read once somebody chose how: the SeveralVolumesError or UnevenSlicesError says what. See `read_as`.
    case_opened : str
        This case is on view now; the empty string when none is.
    classes_changed
        Names, colours or number of the classes changed.
    class_selected : int
        Painting goes on with this class (255: background).
    mask_changed
        The mask layer shows something else: a preview, a prediction, another case.
    busy : str
        What is going on in the background, in words; empty when it has ended.
    noticed : str, str, str
        A sentence, what to do, details that unfold. Three empty strings take the notice back.
    locked : object
        The study in this folder is open elsewhere; it can be opened for reading only.
    confirmed : str, str
        Something that was asked for is done: a sentence, and more about it.
    """

    study_changed = Signal()
    case_changed = Signal(str)
    case_opened = Signal(str)
    choice_needed = Signal(str, object)
    classes_changed = Signal()
    class_selected = Signal(int)
    mask_changed = Signal()
    busy = Signal(str)
    noticed = Signal(str, str, str)
    locked = Signal(object)
    confirmed = Signal(str, str)

    def __init__(self, viewer: napari.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.layers = Layers(viewer, self)
        self.painting = Painting(self.layers, self)
        self.class_editing = ClassEditing(self.layers, self)
        self.training = Training(self._show_preview, self)
        self.prediction = Prediction(self)
        self.saving = Saving(self.layers, self)
        self.importing = Importing(self.layers, self.painting, self.class_editing, self)
        self.study: Study | None = None
        self.selected_class = 1
        self._view: View | None = None
        self._wanted_case = ""
        self._reading = Background(self)
        self.measuring = Measuring(self)
        self.painting.painted.connect(self.training.stroke)
        self.painting.saved.connect(self._on_saved)
        self.painting.failed.connect(self.noticed)
        self.layers.view_changed.connect(self._on_view_changed)
        self.measuring.measured.connect(self.case_changed)
        self.measuring.failed.connect(self._tell)
        self.class_editing.changed.connect(self.classes_changed)
        self.class_editing.refused.connect(self.noticed)
        for job in (self.saving, self.importing):
            job.busy.connect(self.busy)
            job.done.connect(self.confirmed)
            job.failed.connect(self._tell)
        self.training.event_received.connect(self._on_run_event)
        self.training.ended.connect(self._on_run_ended)
        self.prediction.done.connect(self._on_predicted)
        self.prediction.failed.connect(self._on_prediction_failed)

    # The study

    def open_study(self, folder: Path, *, read_only: bool = False) -> bool:
        """Open a study folder in the place of the present one; False, with a notice, when that cannot be."""
        if self.study is not None and folder.resolve() == self.study.folder:
            return True
        return self._adopt(lambda: Study.open(folder, read_only=read_only))

    def create_study(
        self, folder: Path, scans: Sequence[Path | Image], classes: Sequence[str], *, channels: Sequence[str] = ()
    ) -> None:
        """Make a study in the background as `make_study` does, then open it."""
        self._make(f"Looking at the scans for '{folder.name}'", lambda: make_study(folder, scans, classes, channels))

    def create_sample(self, folder: Path) -> None:
        """Make the phantom study in the background, then open it; one that is there already is opened."""
        self._make("Making the sample study (a few seconds)", lambda: make_sample(folder))

    def close_study(self) -> bool:
        """Save the labels, end the run, give the lock back; False when labels could not be saved."""
        if self.study is None:
            return True
        if not self.save_now():
            return False
        self._end_study()
        self.case_opened.emit("")
        self.study_changed.emit()
        return True

    def shut_down(self) -> None:
        """For quit: nothing of the session runs afterwards, and what was painted is on disk as far as the disk allows."""
        for job in (self._reading, self.measuring, self.saving, self.importing):
            job.close()
        self.save_now()
        self._end_study()
        self.layers.close()

    def _end_study(self) -> None:
        self.training.shut_down()
        self.prediction.shut_down()
        self.layers.clear()
        self.painting.close()
        self.class_editing.open(None)
        self.measuring.forget()
        if self.study is not None:
            self.study.close()
        self.study, self._view, self._wanted_case = None, None, ""

    def _adopt(self, opened: Callable[[], Study]) -> bool:
        try:
            study = opened()
        except StudyError as error:
            self.noticed.emit(str(error), "", "")
            if isinstance(error, LockedError):
                self.locked.emit(error.folder)
            return False
        if not self.close_study():  # what is painted could not be saved: it stays on the screen
            study.close()
            return False
        self.study = study
        if not study.read_only:
            self.training.get_ready()
        self.painting.open(study)
        self.class_editing.open(study)
        self.noticed.emit(study.notice, "", "")
        self.study_changed.emit()
        self.classes_changed.emit()
        self.select_class(1)
        self.measuring.measure_all(study)
        todo = [case.id for case in study.cases if not (case.is_labeled or case.held_out)]
        if study.cases:
            self.open_case(todo[0] if todo else study.cases[0].id)
        return True

    def _make(self, what: str, make: Callable[[], Path]) -> None:
        self.busy.emit(what)
        self._reading.run(make, self._on_made, self._on_failed)

    def _on_made(self, folder: Path) -> None:
        self.busy.emit("")
        self.open_study(folder)

    def _on_failed(self, error: Exception) -> None:
        self.busy.emit("")
        self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Errors made for people are said as they are; anything else is a fault of ours, with its details folded."""
        if isinstance(error, SENTENCES):
            self.noticed.emit(str(error), "", "")
        else:
            self.noticed.emit("Something went wrong that should not.", "Try again; the details tell more.", repr(error))

    # Cases

    def open_case(self, case_id: str) -> None:
        """Save the labels on view, read the case in the background, then show it; `case_opened` tells when it is there."""
        if self.study is None or not self.save_now():
            return
        study = self.study
        self._wanted_case = case_id
        self.busy.emit(f"Opening {case_id}")

        def read() -> tuple[Volume, np.ndarray | None, list[np.ndarray]]:
            scan = study.read_scan(case_id)
            further = range(1, len(study.case(case_id).images))
            channels = [linear_on_grid(study.read_channel(case_id, number), scan) for number in further]
            return scan, newest_mask(study, case_id), channels

        def show(what: tuple[Volume, np.ndarray | None, list[np.ndarray]]) -> None:
            if self.study is study and self._wanted_case == case_id:
                self._show(study, case_id, *what)

        def failed(error: Exception) -> None:
            self._on_failed(error)
            asked = isinstance(error, SeveralVolumesError | UnevenSlicesError) and not study.read_only
            if asked and self.study is study and self._wanted_case == case_id:
                self.choice_needed.emit(case_id, error)

        self._reading.run(read, lambda what: self.layers.make_room(lambda: show(what)), failed)

    def read_as(self, case_id: str, *, part: int | None = None, resample: bool | None = None) -> None:
        """Remember how the scan of a case is read, see `Study.set_reading`, and open the case."""
        self._change_and_open(case_id, lambda study: study.set_reading(case_id, part=part, resample=resample))

    def read_as_channels(self, case_id: str, several: SeveralVolumesError) -> None:
        """Remember that all volumes of the file of a case are its channels, and open the case."""
        self._change_and_open(case_id, lambda study: study.set_channels(case_id, channels_of(several)))

    def _change_and_open(self, case_id: str, change: Callable[[Study], None]) -> None:
        if self._change(change):
            self.noticed.emit("", "", "")
            self.open_case(case_id)

    def step_case(self, by: int, ids: Sequence[str]) -> None:
        """Open the next (1) or the former (-1) of these cases, round and round; the first of them when none is on view."""
        here = ids.index(self._wanted_case) if self._wanted_case in ids else -by
        if ids and (wanted := ids[(here + by) % len(ids)]) != self._wanted_case:
            self.open_case(wanted)

    @property
    def case(self) -> str:
        """Id of the case on view, or the empty string."""
        return self.layers.case or ""

    def set_complete(self, complete: bool) -> None:
        """Say whether not painted means background in the case on view."""
        if self.study is not None and self.case and self.save_now():
            self._change(lambda study: study.set_state(self.case, "complete" if complete else "partial"))
            self.training.labels_saved(self.case)
            self.case_changed.emit(self.case)

    def set_held_out(self, held_out: bool) -> None:
        """Say whether the case on view is measured only, never learned from; not while a training is under way."""
        if self.case and not self.training.is_active and self.save_now():
            self._change(lambda study: study.set_held_out(self.case, held_out))
            self.case_changed.emit(self.case)

    def _show(self, study: Study, case_id: str, scan: Volume, mask: np.ndarray | None, channels: Sequence[np.ndarray]) -> None:
        self.busy.emit("")
        try:
            self.layers.show_case(study, case_id, scan=scan, channels=channels)
        except SENTENCES as error:
            self._tell(error)
            return
        self.painting.case_shown()
        if scan.notice:
            self.noticed.emit(scan.notice, "", "")
        if mask is not None and mask.shape == scan.array.shape:
            self.layers.set_mask(mask)
            self.mask_changed.emit()
        self._view = View(case=case_id, axis=0, index=scan.array.shape[0] // 2)
        self.training.send(self._view)
        self.select_class(self.selected_class)
        self.case_opened.emit(case_id)

    # Classes

    def select_class(self, class_id: int) -> None:
        """Paint with this class from now on; 255 paints background."""
        if self.study is None or not (class_id == BACKGROUND or 1 <= class_id <= len(self.study.classes)):
            return
        self.selected_class = class_id
        if self.case:
            self.layers.select_class(class_id)
        self.class_selected.emit(class_id)

    def paint_with(self, class_id: int) -> None:
        """Take up the brush with this class; 255 paints background."""
        self.select_class(class_id)
        self.layers.take_brush()

    def add_class(self, name: str) -> None:
        """Add a structure with the next number and a colour of its own, and paint with it."""
        if self.study is not None and self.class_editing.add([name]):
            self.paint_with(len(self.study.classes))

    # Training and prediction

    def reason_not_to_train(self) -> str:
        """Say what is missing before a training can start; the empty string when nothing is."""
        return reason_not_to_train(self.study, has_structure=self.painting.has_structure())

    def train(self, request: TrainRequest, *, resume: Path | None = None) -> None:
        """Save the labels and start a run, or go on with the one in `resume`; the scan on view is predicted first."""
        if self.study is None or self.training.is_active or self.reason_not_to_train() or not self.save_now():
            return
        self.noticed.emit("", "", "")
        self.training.start(self.study.folder, request, self._view, resume=resume)

    def predict(self) -> None:
        """Predict the scan on view with the chosen model, or the newest; the mask appears in the mask layer."""
        if self.study is None or not self.case or self.prediction.is_active:
            return
        model = model_for_masks(self.study.runs_folder)
        if model is None:
            self.noticed.emit("There is no model yet.", "Train first; the model is saved when the training ends.", "")
            return
        self.busy.emit(f"Predicting {self.case}")
        self.prediction.start(self.study, self.case, model)

    @property
    def has_mask(self) -> bool:
        """Whether there is a mask on view to accept or save."""
        return bool(self.case) and bool(self.layers.mask_array().any())

    def accept(self, class_id: int | None = None) -> None:
        """Turn the mask on view, or one class of it, into labels; Ctrl+Z takes it back."""
        self.painting.accept(class_id)

    def save_as(self, path: Path, chosen: Format = FORMATS[0], *, what: Literal["mask", "labels"]) -> None:
        """Write the mask or the labels on view in the scan's own geometry, in the background; says where, or why not."""
        if self.study is not None:
            self.saving.save(self.study, path, chosen, what=what)

    def save_now(self) -> bool:
        """Have the labels on disk before going on; False, with a notice, when they could not be saved."""
        return self.painting.flush()

    def _show_preview(self, event: PreviewReady) -> bool:
        shown = self.layers.update_overlay(event)
        if shown:
            self.mask_changed.emit()
        return shown

    def _on_view_changed(self, case: str, axis: int, index: int) -> None:
        self._view = View(case=case, axis=axis, index=index)
        self.training.send(self._view)

    def _on_saved(self, case: str) -> None:
        self.training.labels_saved(case)
        if self.study is not None:
            self.measuring.measure(self.study, case)
        self.case_changed.emit(case)

    def _on_run_event(self, event: object) -> None:
        if isinstance(event, Adjusted):
            self.noticed.emit(event.why, "", "")

    def _on_run_ended(self, end: RunDone | RunFailed) -> None:
        if isinstance(end, RunFailed):
            self.noticed.emit(end.message, end.hint, self.training.details)
        else:
            steps = f"{counted(end.step, 'step')} in {duration(end.seconds)}"
            self.confirmed.emit("Model saved.", f"{steps}. Accept or correct the masks, or train on.")

    def _on_predicted(self, case: str, mask: np.ndarray) -> None:
        self.busy.emit("")
        if case == self.case and mask.shape == self.layers.labels_array().shape:
            self.layers.set_mask(mask)
            self.mask_changed.emit()

    def _on_prediction_failed(self, message: str, hint: str, details: str) -> None:
        self.busy.emit("")
        self.noticed.emit(message, hint, details)

    def _change(self, change: Callable[[Study], None]) -> bool:
        if self.study is None:
            return False
        try:
            change(self.study)
        except SENTENCES as error:
            self._tell(error)
            return False
        return True
