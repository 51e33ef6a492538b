"""Labels go to disk two seconds after the last stroke, or three after the first that is not there, whichever is sooner.

Off the GUI thread, from a copy, in order; a failed write is kept and tried again. Between the writes a journal takes what is
new, so that hardly anything is lost if napari is killed.
"""

import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np
from qtpy.QtCore import QObject, QRunnable, QThreadPool, QTimer, Signal

from cvrl_napari.study.case import State
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.journal import Journal
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

REST_MS = 2_000
"""Milliseconds without a stroke before the labels are written."""
LONGEST_MS = 3_000
"""Milliseconds after which they are written although the hand does not rest: with a write of less than two seconds, no stroke
older than five is lost, however napari ends."""
JOURNAL_MS = 700
"""Milliseconds after a stroke until it is in the journal."""
RETRY_MS = 5_000
"""Milliseconds before a failed write is tried again."""

Snapshot = tuple[str, np.ndarray, State | None]
"""Case, its labels, and the state it gets (None: as `Study.write_labels` says)."""


class _Write(QRunnable):
    """Write one snapshot of one case's labels; afterwards `failure` is empty or the sentence that says why not."""

    def __init__(self, study: Study, journal: Journal, snapshot: Snapshot, ended: Callable[[], None]) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self._study, self._journal, self._ended = study, journal, ended
        self.snapshot, self.case = snapshot, snapshot[0]
        self.failure, self.finished = "", False

    def run(self) -> None:
        """Write; called in the writer thread."""
        try:
            case, labels, state = self.snapshot
            # A copy: the hand may go on painting. What it paints meanwhile is saved now or by the next write.
            labels = labels.copy()
            self._study.write_labels(case, labels, state=state)
            self._journal.saved(case, labels)
        except (StudyError, VolumeError, OSError) as error:
            self.failure = str(error)
        self.finished = True
        self._ended()


class _Note(QRunnable):
    """Note in the journal what is not saved yet."""

    def __init__(self, journal: Journal, case: str, labels: np.ndarray) -> None:
        super().__init__()
        self._journal, self._case, self._labels = journal, case, labels

    def run(self) -> None:
        """Note it; called in the writer thread. What cannot be written is told of by the next write of the labels."""
        with suppress(StudyError, VolumeError, OSError):
            self._journal.note(self._case, self._labels)


class Autosave(QObject):
    """Write the labels of the open case once the hand rests, or has not rested for long.

    `touch` after every stroke, and while one is made; `flush` before anything that must find the labels on disk. There is one
    writer thread, so the snapshots of a case reach the disk in the order they were taken.

    Parameters
    ----------
    snapshot : callable
        Returns the open case with its labels, uint8 (z, y, x), or None; called in the GUI thread. The array may be painted
        into meanwhile, it is copied in the writer thread; one that comes with a state must be a copy of its own.
    on_view : callable, optional
        Returns the open case with its labels, or None, for the journal; called in the GUI thread. Without it there is none.
    """

    saved = Signal(str)
    failed = Signal(str, str)
    _ended = Signal()

    def __init__(
        self,
        study: Study,
        snapshot: Callable[[], Snapshot | None],
        parent: QObject | None = None,
        on_view: Callable[[], tuple[str, np.ndarray] | None] = lambda: None,
    ) -> None:
        super().__init__(parent)
        self._study, self._snapshot, self._on_view = study, snapshot, on_view
        self._journal = Journal(study)
        self._touched = False
        self._writing: list[_Write] = []
        self._kept: dict[str, Snapshot] = {}
        self._writer = QThreadPool(self)
        self._writer.setMaxThreadCount(1)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._on_time)
        self._longest = QTimer(self)
        self._longest.setSingleShot(True)
        self._longest.timeout.connect(self._on_time)
        self._noting = QTimer(self)
        self._noting.setSingleShot(True)
        self._noting.timeout.connect(self._note)
        self._retry = QTimer(self)
        self._retry.setSingleShot(True)
        self._retry.timeout.connect(self.write)
        self._ended.connect(self._collect)
        self.saved_at: float | None = None

    @property
    def pending(self) -> bool:
        """Whether something painted is not on disk yet."""
        return self._touched or bool(self._writing) or bool(self._kept)

    def touch(self) -> None:
        """Something was painted: write it when nothing more is painted for `REST_MS`, at the latest after `LONGEST_MS`."""
        self._touched = True
        self._rest.start(REST_MS)
        if not self._longest.isActive():
            self._longest.start(LONGEST_MS)
        if not self._noting.isActive():
            self._noting.start(JOURNAL_MS)

    def _note(self) -> None:
        if self._writing:  # what they write need not be noted, and what is painted meanwhile is noted after
            self._noting.start(JOURNAL_MS)
        elif (seen := self._on_view()) is not None:
            self._writer.start(_Note(self._journal, *seen))

    def write(self) -> None:
        """Start writing what is not on disk yet, the snapshots that failed before included."""
        for timer in (self._rest, self._longest, self._retry):
            timer.stop()
        waiting, self._kept = self._kept, {}
        if self._touched and (snapshot := self._snapshot()) is not None:
            waiting[snapshot[0]] = snapshot
        self._touched = False
        for one in waiting.values():
            job = _Write(self._study, self._journal, one, self._ended.emit)
            self._writing.append(job)
            self._writer.start(job)

    def _on_time(self) -> None:
        """Write now; while a slow disk still writes, as soon as it has: copies must not pile up."""
        if not self._writing:
            self.write()
        elif not self._longest.isActive():
            self._longest.start(100)

    def keep(self, snapshot: Snapshot) -> None:
        """Write these labels soon: those of a case that is leaving the screen."""
        self._kept[snapshot[0]] = snapshot
        self.write()

    def flush(self, timeout_s: float = 30.0) -> bool:
        """Write what is not on disk yet and wait for it; True when everything is there."""
        self.write()
        self._writer.waitForDone(int(timeout_s * 1000))
        self._collect()
        return not self.pending

    def _collect(self) -> None:
        """Tell how the finished writes went; keep the labels of those that failed unless newer ones are under way."""
        done = [job for job in self._writing if job.finished]
        self._writing = [job for job in self._writing if not job.finished]
        for job in done:
            if not job.failure:
                self.saved_at = time.monotonic()
                self.saved.emit(job.case)
            elif all(job.case != other.case for other in self._writing):
                self._kept[job.case] = job.snapshot
                self._retry.start(RETRY_MS)
                self.failed.emit(job.case, job.failure)

    def close(self) -> None:
        """Stop waiting and trying; what could not be written is lost with this object, so call `flush` before."""
        for timer in (self._rest, self._longest, self._noting, self._retry):
            timer.stop()
        self._writer.waitForDone()
