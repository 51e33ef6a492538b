"""Deleting and reordering the classes of the open study: counted first, then changed in the background. No widgets."""

from collections.abc import Sequence

from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.run_folder import newest_model
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.study_editing import NOT_WHILE_TRAINING
from cvrl_napari.gui.words import SENTENCES, counted
from cvrl_napari.study.renumbering import count_voxels

MODELS_GO = "Models trained so far know the classes as they were and are no longer offered: train again."


class ClassOrder(QObject):
    """Label values change with the order of the classes, in every label file of the study.

    Signals
    -------
    counted : int, str
        What deleting this class would touch, in words: time to ask.
    working : bool
        All labels are being changed, True, and what is on view is that again, False: nothing must be painted in between.
    """

    counted = Signal(int, str)
    working = Signal(bool)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._is_working = False
        self._background = Background(self)
        session.case_opened.connect(self._on_case_opened)

    def count(self, class_id: int) -> None:
        """Count in the background what deleting a class would touch; `counted` tells."""
        study = self._session.study
        if study is None or not self._is_free() or not self._session.save_now():
            return
        name = study.classes[class_id - 1].name

        def done(counts: dict[str, int]) -> None:
            self._session.busy.emit("")
            cases, voxels = counted(len(counts), "case"), counted(sum(counts.values()), "voxel")
            touched = f"It is painted on {cases}, {voxels} in all; nothing of it will be painted any more."
            models = f"\n\n{MODELS_GO}" if newest_model(study.runs_folder) is not None else ""
            kept = "\n\nThe label files as they are now are kept in the study, in labels/removed."
            self.counted.emit(class_id, (touched + kept if counts else "It is painted nowhere.") + models)

        self._session.busy.emit(f"Counting '{name}'")
        self._background.run(lambda: count_voxels(study.folder, study.cases, class_id), done, self._on_failed)

    def delete(self, class_id: int) -> None:
        """Take a class away; those after it move up by one."""
        study = self._session.study
        if study is not None:
            self._renumber([one.id for one in study.classes if one.id != class_id])

    def move(self, class_id: int, by: int) -> None:
        """Exchange a class with the one before (-1) or after (1) it."""
        study = self._session.study
        other = class_id + by
        if study is not None and min(class_id, other) >= 1 and max(class_id, other) <= len(study.classes):
            order = [one.id for one in study.classes]
            order[class_id - 1], order[other - 1] = order[other - 1], order[class_id - 1]
            self._renumber(order, select=other)

    def close(self) -> None:
        """Finish what was begun, and tell no more."""
        self._background.finish()

    def _is_free(self) -> bool:
        if self._session.training.is_active:
            self._session.noticed.emit(NOT_WHILE_TRAINING, "", "")
            return False
        return not self._is_working

    def _renumber(self, order: Sequence[int], *, select: int = 1) -> None:
        session, study = self._session, self._session.study
        if study is None or not self._is_free() or not session.save_now():
            return

        def done(_: None) -> None:
            session.busy.emit("")
            session.layers.set_classes(study.classes)
            session.classes_changed.emit()
            session.selected_class = select
            session.measuring.measure_all(study)
            session.study_changed.emit()
            self._show_again()

        def failed(error: Exception) -> None:
            self._on_failed(error)
            self._show_again()

        self._is_working = True
        self.working.emit(True)
        session.busy.emit("Changing the classes in all labels")
        self._background.run(lambda: study.renumber_classes(order), done, failed)

    def _show_again(self) -> None:
        """Read the labels on view anew: they have other values now."""
        if self._session.case:
            self._session.open_case(self._session.case)
        else:
            self._on_case_opened()

    def _on_case_opened(self, _: str = "") -> None:
        if self._is_working:
            self._is_working = False
            self.working.emit(False)

    def _on_failed(self, error: Exception) -> None:
        self._session.busy.emit("")
        words = str(error) if isinstance(error, SENTENCES) else "Something went wrong that should not."
        self._session.noticed.emit(words, "", "" if isinstance(error, SENTENCES) else repr(error))
