"""A training that is under way already, started by a viewer that has gone or at a terminal. No Qt in here.

There is no pipe to it: its events are read from its folder, and commands are appended to a file there. To whoever talks to it
it is as a `Child` is.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue

import psutil

from cvrl_napari.engine.followed_file import FollowedFile
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_in_brief import in_brief
from cvrl_napari.engine.run_process import process_of
from cvrl_napari.gui.child import TAIL_LINES

POLL_S = 0.1
"""Between two looks at what the run has told."""
AT_A_TIME = 20
"""Past events, between which the viewer draws."""
TAIL_BYTES = 1 << 16


class DistantChild:
    """The process that makes the run in this folder; `may_steer` says whether commands reach it."""

    def __init__(self, run: Path, *, may_steer: bool) -> None:
        self._run = RunFolder(run)
        self._may_steer = may_steer
        self._record = process_of(run)
        self._events = FollowedFile(self._run.events)
        self._outbox: SimpleQueue[str] = SimpleQueue()
        self._unsent = ""
        self._noted: deque[str] = deque(maxlen=TAIL_LINES)
        self._left = threading.Event()

    def start(self) -> None:
        """It runs already."""

    @property
    def pid(self) -> int | None:
        """The id of the process."""
        return self._record.pid if self._record else None

    @property
    def is_running(self) -> bool:
        """Whether the process still runs."""
        return self._process() is not None

    @property
    def is_left(self) -> bool:
        """Whether the run was left to itself."""
        return self._left.is_set()

    def send(self, line: str) -> None:
        """Send one command; never waits, never fails."""
        if self._may_steer:
            self._outbox.put(line)

    def close_input(self) -> None:
        """Nothing: a run without a pipe learns from commands alone that it is to end."""

    def leave(self) -> None:
        """Listen no more; the run goes on."""
        self._left.set()

    def lines(self) -> Iterator[bytes]:
        """Yield what the run has told, in brief, then what it tells, until its process ends or it is left."""
        try:
            yield from self._past()
            yield from self._present()
        finally:
            self._write()

    def _past(self) -> Iterator[bytes]:
        past: list[bytes] = []
        while block := self._events.new_lines():
            past += block
        for number, event in enumerate(in_brief(past)):
            if number % AT_A_TIME == 0:
                self._write()
                if self._left.wait(POLL_S / 10):
                    return
            yield event.line().encode()

    def _present(self) -> Iterator[bytes]:
        while not self._left.is_set():
            has_ended = not self.is_running  # before the last look, so that nothing is missed
            self._write()
            lines = self._events.new_lines()
            yield from lines
            if not lines:
                if has_ended:
                    return
                self._left.wait(POLL_S)

    def note(self, line: bytes) -> None:
        """Keep a line that nobody understood next to the last words."""
        self._noted.append(line.decode(errors="replace"))

    def tail(self) -> str:
        """Return the last lines the run wrote to standard error without a viewer, once it has ended, and what was noted."""
        return "\n".join(tuple(self._noted))

    def kill(self) -> None:
        """End the process and whatever it started, at once."""
        process = self._process()
        if process is None or not self._may_steer:
            return
        with suppress(psutil.Error):
            if not any("cvrl" in part for part in process.cmdline()):  # the folder may come from anywhere
                return
            for one in (*process.children(recursive=True), process):
                with suppress(psutil.NoSuchProcess):
                    one.kill()

    def finish(self, patience_s: float) -> int | None:
        """Wait for the process to end, kill it when it takes too long; its exit code is not known here.

        Its last words are taken along: its end has been seen.
        """
        process = self._process()
        if process is not None:
            try:
                process.wait(patience_s)
            except psutil.TimeoutExpired:
                self.kill()
        self._noted.extendleft(reversed(last_words(self._run)))
        if self._may_steer:
            with suppress(OSError):  # it is told again when the study is opened the next time
                self._run.last_words.unlink(missing_ok=True)
        return None

    def _process(self) -> psutil.Process | None:
        return self._record.process() if self._record else None

    def _write(self) -> None:
        """Append what is to be sent; what a full disk does not take is kept for the next time."""
        with suppress(Empty):
            while True:
                self._unsent += self._outbox.get_nowait() + "\n"
        if not self._unsent:
            return
        try:
            with self._run.commands.open("a", encoding="utf-8") as file:
                file.write(self._unsent)
        except OSError:
            self._unsent = "\n" + self._unsent.lstrip()  # part of a line may have been written: it ends here
        else:
            self._unsent = ""


def last_words(run: RunFolder) -> list[str]:
    """Return the last lines that a run without a viewer wrote to standard error."""
    try:
        with run.last_words.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - TAIL_BYTES, 0))
            return file.read(TAIL_BYTES).decode(errors="replace").splitlines()[-TAIL_LINES:]
    except OSError:
        return []
