"""`cvrl benchmark`: every method with every count of labels from every seed, trained and measured alike.

A run that is in results.jsonl is not run again; one that was interrupted goes on from its checkpoint, which running.json
remembers. The last student is measured, never the best on the cases measured.
"""

import queue
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from cvrl_napari.config import BenchmarkRequest
from cvrl_napari.engine.benchmark_material import Material
from cvrl_napari.engine.benchmark_report import report
from cvrl_napari.engine.benchmark_run import BenchmarkRun
from cvrl_napari.engine.benchmark_runs import plan_run
from cvrl_napari.engine.commands import Inbox, Stop
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event, Progress, RunDone, RunFailed, StepDone
from cvrl_napari.engine.results import RunKey, Setting, append_result, check_fits, read_results
from cvrl_napari.study.storage import atomic_write

RESULTS, REPORT, RUNNING = "results.jsonl", "report.md", "running.json"


def benchmark(
    material: Material,
    setting: Setting,
    runs: Sequence[RunKey],
    request: BenchmarkRequest,
    output: Path,
    *,
    inbox: Inbox | None = None,
) -> Generator[Event, None, None]:
    """Train and measure `runs`; OUTPUT/results.jsonl gets a line after each, OUTPUT/report.md is written anew.

    Yields
    ------
    Event
        Those of the runs, and `Progress` of the runs; `RunFailed` last when one failed. After the minutes asked for, or a
        `Stop` in the inbox, the run at hand is saved and the generator ends.

    Raises
    ------
    EngineError
        If the output folder holds runs of another setting, or a run is not possible.
    """
    started, inbox = time.monotonic(), inbox or queue.SimpleQueue()
    results, total = output / RESULTS, len(runs)
    for done, key in enumerate(runs):
        yield Progress(what="Runs", done=done, total=total)
        measured = read_results(results)
        check_fits(measured, setting, results)
        if any(result.key == key for result in measured):
            continue
        _check_name(key, [result.key for result in measured])
        if _is_over(started, request):
            return
        run = BenchmarkRun(material, setting, key, plan_run(material, key, request), output / RUNNING)
        for event in run.events(inbox):
            if isinstance(event, StepDone) and event.step < event.total and _is_over(started, request):
                inbox.put(Stop())
            yield event
            if isinstance(event, RunFailed) or (isinstance(event, RunDone) and event.stopped):
                return
        if run.result is not None:
            append_result(results, run.result)
            (output / RUNNING).unlink(missing_ok=True)
            atomic_write(output / REPORT, report(read_results(results)).encode())
    yield Progress(what="Runs", done=total, total=total)


def left_to_do(runs: Sequence[RunKey], output: Path) -> int:
    """Return how many of the runs are not measured yet."""
    measured = [result.key for result in read_results(output / RESULTS)]
    return sum(key not in measured for key in runs)


def _is_over(started: float, request: BenchmarkRequest) -> bool:
    minutes = request.minutes_at_a_time
    return minutes is not None and time.monotonic() - started >= minutes * 60


def _check_name(key: RunKey, measured: Sequence[RunKey]) -> None:
    """Refuse to put two different settings under one name in one table."""
    for other in measured:
        if other.name == key.name and (other.method, other.overrides) != (key.method, key.overrides):
            raise EngineError(f"'{key.name}' has been measured with other settings.", "Choose another --name.")
