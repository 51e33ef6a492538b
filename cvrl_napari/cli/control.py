"""What may steer a run from outside: JSON lines on standard input or in a file of its folder, and the signals that end it."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from cvrl_napari.engine.commands import Inbox, KeepGoing, Stop, parse_command
from cvrl_napari.engine.events import Event, Planned
from cvrl_napari.engine.followed_file import FollowedFile
from cvrl_napari.engine.process_record import ProcessRecord

if TYPE_CHECKING:  # imported where a run begins, so that `cvrl --help` answers at once
    from cvrl_napari.engine.run_folder import RunFolder

POLL_S = 0.1
"""Between two looks at the commands in the run's folder; two seconds are promised for an answer."""


def stop_on_signals(inbox: Inbox) -> None:
    """Let the first SIGINT or SIGTERM stop the run, which saves; the second one ends the process at once."""

    def _on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        inbox.put(Stop())
        print("Stopping after this step; press Ctrl+C again to end at once.", file=sys.stderr)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _on_signal)


class Control:
    """Brings the commands for one run into its inbox, whatever way they come, and decides what the end of its viewer means.

    With `attached` there is a viewer at the other end of standard input. When that ends, the viewer has gone: the run stops,
    or, if the last `KeepGoing` said so, goes on alone. Without, a run started with its input closed (by a queue system, say)
    goes on anyway.
    """

    def __init__(self, inbox: Inbox, *, attached: bool) -> None:
        self._inbox = inbox
        self._attached = attached
        self._keeps_going = not attached
        self._viewer: ProcessRecord | None = None
        self._run: RunFolder | None = None
        self._has_ended = Flag()
        if attached and hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal that the viewer was started from has been closed

    def read_standard_input(self) -> None:
        """Take the commands that arrive on standard input from now on, in a thread."""
        Thread(target=self._read, name="commands", daemon=True).start()

    def attend(self, events: Iterator[Event]) -> Iterator[Event]:
        """Pass on the events of the run; meanwhile its folder says which process makes it, and takes commands."""
        from cvrl_napari.engine.run_folder import RunFolder
        from cvrl_napari.engine.run_process import withdraw

        try:
            with closing(events):  # type: ignore[type-var]
                for event in events:
                    if isinstance(event, Planned):
                        self._open(RunFolder(Path(event.run)))
                    yield event
        finally:
            self._has_ended.set()
            if self._run is not None:
                with suppress(OSError):
                    self._run.commands.unlink(missing_ok=True)
                    withdraw(self._run.path)

    def _open(self, run: "RunFolder") -> None:
        from cvrl_napari.engine.run_process import announce

        with suppress(OSError):  # on a full disk the run is not found by another viewer, and goes on all the same
            run.commands.unlink(missing_ok=True)  # what an earlier process was told
            run.last_words.unlink(missing_ok=True)
            announce(run.path)
        self._run = run
        Thread(target=self._follow, args=(run,), name="commands in the folder", daemon=True).start()

    def _read(self) -> None:
        with _standard_input() as lines:
            for line in lines:
                self._take(line)
        if not self._attached:
            return
        if self._keeps_going:
            self._go_on_alone()
        else:
            self._inbox.put(Stop())

    def _follow(self, run: "RunFolder") -> None:
        commands = FollowedFile(run.commands)
        while not self._has_ended.wait(POLL_S):
            for line in commands.new_lines():
                self._take(line)
            if self._viewer is not None and self._viewer.process() is None:
                self._viewer = None
                if not self._keeps_going:
                    self._inbox.put(Stop())

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            command = parse_command(line)
        except ValidationError:
            with suppress(OSError):  # whoever would have read it is gone
                print(f"Not a command, ignored: {line[:200]!r}", file=sys.stderr)
            return
        if isinstance(command, KeepGoing):
            self._keeps_going, self._viewer = command.on, command.viewer
        else:
            self._inbox.put(command)

    def _go_on_alone(self) -> None:
        """Let go of the pipes: writing into them would fail, and a viewer that still lives sees that they have ended."""
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        if self._run is not None:
            with suppress(OSError), self._run.last_words.open("ab") as file:
                os.dup2(file.fileno(), 2)


def read_order() -> list[str]:
    """Wait for one line of standard input, a JSON list of arguments, and return it; nothing behind it is read.

    The list is empty when the input ended instead.

    Raises
    ------
    pydantic.ValidationError
        If the line is anything else.
    """
    with _standard_input() as lines:
        line = lines.readline()
    return TypeAdapter(list[str]).validate_json(line) if line else []


def _standard_input() -> FileIO:
    # Unbuffered: a thread that waits in sys.stdin holds its lock and aborts the interpreter when that shuts down.
    return open(0, "rb", buffering=0, closefd=False)
