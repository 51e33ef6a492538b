import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cvrl_napari.engine.commands import KeepGoing, Pause, Resume, Stop, View
from cvrl_napari.engine.process_record import ProcessRecord
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_process import is_alive

PROGRAM = """
from queue import SimpleQueue
from cvrl_napari.cli.control import Control, stop_on_signals
inbox = SimpleQueue()
stop_on_signals(inbox)
Control(inbox, attached={attached}).read_standard_input()
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


RUN = """
import sys
from pathlib import Path
from queue import SimpleQueue
from cvrl_napari.cli.audience import JsonLines
from cvrl_napari.cli.control import Control
from cvrl_napari.config import Plan
from cvrl_napari.engine.events import Paused, Planned, Resumed, RunDone

inbox = SimpleQueue()
control = Control(inbox, attached=True)
control.read_standard_input()

def run(folder):
    yield Planned.model_construct(run=str(folder), plan=None)
    while True:
        command = inbox.get()
        (folder / "heard.txt").open("a").write(command.kind + " ")
        print("spoken aloud", file=sys.stderr, flush=True)
        yield Resumed(step=1)
        if command.kind == "stop":
            return

with JsonLines(attached=True) as audience:
    for event in control.attend(run(Path(sys.argv[1]))):
        audience.show(event)
"""
"""A run without a network: it tells of every command it hears."""


@pytest.fixture
def run(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-W", "ignore", "-c", RUN, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: is_alive(tmp_path))
        yield process
        process.kill()


def until(happened) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def say(process: subprocess.Popen[bytes], *commands) -> None:
    process.stdin.write(b"".join(command.line().encode() + b"\n" for command in commands))
    process.stdin.flush()


def write(folder: Path, *lines: str) -> None:
    with RunFolder(folder).commands.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def heard(folder: Path) -> str:
    file = folder / "heard.txt"
    return file.read_text() if file.is_file() else ""


def test_a_run_that_keeps_going_lets_go_of_its_viewer_and_takes_commands_in_its_folder(run, tmp_path: Path):
    say(run, KeepGoing(on=True), Pause())
    assert [b"planned" in run.stdout.readline(), b"resumed" in run.stdout.readline()] == [True, True]
    run.stdin.close()
    assert run.stdout.read() == b""  # the pipes end, the process does not
    assert run.stderr.read() == b"spoken aloud\n"
    assert run.poll() is None
    write(tmp_path, Resume().line(), "", '{"kind": "nonsense"}', "x" * 5000, View(case="a", index=3).line())
    until(lambda: heard(tmp_path) == "pause resume view ")
    assert run.poll() is None
    assert 'Not a command, ignored: b\'{"kind": "nonsense"}\'' in RunFolder(tmp_path).last_words.read_text()
    write(tmp_path, Stop().line())
    assert run.wait(60) == 0
    assert not is_alive(tmp_path)
    assert not RunFolder(tmp_path).commands.exists()
    assert "spoken aloud" in RunFolder(tmp_path).last_words.read_text()


def test_a_wish_that_was_taken_back_counts(run, tmp_path: Path):
    say(run, KeepGoing(on=True), KeepGoing(on=False))
    run.stdin.close()
    assert run.wait(60) == 0
    assert heard(tmp_path) == "stop "


def test_a_run_ends_with_a_viewer_that_came_later_and_died(run, tmp_path: Path):
    say(run, KeepGoing(on=True))
    run.stdin.close()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as viewer:
        who = ProcessRecord.of(viewer.pid)
        write(tmp_path, KeepGoing(on=False, viewer=who).line(), Pause().line())
        until(lambda: heard(tmp_path) == "pause ")
        assert run.poll() is None
        viewer.kill()
    assert run.wait(60) == 0
    assert heard(tmp_path) == "pause stop "
