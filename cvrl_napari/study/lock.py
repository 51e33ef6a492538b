"""One writer a study: a lock that the operating system gives back when its holder dies."""

import os
import socket
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ValidationError

from cvrl_napari.study.errors import LockedError
from cvrl_napari.study.storage import atomic_write


class _Holder(BaseModel):
    pid: int
    host: str
    since: str


class StudyLock:
    """Held from `acquire` to `release`; works across processes and between two windows of one process.

    The lock itself is on `study.lock`; who holds it is written beside it, in `study.lock.json`, because some file locks
    keep others from reading the locked file.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._who = folder / "study.lock.json"
        self._lock = FileLock(folder / "study.lock", thread_local=False)
        self.abandoned_since: datetime | None = None
        """When the holder before took it, if that one ended without giving it back."""

    def acquire(self) -> None:
        """Take the lock at once or not at all.

        Raises
        ------
        LockedError
            If someone else holds it; the sentence says who and since when.
        OSError
            If nothing can be written to the folder.
        """
        try:
            self._lock.acquire(blocking=False)
        except Timeout:
            raise LockedError(
                f"The study '{self._folder.name}' is open elsewhere ({self._holder()}): "
                "close it there, or open it for reading only.",
                self._folder,
            ) from None
        self.abandoned_since = self._left_behind()
        holder = _Holder(
            pid=os.getpid(), host=socket.gethostname(), since=datetime.now().astimezone().isoformat(timespec="seconds")
        )
        try:
            atomic_write(self._who, holder.model_dump_json().encode())
        except BaseException:
            self._lock.release()
            raise

    def release(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._lock.is_locked:
            self._who.unlink(missing_ok=True)
            self._lock.release()

    def _holder(self) -> str:
        try:
            holder = _Holder.model_validate_json(self._who.read_bytes())
        except (OSError, ValidationError):  # not written yet, or just taken away: the lock is held all the same
            return "in another window"
        return f"process {holder.pid} on {holder.host}, since {holder.since[:16].replace('T', ' ')}"

    def _left_behind(self) -> datetime | None:
        try:
            return datetime.fromisoformat(_Holder.model_validate_json(self._who.read_bytes()).since).astimezone()
        except (OSError, ValueError):  # given back as it should be, or nothing of ours
            return None
