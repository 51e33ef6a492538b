"""How soon a training that went on without napari is on the screen again, and how long its past holds up the event loop.

`xvfb-run -a python tests/benchmarks/bench_reattach.py [--steps 100000]`

The run is made up: a real plan, so many steps and a measurement every hundred of them, and a process that does nothing. Rounds
of the event loop are given in processor time of the GUI thread, which the neighbours of a crowded machine do not lengthen.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from napari.components import ViewerModel
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.events import LabelsTaken, Planned, StepDone, Validated
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.process_record import ProcessRecord
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_in_brief import in_brief
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.study.phantom import create_phantom


def make_run(folder: Path, steps: int) -> RunFolder:
    """Leave what a long run would have left."""
    with create_phantom(folder, size=0.4) as study:
        plan = resolve(study, TrainRequest(device="cpu", steps=2 * steps), pick("cpu"))
    run = RunFolder.create(folder / "runs", plan)
    losses = dict.fromkeys(("supervised", "consistency", "contrast", "total"), 0.5)
    lines = [Planned(run=str(run.path), plan=plan).line(), LabelsTaken(cases=plan.labeled_cases, step=0).line()]
    for number in range(1, steps + 1):
        lines.append(StepDone(step=number, total=2 * steps, losses=losses, seconds_left=1.0).line())
        if number % 100 == 0:
            per_case = {case: {1: 0.8} for case in plan.held_out_cases}
            lines.append(Validated(step=number, dice={1: 0.8}, cases=len(per_case), per_case=per_case).line())
    run.events.write_text("\n".join(lines) + "\n")
    return run


def main() -> None:
    """Attach, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    steps = parser.parse_args().steps
    application = QApplication([])
    idle = [sys.executable, "-c", "input()"]
    with tempfile.TemporaryDirectory() as place, subprocess.Popen(idle, stdin=subprocess.PIPE) as run:
        made = make_run(Path(place) / "study", steps)
        started = time.perf_counter()
        brief = in_brief(made.events.read_bytes().splitlines())
        print(f"{steps:,} steps in brief: {len(brief)} events, {time.perf_counter() - started:.2f} s of a thread")
        dock = CvrlDock(ViewerModel())
        dock.show()
        rounds, before = [0.0], [time.thread_time()]

        def tick() -> None:
            now = time.thread_time()
            rounds.append(now - before[0])
            before[0] = now

        timer = QTimer()
        timer.timeout.connect(tick)
        opened: list[str] = []
        dock.session.case_opened.connect(opened.append)
        dock.open_folders([made.path.parents[1]])  # so that napari has compiled what it compiles at its first layers
        while not opened:
            application.processEvents()
        dock.session.close_study()
        for _ in range(100):
            application.processEvents()
        made.process.write_text(ProcessRecord.of(run.pid).model_dump_json())
        started = time.perf_counter()
        dock.open_folders([made.path.parents[1]])
        print(f"open_folders: {1000 * (time.perf_counter() - started):.0f} ms")
        timer.start(0)
        before[0] = time.thread_time()
        curves = dock.train_panel.curves
        seen = 0.0
        while not seen and time.perf_counter() - started < 120:
            application.processEvents()
            steps_drawn, _ = curves.drawn_loss()
            if not seen and steps_drawn and steps_drawn[-1] == steps:
                seen = time.perf_counter() - started
        print(f"curves to the last step after {seen:.2f} s")
        rounds.sort(reverse=True)
        print("longest rounds of the event loop, ms of processor:", ", ".join(f"{1000 * one:.0f}" for one in rounds[:5]))
        dock.session.training.keeps_going = True
        dock.close()
        run.kill()


if __name__ == "__main__":
    main()
