"""What a window that ended unexpectedly has left behind, in words."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from cvrl_napari.study.case import Case
from cvrl_napari.study.storage import label_path


def what_was_saved(folder: Path, cases: Sequence[Case], since: datetime) -> str:
    """Say which painting of the session that began at `since` and never ended is on disk; empty when none is.

    A session that ends well takes the note of who holds the lock away, so one that is found tells of a crash.
    """
    saved: dict[str, float] = {}
    for case in cases:
        path = label_path(folder, case.id)
        if case.is_labeled and path.is_file():
            saved[case.id] = path.stat().st_mtime
    if not saved:
        return ""
    case_id = max(saved, key=lambda one: saved[one])
    time = datetime.fromtimestamp(saved[case_id]).astimezone()
    if time < since:
        return ""
    day = "" if time.date() == datetime.now().date() else f" on {time.day} {time:%B}"
    return f"napari ended unexpectedly{day}; your painting of '{case_id}' up to {time:%H:%M:%S} is there."
