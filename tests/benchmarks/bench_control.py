"""How soon a training answers: pause, resume and stop at moments in which it is busy with something long.

`python tests/benchmarks/bench_control.py [--preset standard] [--size 1.0]`

The child is the one that waits beside the viewer, the study the phantom. `standard` on a processor is the worst case: a step of
the V-Net takes tens of seconds. In the end the pipes are closed, as by a viewer that has gone, and the rest is said through the
run's folder.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread

from cvrl_napari.engine.commands import KeepGoing, Pause, Resume, Stop, View
from cvrl_napari.engine.events import Event, Paused, Planned, Resumed, RunDone, RunFailed, StepDone, parse_event
from cvrl_napari.gui.distant_child import DistantChild
from cvrl_napari.study.phantom import create_phantom

LOADING_S = 30.0
"""Until the child that waits has loaded the engine, on a busy machine too."""

PAST_S = 5.0
"""Until the past of a run has been told."""


class Child:
    """A training of a study, and when it said what."""

    def __init__(self, study: Path, preset: str) -> None:
        order = ["train", str(study), "--json", "--attached", "--preset", preset, "--device", "cpu", "--threads", "1"]
        command = [sys.executable, "-m", "cvrl_napari", "wait"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        time.sleep(LOADING_S)
        self._distant: DistantChild | None = None
        self._write(json.dumps(order))
        self.events: SimpleQueue[Event] = SimpleQueue()
        assert self.process.stdout is not None
        self._listener = self._listen(self.process.stdout)

    def _listen(self, lines: Iterable[bytes]) -> Thread:
        def listen() -> None:
            for line in lines:
                self.events.put(parse_event(line))

        listener = Thread(target=listen, daemon=True)
        listener.start()
        return listener

    def let_go(self, run: Path) -> None:
        """Close the pipes of a run that keeps going; from now on it is reached through its folder."""
        self._write(KeepGoing(on=True).line())
        assert self.process.stdin is not None
        self.process.stdin.close()
        self._listener.join()
        self._distant = DistantChild(run, may_steer=True)
        self._listen(self._distant.lines())
        time.sleep(PAST_S)
        self.events = SimpleQueue()

    def send(self, command: Pause | Resume | Stop | View) -> None:
        """Send a command."""
        self._write(command.line())

    def _write(self, line: str) -> None:
        if self._distant is not None:
            self._distant.send(line)
            return
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait_for(self, *kinds: type, patience: float = 600) -> float:
        """Wait for an event of one of these kinds, kept as `latest`; returns the seconds that took."""
        started = time.monotonic()
        while True:
            try:
                event = self.events.get(timeout=patience)
            except Empty:
                raise SystemExit(f"no {kinds} in {patience} s") from None
            if isinstance(event, kinds):
                self.latest = event
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
        assert isinstance(child.latest, Planned)
        run = Path(child.latest.run)
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
        child.let_go(run)
        time.sleep(0.3 * took)
        child.send(Pause())
        row("pause, through the folder", "a step", child.wait_for(Paused))
        child.send(Resume())
        row("resume, through the folder", "a step", child.wait_for(Resumed))
        time.sleep(0.4 * took)
        child.send(Stop())
        row("stop, through the folder", "a step", child.wait_for(RunDone, RunFailed))
        child.process.wait()


if __name__ == "__main__":
    main()
