"""Which labels the present model has seen, case by case: that of the run under way, else the newest one saved."""

import time
from pathlib import Path
from typing import Literal

from pydantic import ValidationError
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.events import LabelsTaken, Planned, parse_event
from cvrl_napari.engine.run_folder import RunFolder, newest_model
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.session import Session
from cvrl_napari.study.storage import label_path

Seen = Literal["", "seen", "since"]
"""No model or nothing painted; the model has learned from these labels; they were painted or changed since."""


class SeenLabels(QObject):
    """Follows the training of a session.

    Signals
    -------
    changed
        Any case may be seen, or no longer be seen, now.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._background = Background(self)
        self._taken: dict[str, float] | None = None
        session.study_changed.connect(self.look)
        session.training.event_received.connect(self._on_event)
        session.training.ended.connect(self.look)

    def of(self, case_id: str) -> Seen:
        """Say whether the model has seen the labels of a case as they are now."""
        study = self._session.study
        if self._taken is None or study is None:
            return ""
        try:
            written = label_path(study.folder, case_id).stat().st_mtime
        except OSError:
            return ""
        return "seen" if written <= self._taken.get(case_id, 0.0) else "since"

    def look(self) -> None:
        """Read what the newest model has learned from; while a run is under way its own events say that."""
        study = self._session.study
        if study is None or self._session.training.is_active:
            self._taken = None if study is None else self._taken
            return

        def keep(taken: dict[str, float] | None) -> None:
            if self._session.study is study and not self._session.training.is_active:
                self._taken = taken
                self.changed.emit()

        self._background.run(lambda: taken_by_newest(study.runs_folder), keep, lambda _: None)

    def close(self) -> None:
        """Look no more."""
        self._background.close()

    def _on_event(self, event: object) -> None:
        if isinstance(event, Planned):
            self._taken = {}
            self.changed.emit()
        elif isinstance(event, LabelsTaken):
            self._taken = {**(self._taken or {}), **dict.fromkeys(event.cases, time.time())}
            self.changed.emit()


def taken_by_newest(runs: Path) -> dict[str, float] | None:
    """Return the cases the newest model below `runs` learned from, with the time it was saved; None without a model.

    A run takes up labels within seconds, so those that are older than its model are in it.
    """
    model = newest_model(runs)
    if model is None:
        return None
    cases: set[str] = set()
    try:
        saved = model.stat().st_mtime
        with RunFolder(model.parent).events.open("rb") as lines:
            for line in lines:
                if b'"labels"' in line[:40]:  # parsing each of the thousands of steps would take seconds
                    event = parse_event(line)
                    cases.update(event.cases if isinstance(event, LabelsTaken) else ())
    except (OSError, ValidationError):
        return None
    return dict.fromkeys(cases, saved)
