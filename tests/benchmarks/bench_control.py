"""How soon a training answers: pause, resume and stop at moments in which it is busy with something long.

`python tests/benchmarks/bench_control.py [--preset standard] [--size 1.0]`

The child is the one that waits beside the viewer, the study the phantom. `standard` on a processor is the worst case: a step of
the V-Net takes tens of seconds.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from cvrl_napari.engine.commands import Pause, Resume, Stop, View
from cvrl_napari.engine.events import Event, Paused, Planned, Resumed, RunDone, RunFailed, StepDone, parse_event
from cvrl_napari.study.phantom import create_phantom

LOADING_S = 30.0
"""Until the child that waits has loaded the engine, on a busy machine too."""


class Child:
    """A training of a study, and when it said what."""

    def __init__(self, study: Path, preset: str) -> None:
        order = ["train", str(study), "--json", "--attached", "--preset", preset, "--device", "cpu", "--threads", "1"]
        command = [sys.executable, "-m", "cvrl_napari", "wait"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(LOADING_S)
        self._write(json.dumps(order))
        self.events: SimpleQueue[Event] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.put(parse_event(line))

    def send(self, command: Pause | Resume | Stop | View) -> None:
        """Send a command."""
        self._write(command.line())

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, *kinds: type, patience: float = 600) -> float:
        """Wait for an event of one of these kinds; returns the seconds that took."""
        started = time.monotonic()
        while True:
            try:
                event = self.events.get(timeout=patience)
            except Empty:
                raise SystemExit(f"no {kinds} in {patience} s") from None
            if isinstance(event, kinds):
                return time.monotonic() - started


def main() -> None:
    """Print a table of answering times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--size", type=float, default=1.0, help="of the phantom")
    options = parser.parse_args()
    print("| asked for | in the middle of | answered after, s |\n|---|---|--:|")

    def row(what: str, when: str, seconds: float) -> None:
        print(f"| {what} | {when} | {seconds:.2f} |", flush=True)

    with tempfile.TemporaryDirectory() as place:
        study = Path(place) / "study"
        create_phantom(study, size=options.size).close()
        child = Child(study, options.preset)
        child.wait_for(Planned)
        child.send(Pause())
        row("pause", "preparation", child.wait_for(Paused))
        child.send(Resume())
        row("resume", "preparation", child.wait_for(Resumed))
        time.sleep(4)
        child.send(Pause())
        row("pause", "the first step", child.wait_for(Paused))
        child.send(Resume())
        row("resume", "the first step", child.wait_for(Resumed))
        took = child.wait_for(StepDone)
        row("(a step)", "", took)
        child.send(View(case="phantom_05"))
        child.wait_for(StepDone)
        time.sleep(1)
        child.send(Pause())
        row("pause", "the first masks", child.wait_for(Paused))
        child.send(Resume())
        child.wait_for(Resumed)
        time.sleep(0.4 * took)
        child.send(Stop())
        row("stop", "a step", child.wait_for(RunDone, RunFailed))
        child.process.wait()


if __name__ == "__main__":
    main()
