"""Predicting the scan on view with a trained model, in a child process. No widgets."""

import shutil
import time
from pathlib import Path

from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.events import Event, PredictionSaved, Progress, RunFailed
from cvrl_napari.gui.masks import prediction_path, read_mask
from cvrl_napari.gui.prediction_worker import PredictionWorker
from cvrl_napari.gui.words import duration
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError


class Prediction(QObject):
    """At most one prediction at a time.

    Signals
    -------
    done : str, object
        Case and its mask, uint8 (z, y, x) on the scan's canonical grid.
    failed : str, str, str
        Sentence, what to do, details.
    changed
        A prediction began, is further, or ended.
    """

    done = Signal(str, object)
    failed = Signal(str, str, str)
    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker: PredictionWorker | None = None
        self._begun: tuple[float, float] | None = None
        self.words = ""
        """How far a longer one is, '40 %, 12 s left'."""

    @property
    def is_active(self) -> bool:
        """Whether a prediction is under way."""
        return self._worker is not None

    def start(self, study: Study, case_id: str, model: Path) -> None:
        """Predict one case; its mask goes to `predictions/<case>.nii.gz`, over an older one.

        The child writes to a folder of its own, so that the older mask stays if it fails.
        """
        self._study, self._case = study, case_id
        self._output = study.predictions_folder / f".{case_id}"
        self._worker = PredictionWorker(model, study.folder, [case_id], self._output, parent=self)
        self._worker.event_received.connect(self._on_event)
        self._worker.ended.connect(self._on_ended)
        self._begun = None
        self._worker.start()
        self.changed.emit()

    def cancel(self) -> None:
        """End a prediction under way; the mask on view stays, and `failed` says so."""
        if self._worker is not None:
            self._worker.cancel()

    def shut_down(self) -> None:
        """End a prediction under way; neither thread nor child is left."""
        if self._worker is not None:
            self._worker.ended.disconnect(self._on_ended)
            self._worker.shut_down()
            self._close_worker()

    def _close_worker(self) -> str:
        worker, self._worker = self._worker, None
        self.words = ""
        if worker is None:
            return ""
        worker.wait()
        worker.deleteLater()
        shutil.rmtree(self._output, ignore_errors=True)
        return worker.details()

    def _on_event(self, event: Event) -> None:
        """Tell of the windows of the scan; the time that loading took says nothing of theirs."""
        if not isinstance(event, Progress) or event.case is None:
            return
        now, share = time.monotonic(), event.done / event.total
        begun, before = self._begun or (now, share)
        self._begun = begun, before
        left = f", {duration((now - begun) * (1 - share) / (share - before))} left" if share > before else ""
        self.words = f"{share:.0%}".replace("%", " %") + left
        self.changed.emit()

    def _on_ended(self, end: list[PredictionSaved] | RunFailed) -> None:
        if isinstance(end, list) and end:
            Path(end[0].path).replace(prediction_path(self._study, self._case))
        details = self._close_worker()
        self.changed.emit()
        if isinstance(end, RunFailed):
            self.failed.emit(end.message, end.hint, details)
            return
        try:
            mask = read_mask(prediction_path(self._study, self._case))
        except VolumeError as error:
            self.failed.emit(str(error), "Predict the scan again.", details)
        else:
            self.done.emit(self._case, mask)
