"""The engine as a child process: its pipes, its priority, its end in words. No Qt in here.

Three threads serve the pipes, so that nobody who talks to the child ever waits for it: one writes what was sent, one reads
what comes, one keeps the last lines of standard error. The child dies with the viewer, however the viewer dies: the kernel
then closes the child's standard input, and the engine takes its end as Stop, unless it was told to keep going
(`engine.commands.KeepGoing`). A child that keeps going can be left.
"""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue

import psutil

TAIL_LINES = 200
LONGEST_LINE = 1 << 20
"""Bytes; an event is far shorter, and a child gone mad must not fill the viewer's memory."""
NICENESS = 10
"""How much nicer than the viewer the child is (POSIX)."""


class Child:
    """One `python -m cvrl_napari ARGUMENTS`, JSON lines going in and coming out.

    What is sent before `start` reaches the child once it listens.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        # -P: a file called torch.py in the working folder must not be imported in place of torch.
        self.command = [sys.executable, "-P", "-m", "cvrl_napari", *arguments]
        self._process: subprocess.Popen[bytes] | None = None
        self._kill_asked = False
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._inbox: SimpleQueue[bytes] = SimpleQueue()  # an empty line: there will be no more
        self._left = threading.Event()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._threads: list[threading.Thread] = []
        self._is_free = threading.Event()  # to be listened to: nobody waits for an answer
        self._is_free.set()

    def start(self) -> None:
        """Start the process, with a lower priority than the viewer's; nothing happens when it was started before.

        Raises
        ------
        OSError
            If it cannot be started.
        """
        if self._process is not None:
            return
        # Its own process group, so that Ctrl+C in the terminal that started the viewer is not Ctrl+C for a training run;
        # not its own session, because Linux schedules sessions against each other and niceness would lose its effect.
        self._process = process = subprocess.Popen(
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"},
            process_group=None if sys.platform == "win32" else 0,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        # Before the child has threads: on Linux niceness belongs to a thread, and those it starts inherit it.
        with suppress(psutil.Error):
            nicer = min(19, psutil.Process().nice() + NICENESS)
            psutil.Process(process.pid).nice(getattr(psutil, "BELOW_NORMAL_PRIORITY_CLASS", nicer))
        self._threads = [
            threading.Thread(target=serve, args=[process], daemon=True) for serve in (self._keep_tail, self._read, self._write)
        ]
        for thread in self._threads:
            thread.start()
        if self._kill_asked:
            self.kill()

    @property
    def pid(self) -> int | None:
        """The id of the process and of its group; None before `start`."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def send(self, line: str) -> None:
        """Send one line to the child's standard input; never waits, never fails."""
        self._outbox.put(line.encode() + b"\n")

    def close_input(self) -> None:
        """Tell the child that nobody will say anything any more."""
        self._outbox.put(None)

    def ask(self, line: str) -> None:
        """Send a line that is answered with one; somebody must then call `answer`, before whom nobody reads a line."""
        self._is_free.clear()
        self.send(line)

    def answer(self) -> bytes:
        """Wait for the answer to `ask` and return it without its line break; empty when the child has ended."""
        line = self._inbox.get()
        if not line:
            self._inbox.put(b"")  # for whoever asks next
        self._is_free.set()
        return line.rstrip(b"\r\n")

    def lines(self) -> Iterator[bytes]:
        """Yield what the child writes to standard output, line by line without line breaks, until it ends or is left."""
        self._is_free.wait()
        while (line := self._inbox.get()) and not self.is_left:
            yield line.rstrip(b"\r\n")
        self._inbox.put(b"")

    @property
    def is_left(self) -> bool:
        """Whether the child was left to itself."""
        return self._left.is_set()

    def leave(self) -> None:
        """Listen and say no more; a child that was told to keep going does so, any other comes to its end."""
        self._left.set()
        self._inbox.put(b"")
        self.close_input()
        for thread in self._threads[-1:]:
            thread.join(1.0)  # it writes what was sent before

    def note(self, line: bytes) -> None:
        """Keep a line of standard output that nobody understood next to those of standard error."""
        self._tail.append(line.decode(errors="replace"))

    def tail(self) -> str:
        """Return the last lines of standard error."""
        return "\n".join(tuple(self._tail))

    def kill(self) -> None:
        """End the child and whatever it started, at once; when it has not started yet, as soon as it has."""
        self._kill_asked = True
        process = self._process
        if process is None or process.poll() is not None:
            return
        if sys.platform == "win32":
            with suppress(psutil.Error):
                for descendant in psutil.Process(process.pid).children(recursive=True):
                    descendant.kill()
            process.kill()
        else:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def finish(self, patience_s: float) -> int:
        """Wait for the child to end, kill it when it takes too long, close the pipes; returns the exit code.

        Negative exit codes are signals (POSIX).
        """
        process = self._process
        assert process is not None
        try:
            code = process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.kill()
            code = process.wait()
        self.close_input()
        for thread in self._threads:
            thread.join(1.0)  # a grandchild that outlived the child may hold a pipe open
        return code

    def _keep_tail(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr as pipe:
            while line := pipe.readline(LONGEST_LINE):
                self.note(line.rstrip(b"\r\n"))

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as pipe:
            while line := pipe.readline(LONGEST_LINE):
                self._inbox.put(line)
        self._inbox.put(b"")
        if self.is_left:
            process.wait()  # while the viewer lives, somebody has to bury it

    def _write(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        # A child that is gone breaks the pipe; that it is gone, `lines` and `finish` tell.
        with suppress(OSError), process.stdin as pipe:
            while (line := self._outbox.get()) is not None:
                pipe.write(line)
                pipe.flush()


def words_for_exit(code: int | None, tail: str) -> str:
    """Say in half a sentence why a process ended with this exit code (None: not known), looking at its last words.

    Examples
    --------
    >>> words_for_exit(-9, "")
    'the system ran out of memory, or something else killed it (signal 9)'
    """
    if "CUDA out of memory" in tail or "CUDA error: out of memory" in tail:
        return "the graphics card ran out of memory"
    if code == -9:
        return "the system ran out of memory, or something else killed it (signal 9)"
    if "MemoryError" in tail or "can't allocate memory" in tail or "Unable to allocate" in tail:
        return "the system ran out of memory"
    if "No space left on device" in tail:
        return "the disk is full"
    if code is not None and code < 0:
        return f"it crashed ({signal.strsignal(-code) or 'unknown'}, signal {-code})"
    last_words = next((line.strip() for line in reversed(tail.splitlines()) if line.strip()), "")
    how = "" if code is None else f" (exit code {code})"
    return f"{last_words or 'it ended without a word'}{how}"
