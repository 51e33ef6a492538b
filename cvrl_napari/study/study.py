"""A study: the folder in which a person's classes, cases and labels live."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.study.case import Case, Image, Scan, State, images_of
from cvrl_napari.study.classes import StructureClass, check_classes
from cvrl_napari.study.crash import what_was_saved
from cvrl_napari.study.creation import create_study_folder, make_cases, with_hashes
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.journal import put_back
from cvrl_napari.study.label_store import LabelStore
from cvrl_napari.study.labels import BACKGROUND, Labels, training_target
from cvrl_napari.study.lock import StudyLock
from cvrl_napari.study.relinking import relinked
from cvrl_napari.study.removed import bring_back, set_aside
from cvrl_napari.study.renumbering import finish_renumbering, is_unfinished, renumber
from cvrl_napari.study.storage import StudyFile, read_study_file, reason, write_study_file
from cvrl_napari.volumes.volume import Volume

_AFTER_EDIT: dict[State, State] = {"unlabeled": "partial", "partial": "partial", "complete": "complete", "accepted": "complete"}


class Study:
    """An open study. Every change is on disk, whole, when the method that makes it returns.

    May be used from several threads of one process. `read_only` says whether writing is refused, `notice` holds a
    sentence for the person when opening or making the study left something to be said.
    """

    def __init__(self, folder: Path, *, read_only: bool) -> None:
        self.folder = folder
        self.read_only = read_only
        self.notice = ""
        self._record = read_study_file(folder)
        self._lock = StudyLock(folder)
        self._labels = LabelStore(folder)
        self._changing = RLock()

    @classmethod
    def create(
        cls,
        folder: str | Path,
        scans: Sequence[Scan],
        *,
        classes: Sequence[str] | None = None,
        labels: str | Path | None = None,
        held_out: Collection[str] = (),
    ) -> Self:
        """Make a new study and open it.

        Parameters
        ----------
        folder : path
            Where the study shall live; made when missing. Must not hold a study.
        scans : sequence of paths or images
            The scans, referred to where they lie, never written to. Order is kept. Several images in the place of one make a
            case of several channels, the first being the one to paint on.
        classes : sequence of str, optional
            Names of the label values 1, 2, ... Without them: as many as the labels hold, or one.
        labels : path, optional
            A folder of label files, matched to the scans by name (`matching.match_labels`) and copied into the study;
            labeled cases start as complete.
        held_out : collection of str
            Ids of cases that are measured only, never learned from.

        Raises
        ------
        StudyError
            If there already is a study or no scan, labels fit no scan, lie on another grid or hold undeclared values,
            or nothing can be written. Nothing is left behind then.
        VolumeError
            If a label file, or the scan it belongs to, cannot be read.
        """
        root = Path(folder).resolve()
        notice = create_study_folder(
            root,
            scans,
            classes=classes,
            labels=Path(labels) if labels is not None else None,
            held_out=held_out,
        )
        study = cls.open(root)
        study.notice = " ".join(part for part in (notice, study.notice) if part)
        return study

    @classmethod
    def open(cls, folder: str | Path, *, read_only: bool = False) -> Self:
        """Open a study; no scan is read. Where nothing may be written, it opens read-only and `notice` says so.

        Raises
        ------
        StudyError
            If there is no study, or study.json is damaged or newer than this program (it is left as it is).
        LockedError
            If another window writes to it; `read_only` opens it all the same.
        """
        study = cls(Path(folder).resolve(), read_only=read_only)
        if not read_only:
            try:
                study._lock.acquire()
            except OSError as error:
                study.read_only = True
                study.notice = f"The study '{study.folder.name}' is open for reading only, {reason(error)}."
            else:
                finish_renumbering(study.folder)
                study.reload()  # what the last holder wrote between our reading and our locking
                put_back(study)
                if study._lock.abandoned_since is not None:
                    study.notice = what_was_saved(study.folder, study.cases, study._lock.abandoned_since)
        return study

    def close(self) -> None:
        """Give the lock back; the study stays readable."""
        self._lock.release()
        self.read_only = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def reload(self) -> None:
        """Read study.json again: for readers, when the writer of the study has changed it."""
        with self._changing:
            self._record = read_study_file(self.folder)

    # What the study holds

    @property
    def classes(self) -> tuple[StructureClass, ...]:
        """The structures; label value `n` is `classes[n - 1]`."""
        return self._record.classes

    @property
    def cases(self) -> tuple[Case, ...]:
        """All cases in study order."""
        return self._record.cases

    def case(self, case_id: str) -> Case:
        """Return one case; StudyError when there is none of that id."""
        for case in self._record.cases:
            if case.id == case_id:
                return case
        raise StudyError(f"The study '{self.folder.name}' has no case '{case_id}': choose one from its list.")

    def labeled_cases(self) -> tuple[str, ...]:
        """Ids of the cases with something painted, without those held out."""
        return tuple(case.id for case in self.cases if case.is_labeled and not case.held_out)

    def unlabeled_cases(self) -> tuple[str, ...]:
        """Ids of the cases with nothing painted, without those held out."""
        return tuple(case.id for case in self.cases if not case.is_labeled and not case.held_out)

    def held_out_cases(self) -> tuple[str, ...]:
        """Ids of the labeled cases that are measured only."""
        return tuple(case.id for case in self.cases if case.is_labeled and case.held_out)

    @property
    def runs_folder(self) -> Path:
        """A folder a run."""
        return self.folder / "runs"

    @property
    def predictions_folder(self) -> Path:
        """Predicted masks, <case>.nii.gz."""
        return self.folder / "predictions"

    @property
    def cache_folder(self) -> Path:
        """Prepared volumes; may be deleted at any time."""
        return self.folder / "cache"

    # Scans and labels

    def read_scan(self, case_id: str) -> Volume:
        """Read the scan of a case.

        Raises
        ------
        StudyError
            If it is no longer where it was.
        VolumeError
            If it cannot be read.
        """
        return self._labels.read_scan(self.case(case_id))

    def read_channel(self, case_id: str, number: int) -> Volume:
        """Read one image of a case on its own grid, the scan itself being number 0; raises as `read_scan`."""
        return self._labels.read_channel(self.case(case_id), number)

    def read_labels(self, case_id: str) -> Labels | None:
        """Read what was painted on a case.

        Returns
        -------
        uint8 array of shape (z, y, x), or None
            On the scan's canonical grid: 0 not painted, 1..K classes, 255 painted background. None when nothing was.

        Raises
        ------
        StudyError
            If the labels have vanished, no longer fit the scan, or hold a value that is no class.
        VolumeError
            If the file cannot be read.
        """
        return self._labels.read(self.case(case_id), len(self.classes))

    def write_labels(self, case_id: str, array: NDArray[np.generic], *, state: State | None = None) -> None:
        """Save what is painted on a case.

        Parameters
        ----------
        array : array of shape (z, y, x)
            On the scan's canonical grid: 0 not painted, 1..K classes, 255 painted background.
        state : str, optional
            What the case is from now on. Without it, an unlabeled case becomes partial, an accepted one that was changed
            complete, and others stay as they are. A case with nothing painted is always unlabeled.

        Raises
        ------
        StudyError
            If the array has another shape than the scan or a value that is no class, or cannot be saved; what was
            saved before is then untouched.
        """
        with self._changing:
            self._check_writable()
            case, count = self.case(case_id), len(self.classes)
            labels = self._labels.check(case, array, count)
            if state is None and case.state == "accepted" and np.array_equal(labels, self._labels.read_or_zeros(case, count)):
                return
            if labels.any():
                self._labels.write(case, labels)
                self._replace_case(_with_state(case, state or _AFTER_EDIT[case.state]))
            else:  # the state first: a crash in between must not leave a complete case with nothing painted, all background
                self._replace_case(_with_state(case, "unlabeled"))
                self._labels.write(case, labels)

    def training_target(self, case_id: str) -> Labels:
        """Return what the supervised loss sees of a case: uint8 (z, y, x), 0 background, 1..K, 255 (`IGNORE`) not known."""
        case = self.case(case_id)
        return training_target(self._labels.read_or_zeros(case, len(self.classes)), case.state)

    # Changes; each is saved before it is believed

    def set_state(self, case_id: str, state: State) -> None:
        """Say that a case is complete, partial, accepted or (its paint is kept but not used) unlabeled.

        Raises
        ------
        StudyError
            If nothing is painted on it and `state` says otherwise.
        """
        with self._changing:
            self._check_writable()
            case = self.case(case_id)
            if state != "unlabeled" and not self._labels.read_or_zeros(case, len(self.classes)).any():
                raise StudyError(
                    f"Nothing is painted on case '{case_id}': "
                    "paint the structure, or a stroke of background if the scan shows none of it."
                )
            self._replace_case(_with_state(case, state))

    def set_reading(self, case_id: str, *, part: int | None = None, resample: bool | None = None) -> None:
        """Say how the file of a scan is read from now on.

        Parameters
        ----------
        part : int, optional
            Which volume of a file that holds several, from 0.
        resample : bool, optional
            Whether slices that form no regular grid may be resampled to one.
        """
        changes = {name: value for name, value in (("part", part), ("resample", resample)) if value is not None}
        with self._changing:
            self._check_writable()
            self._replace_case(Case(**{**dict(self.case(case_id)), **changes}))

    def set_channels(self, case_id: str, images: Sequence[Image]) -> None:
        """Say which images a case is made of, the first one being its scan, on whose grid its labels are."""
        with self._changing:
            self._check_writable()
            first, *others = with_hashes(images)
            self._replace_case(Case(**{**dict(self.case(case_id)), **dict(first), "channels": tuple(others)}))

    def set_held_out(self, case_id: str, held_out: bool) -> None:
        """Say whether a case is measured only, never learned from."""
        with self._changing:
            self._check_writable()
            self._replace_case(self.case(case_id).model_copy(update={"held_out": held_out}))

    def set_remark(self, case_id: str, *, note: str | None = None, needs_look: bool | None = None) -> None:
        """Write a note about a case, mark it as one to be looked at again, or take the mark away; None leaves as it is."""
        changes = {"note": note[:2_000] if note is not None else None, "needs_look": needs_look}
        with self._changing:
            self._check_writable()
            self._replace_case(
                self.case(case_id).model_copy(update={name: value for name, value in changes.items() if value is not None})
            )

    def renumber_classes(self, order: Sequence[int]) -> None:
        """Reorder classes, and delete those whose ids are not in `order`, in all labels at once: see `renumbering.renumber`."""
        with self._changing:
            self._check_writable()
            try:
                self._record = renumber(self.folder, self._record, order)
            except StudyError as error:
                if is_unfinished(self.folder):  # what is on the screen has the old numbers: it must not be saved
                    self.read_only, self.notice = True, str(error)
                raise

    def set_classes(self, classes: Sequence[StructureClass]) -> None:
        """Rename, recolour, add classes, or take away the last ones.

        Raises
        ------
        StudyError
            If the ids are not 1..K, a name occurs twice, or a class that was painted is taken away.
        """
        with self._changing:
            self._check_writable()
            checked = check_classes(classes)
            if len(checked) < len(self.classes):
                self._check_unused(len(checked))
            self._save(classes=checked)

    def add_cases(self, scans: Sequence[Scan]) -> tuple[str, ...]:
        """Add scans at the end, those already there excepted, and return the ids of the new cases.

        A scan that was removed before, known by its content, has its labels back.
        """
        with self._changing:
            self._check_writable()
            known = {case.scan for case in self.cases}
            new = {images[0].scan: images for images in map(images_of, scans) if images[0].scan not in known}
            if not new:
                return ()
            added = make_cases(list(new.values()), [case.id for case in self.cases])
            self._save(cases=(*self.cases, *(bring_back(self.folder, case) for case in added)))
            return tuple(case.id for case in added)

    def remove_case(self, case_id: str) -> None:
        """Take a case off the list. Its scan is not touched; what was painted is kept in `labels/removed`."""
        with self._changing:
            self._check_writable()
            case = self.case(case_id)
            self._save(cases=tuple(one for one in self.cases if one != case))
            set_aside(self.folder, case)

    def relink(self, folder: str | Path) -> tuple[str, ...]:
        """Look below a folder for scans that were moved or renamed and return the ids of the cases found again."""
        with self._changing:
            self._check_writable()
            found = relinked(self.cases, Path(folder))
            if found:
                self._save(cases=tuple(found.get(case.id, case) for case in self.cases))
            return tuple(found)

    # How it is done

    def _check_unused(self, count: int) -> None:
        """Raise if a class above `count` is painted anywhere."""
        for case in self.cases:
            labels = self._labels.read(case, len(self.classes))
            if labels is not None and ((labels > count) & (labels < BACKGROUND)).any():
                raise StudyError(
                    f"'{self.classes[-1].name}' or another class to be removed is painted on case '{case.id}': erase it first."
                )

    def _check_writable(self) -> None:
        if self.read_only:
            raise StudyError(
                self.notice or f"The study '{self.folder.name}' is open for reading only: open it for writing to change it."
            )

    def _replace_case(self, case: Case) -> None:
        self._save(cases=tuple(case if one.id == case.id else one for one in self.cases))

    def _save(self, *, classes: tuple[StructureClass, ...] | None = None, cases: tuple[Case, ...] | None = None) -> None:
        record = StudyFile(classes=classes or self.classes, cases=self.cases if cases is None else cases)
        if record != self._record:
            write_study_file(self.folder, record)
            self._record = record


def _with_state(case: Case, state: State) -> Case:
    accepted_at = datetime.now(UTC).isoformat(timespec="seconds") if state == "accepted" else None
    return case.model_copy(update={"state": state, "accepted_at": accepted_at})
