"""What may steer a run from outside: JSON lines on standard input, and the signals that ask a process to end."""

import signal
import sys
from io import FileIO
from threading import Thread
from types import FrameType

from pydantic import TypeAdapter, ValidationError

from cvrl_napari.engine.commands import Inbox, Stop, parse_command


def stop_on_signals(inbox: Inbox) -> None:
    """Let the first SIGINT or SIGTERM stop the run, which saves; the second one ends the process at once."""

    def _on_signal(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        inbox.put(Stop())
        print("Stopping after this step; press Ctrl+C again to end at once.", file=sys.stderr)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _on_signal)


def read_commands(inbox: Inbox, *, attached: bool) -> None:
    """Put the commands that arrive on standard input into `inbox`, from a thread of their own.

    With `attached` the end of standard input means that the viewer has died, and stops the run; without, a run started with its
    input closed (by a queue system, say) goes on.
    """
    Thread(target=_read, args=(inbox, attached), name="commands", daemon=True).start()


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


def _read(inbox: Inbox, attached: bool) -> None:
    with _standard_input() as lines:
        for line in lines:
            try:
                inbox.put(parse_command(line))
            except ValidationError:
                print(f"Not a command, ignored: {line!r}", file=sys.stderr)
    if attached:
        inbox.put(Stop())
