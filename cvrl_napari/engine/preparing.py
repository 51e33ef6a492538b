"""Scans prepared beside the training, so that it seldom waits for one."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from cvrl_napari.data.prepare import PreparedCase
from cvrl_napari.data.workers import quiet_threads

_MOST = 4  # at once: each takes some hundreds of megabytes


class PreparingAhead:
    """Prepares cases in threads, each once.

    Parameters
    ----------
    prepare : function of a case's id
        Computes the prepared case; may be called in several threads.
    spare_cores : int
        Cores that the training leaves free; without one nothing is prepared before it is taken.
    """

    def __init__(self, prepare: Callable[[str], PreparedCase], *, spare_cores: int) -> None:
        self._prepare = prepare
        self._count = min(_MOST, spare_cores)
        self._threads: ThreadPoolExecutor | None = None
        self._made: dict[str, Future[PreparedCase]] = {}

    def start(self, cases: Iterable[str]) -> None:
        """Prepare these cases, in this order, as far as threads are free; what is done is kept until it is taken."""
        room = self._count - sum(not made.done() for made in self._made.values())
        for case in cases:
            if room <= 0:
                return
            if case not in self._made:
                if self._threads is None:
                    self._threads = quiet_threads(self._count, name="preparing")
                self._made[case] = self._threads.submit(self._prepare, case)
                room -= 1

    def take(self, case: str) -> PreparedCase:
        """Return a case, prepared here and now unless it was started before.

        Raises
        ------
        VolumeError, StudyError
            If it cannot be prepared.
        """
        made = self._made.pop(case, None)
        return self._prepare(case) if made is None else made.result()

    def close(self) -> None:
        """Let the threads end after what they are at."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
