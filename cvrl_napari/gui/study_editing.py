"""Adding, removing and finding scans of the open study, remarks on cases, earlier versions of labels. No widgets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.background import Background, Done
from cvrl_napari.gui.masks import volumes_ml
from cvrl_napari.gui.remarks import remark
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.words import SENTENCES, counted
from cvrl_napari.study.case import Scan
from cvrl_napari.study.study import Study
from cvrl_napari.study.versions import Version, read_version, versions
from cvrl_napari.volumes.finding import find_scans

NOT_WHILE_TRAINING = "Not while a training is under way: stop it first, it goes on later from where it was."


class Earlier(NamedTuple):
    """An earlier version of the labels on view and what it shows, millilitres by class id."""

    version: Version
    labels: np.ndarray
    volumes: dict[int, float]


class StudyEditing(QObject):
    """What is changed about a study besides its labels; what is slow is done in the background.

    Signals
    -------
    missing : int
        How many cases have an image that is no longer where it was.
    looked : str, object
        The earlier versions of the labels of this case, a list of `Earlier`, newest first.
    """

    missing = Signal(int)
    looked = Signal(str, object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(self)
        session.study_changed.connect(self.count_missing)

    def add(self, paths: Sequence[Path]) -> None:
        """Add scans, and those in folders; a scan that was removed before has its labels back."""
        study = self._session.study
        if study is None:
            return

        def add() -> tuple[str, ...]:
            scans: list[Scan] = []
            for path in paths:
                scans += find_scans(path) if path.is_dir() else [path]
            return study.add_cases(scans)

        def done(added: tuple[str, ...]) -> None:
            labeled = sum(study.case(one).is_labeled for one in added)
            more = f"{labeled} of them had been in the study before and have their labels back." if labeled else ""
            sentence = f"{_scans(len(added))} added to the study." if added else "These scans are in the study already."
            self._changed(study, sentence, more)

        self._run("Adding scans", add, done)

    def remove(self, case_id: str) -> None:
        """Take a case off the list; its labels are kept in the study."""
        session, study = self._session, self._session.study
        if study is None:
            return
        if session.training.is_active:
            session.noticed.emit(NOT_WHILE_TRAINING, "", "")
            return
        if not session.save_now():
            return
        ids = [case.id for case in study.cases]
        here = ids.index(case_id)
        others = [*ids[here + 1 :], *reversed(ids[:here])]
        on_view = session.case == case_id
        if on_view:  # nothing more can be painted on it
            session.layers.clear()
            session.case_opened.emit("")

        def done(_: None) -> None:
            more = "Its labels are kept: add the scan again to have them back. The scan itself was not touched."
            self._changed(study, f"'{case_id}' was removed from the study.", more)
            if on_view and others:
                session.open_case(others[0])

        self._run(f"Removing {case_id}", lambda: study.remove_case(case_id), done)

    def find_moved(self, folder: Path) -> None:
        """Look below a folder for scans that were moved or renamed, by their content."""
        session, study = self._session, self._session.study
        if study is None:
            return
        lost = _missing(study)

        def done(found: tuple[str, ...]) -> None:
            left = lost - len(found)
            more = f"{left} still missing: look in another folder." if left else "None is missing now."
            self._changed(study, f"{_scans(len(found))} found again in '{folder.name}'.", more)
            if found and not session.case:
                session.open_case(found[0])

        self._run(f"Looking for scans in '{folder.name}'", lambda: study.relink(folder), done)

    def set_note(self, case_id: str, note: str) -> None:
        """Keep a note about a case."""
        remark(self._session, case_id, note=note)

    def toggle_needs_look(self, case_id: str) -> None:
        """Mark a case as one to be looked at again, or take the mark away."""
        if self._session.study is not None:
            remark(self._session, case_id, needs_look=not self._session.study.case(case_id).needs_look)

    def look_for_versions(self) -> None:
        """Read the earlier versions of the labels on view; `looked` brings them."""
        session, study = self._session, self._session.study
        case, scan = session.case, session.layers.scan
        if study is None or scan is None or not case or not session.save_now():
            return

        def read() -> list[Earlier]:
            found = []
            for version in versions(study.folder, case):
                try:
                    labels = read_version(study.folder, version, scan, len(study.classes))
                except SENTENCES:  # of a scan that was replaced, or damaged: nothing to go back to
                    continue
                found.append(Earlier(version, labels, volumes_ml(labels, scan.voxel_ml, study.classes)))
            return found

        self._run(f"Reading earlier versions of {case}", read, lambda found: self.looked.emit(case, found))

    def restore(self, case_id: str, labels: np.ndarray) -> None:
        """Put an earlier version in the place of the labels on view, as one step that can be undone."""
        session = self._session
        if session.case == case_id:
            changed = session.painting.bring(range(1, 256), labels, complete=False)
            session.confirmed.emit(
                f"The earlier version of '{case_id}' is back.", f"{counted(changed, 'voxel')} changed; Ctrl+Z takes it back."
            )

    def count_missing(self) -> None:
        """Look in the background whether all scans are where they were; `missing` tells how many are not."""
        study = self._session.study
        if study is None:
            self.missing.emit(0)
            return

        def tell(count: int) -> None:
            if self._session.study is study:
                self.missing.emit(count)

        self._background.run(lambda: _missing(study), tell, lambda _: None)

    def close(self) -> None:
        """Finish what was begun, and tell no more."""
        self._background.finish()

    def _changed(self, study: Study, sentence: str, more: str) -> None:
        self._session.confirmed.emit(sentence, more)
        if self._session.study is study:
            self._session.study_changed.emit()

    def _run(self, what: str, function: Callable[[], Any], done: Done) -> None:
        session = self._session

        def succeeded(result: object) -> None:
            session.busy.emit("")
            done(result)

        def failed(error: Exception) -> None:
            session.busy.emit("")
            words = str(error) if isinstance(error, SENTENCES) else "Something went wrong that should not."
            session.noticed.emit(words, "", "" if isinstance(error, SENTENCES) else repr(error))

        session.busy.emit(what)
        self._background.run(function, succeeded, failed)


def _missing(study: Study) -> int:
    return sum(any(not image.scan.exists() for image in case.images) for case in study.cases)


def _scans(count: int) -> str:
    return "1 scan was" if count == 1 else f"{count} scans were"
