"""Trainings that outlive the viewer: whether the person wishes that, which is found again, how one ended. No widgets."""

from contextlib import suppress
from pathlib import Path

from qtpy.QtCore import QObject, QTimer

from cvrl_napari.engine.events import Event, Planned, RunDone, RunFailed
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_process import is_alive, live_run, process_of
from cvrl_napari.engine.unfinished import last_events
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.child import words_for_exit
from cvrl_napari.gui.distant_child import last_words
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.words import counted, duration
from cvrl_napari.study.storage import atomic_write, label_path
from cvrl_napari.study.study import Study

WISH = "keep-going.txt"
"""Beside the runs, where trainings of the study are to go on without a viewer."""


AGAIN_MS = 5_000
"""Between two looks for a training that was started elsewhere, at a terminal, while the study is open."""


class Outliving(QObject):
    """Follows the studies that a session opens."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        session.study_changed.connect(self._look)
        session.training.ended.connect(self._on_ended)
        self._background = Background(self)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look_again)
        self._timer.start(AGAIN_MS)

    def keep_going(self, on: bool) -> None:
        """Say whether trainings of this study go on when it or napari is closed; remembered in the study."""
        study, training = self._session.study, self._session.training
        if study is None or study.read_only or on == training.keeps_going:
            return
        training.keep_going(on)
        wish = study.runs_folder / WISH
        try:
            if on:
                atomic_write(wish, b"Trainings of this study go on when napari is closed.\n")
            else:
                wish.unlink(missing_ok=True)
        except OSError as error:
            self._session.noticed.emit(
                f"The choice holds for now, but could not be remembered: {error.strerror}.", "Check the study's folder.", ""
            )

    def close(self) -> None:
        """Look no more."""
        self._timer.stop()
        self._background.close()

    def _look(self) -> None:
        """Take up a training that is under way, and tell of one that has ended unseen."""
        study, training = self._session.study, self._session.training
        if study is None or training.is_active:
            return
        training.keeps_going = (study.runs_folder / WISH).is_file()
        run = live_run(study.runs_folder)
        if run is not None:
            self._attach(study, run)
        elif not study.read_only:
            self._tell_of_the_unseen(study)

    def _look_again(self) -> None:
        study = self._session.study

        def found(run: Path | None) -> None:
            if run is not None and study is not None and self._session.study is study and not self._session.training.is_active:
                self._attach(study, run)

        if study is not None and not self._session.training.is_active:
            self._background.run(lambda: live_run(study.runs_folder), found, lambda _: None)

    def _attach(self, study: Study, run: Path) -> None:
        self._session.training.attach(run, may_steer=not study.read_only)
        self._tell_of_labels(study, run)

    def _on_ended(self) -> None:
        """The next training follows the wish again."""
        if self._session.study is not None:
            self._session.training.keeps_going = (self._session.study.runs_folder / WISH).is_file()

    def _tell_of_labels(self, study: Study, run: Path) -> None:
        """Tell a run of what was painted since it began: a viewer that was killed may not have come to it."""
        record = process_of(run)
        for case in study.labeled_cases():
            with suppress(OSError):
                if record is not None and label_path(study.folder, case).stat().st_mtime > record.started:
                    self._session.training.labels_saved(case)

    def _tell_of_the_unseen(self, study: Study) -> None:
        unseen = [RunFolder(path.parent) for path in study.runs_folder.glob("*/last-words.txt") if not is_alive(path.parent)]
        if not unseen:
            return
        run = max(unseen, key=lambda one: one.last_words.stat().st_mtime)
        details = "\n".join(last_words(run))
        match _end_of(run):
            case RunDone(step=step, seconds=seconds):
                said, good = "The training ended while napari was closed: model saved.", not study.notice
                more = f"{counted(step, 'step')} in {duration(seconds)}."
            case RunFailed(message=message, hint=hint):
                said, more, good = f"While napari was closed: {message}", hint, False
            case _:
                said = f"The training stopped unexpectedly while napari was closed: {words_for_exit(None, details)}."
                safe = "; it can go on from its last checkpoint" if run.checkpoint.is_file() else ""
                more, good = f"Everything painted is safe{safe}.", False
        if good:
            self._session.confirmed.emit(said, more)
        else:
            self._session.noticed.emit(f"{study.notice} {said}".strip(), more, details)
        for one in unseen:
            with suppress(OSError):  # then it is told once more
                one.last_words.unlink(missing_ok=True)


def _end_of(run: RunFolder) -> Event | None:
    """Return the event with which the latest leg of a run ended; None when it did not come to an end."""
    last: Event | None = None
    with suppress(OSError):
        for event in last_events(run.events):
            if isinstance(event, Planned | RunDone | RunFailed):
                last = event
    return last
