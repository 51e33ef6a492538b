import os
import signal
import subprocess
import sys

import pytest

from cvrl_napari.engine.commands import Pause, Stop, View

PROGRAM = """
from queue import SimpleQueue
from cvrl_napari.cli.control import read_commands, stop_on_signals
inbox = SimpleQueue()
stop_on_signals(inbox)
read_commands(inbox, attached={attached})
print("listening", flush=True)
while True:
    command = inbox.get()
    print(command.line(), flush=True)
    if command.kind == "stop":
        break
"""


@pytest.fixture
def listener() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(attached=True)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    return process


def test_commands_arrive_in_order_and_nonsense_is_named(listener: subprocess.Popen[str]) -> None:
    view = View(case="a", axis=1, index=7)
    out, err = listener.communicate(f"{view.line()}\nnonsense\n{Pause().line()}\n{Stop().line()}\n", timeout=60)
    assert out.splitlines() == [view.line(), Pause().line(), Stop().line()]
    assert err == "Not a command, ignored: b'nonsense\\n'\n"
    assert listener.returncode == 0


def test_the_end_of_the_input_stops_a_run_that_is_attached(listener: subprocess.Popen[str]) -> None:
    out, _ = listener.communicate(timeout=60)
    assert out.splitlines() == [Stop().line()]


def test_the_end_of_the_input_is_nothing_to_a_run_that_is_not() -> None:
    program = PROGRAM.format(attached=False).replace("inbox.get()", "inbox.get(timeout=1)")
    answer = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert answer.stdout == "listening\n"
    assert answer.stderr.rstrip().endswith("_queue.Empty")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_asks_the_run_to_stop(listener: subprocess.Popen[str], number: signal.Signals) -> None:
    os.kill(listener.pid, number)
    out, _ = listener.communicate(timeout=60)
    assert out.splitlines()[0] == Stop().line()
    assert listener.returncode == 0
