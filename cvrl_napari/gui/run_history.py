"""The earlier trainings of the study, and what is done with them. All behaviour, no widgets."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from qtpy.QtCore import QFile, QObject, Signal

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import Event, Planned, StepDone, Validated
from cvrl_napari.engine.run_list import PastRun, choose, chosen_run, list_runs, rename
from cvrl_napari.engine.start_choice import StartChoice, start_choice
from cvrl_napari.engine.unfinished import UnfinishedRun, past_events
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.session import Session

RUNNING = "This training is going on: stop it first."


class RunHistory(QObject):
    """Knows the runs of `session.study`, read in the background.

    Signals
    -------
    changed
        `runs` or `chosen` is new.
    compared : object
        The runs to be drawn beside the present one: a list of (name, events).
    going_on : object
        The `UnfinishedRun` that is about to go on.
    """

    changed = Signal()
    compared = Signal(object)
    going_on = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(self)
        self.runs: tuple[PastRun, ...] = ()
        self.chosen: Path | None = None
        session.study_changed.connect(self._on_study_changed)
        session.training.ended.connect(self.refresh)
        session.training.event_received.connect(self._on_event)

    def refresh(self) -> None:
        """Read the list anew; `changed` tells when that is done."""
        study = self._session.study
        if study is None:
            self._keep(((), None))
            return
        folder = study.runs_folder

        def read() -> tuple[tuple[PastRun, ...], Path | None]:
            return tuple(list_runs(folder)), chosen_run(folder)

        self._background.run(read, lambda found: self._keep(found, folder), self._failed)

    def state_of(self, run: PastRun) -> str:
        """Return the state of a run in a word; that of the one under way here is not on disk."""
        return self._session.training.phase if self._is_ours(run) else run.state

    def is_running(self, run: PastRun) -> bool:
        """Whether a run is under way, here or in another window."""
        return run.state == "running" or self._is_ours(run)

    def _is_ours(self, run: PastRun) -> bool:
        training = self._session.training
        return training.is_active and training.run == run.path

    def can_go_on(self, run: PastRun) -> bool:
        """Whether the run can be taken up where it was left."""
        study = self._session.study
        free = study is not None and not study.read_only and not self._session.training.is_active
        return free and study is not None and run.can_go_on(len(study.classes))

    def is_free(self) -> bool:
        """Whether a training could start now."""
        session = self._session
        return not session.training.is_active and not session.reason_not_to_train()

    def class_names(self) -> dict[int, str]:
        """Return the names of the study's structures by id."""
        return {one.id: one.name for one in self._session.study.classes} if self._session.study is not None else {}

    def go_on(self, run: PastRun) -> None:
        """Take up a run where it was left, with all that was painted since."""
        if self.can_go_on(run):
            self.going_on.emit(UnfinishedRun(run.path, run.started, run.step, run.total))
            self._session.train(TrainRequest(), resume=run.path)

    def start_choice(self, model: Path) -> StartChoice | None:
        """Say what a model would bring to a new training; None without a study."""
        study = self._session.study
        return None if study is None else start_choice(model, study)

    def start_from(self, model: Path, request: TrainRequest) -> None:
        """Start a new run whose network begins as this model."""
        self._session.train(request.model_copy(update={"start_from": model}))

    def choose(self, run: PastRun | None) -> None:
        """Let the model of this run make the masks; None: always the newest."""
        self._change(lambda runs: choose(runs, None if run is None else run.path))
        self._session.mask_changed.emit()

    def rename(self, run: PastRun, name: str) -> None:
        """Give a run a name."""
        self._change(lambda _: rename(run.path, name))

    def delete(self, run: PastRun, *, for_good: bool = False) -> bool:
        """Move a run to the bin, or remove it; False where there is no bin. The one under way is never touched."""
        if self.is_running(run):
            self._session.noticed.emit(RUNNING, "", "")
            return True
        if for_good:
            self._change(lambda _: shutil.rmtree(run.path))
        elif not _moved_to_bin(run.path):
            return False
        self.refresh()
        self._session.mask_changed.emit()
        return True

    def compare(self, runs: Sequence[PastRun]) -> None:
        """Read the curves of runs in the background; `compared` brings them."""
        chosen = [(run.name, run.path) for run in runs]

        def read() -> list[tuple[str, list[Event]]]:
            return [
                (name, [one for one in past_events(path) if isinstance(one, StepDone | Validated)]) for name, path in chosen
            ]

        self._background.run(read, self.compared.emit, self._failed)

    def close(self) -> None:
        """Read no more."""
        self._background.close()

    def _keep(self, found: tuple[tuple[PastRun, ...], Path | None], folder: Path | None = None) -> None:
        study = self._session.study
        if folder is None or (study is not None and study.runs_folder == folder):
            runs, self.chosen = found
            self.runs = tuple(run._replace(state="cut short") if self._has_crashed(run) else run for run in runs)
            self.changed.emit()

    def _has_crashed(self, run: PastRun) -> bool:
        """Whether a run that seems to be going on was ours, which is not: its child has died."""
        training = self._session.training
        return run.state == "running" and training.run == run.path and not training.is_active

    def _change(self, change: Callable[[Path], None]) -> None:
        study = self._session.study
        if study is None:
            return
        try:
            change(study.runs_folder)
        except OSError as error:
            self._session.noticed.emit(f"The training could not be changed: {error.strerror}.", "Check the study's folder.", "")
        self.refresh()

    def _failed(self, error: Exception) -> None:
        self._session.noticed.emit("The earlier trainings could not be read.", "Check the study's folder.", repr(error))

    def _on_event(self, event: object) -> None:
        if isinstance(event, Planned):  # a run more in the list
            self.refresh()

    def _on_study_changed(self) -> None:
        self.compared.emit([])
        self.refresh()


def _moved_to_bin(path: Path) -> bool:
    """Move a folder to the system's bin; False where there is none."""
    moved = QFile.moveToTrash(str(path))
    return bool(moved[0] if isinstance(moved, tuple) else moved)
