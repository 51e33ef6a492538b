"""One run of a benchmark: train, predict what is measured, score. It can stop at any step and go on in another process."""

import platform
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy
import psutil
import torch
from pydantic import BaseModel, ValidationError

from cvrl_napari import __version__
from cvrl_napari.config import Plan
from cvrl_napari.engine.benchmark_material import Material, Measured
from cvrl_napari.engine.commands import Inbox
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.evaluate import CaseScore, compare
from cvrl_napari.engine.events import Adjusted, CheckpointSaved, Event, Planned, PredictionSaved, RunDone, StepDone
from cvrl_napari.engine.predict import predict
from cvrl_napari.engine.results import RunKey, RunResult, Setting
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.train import train
from cvrl_napari.study.storage import atomic_write

MIB = 2**20


class Running(BaseModel):
    """The run at hand as of its last checkpoint: its folder, `seconds` for `steps` of its steps, and the memory it took."""

    setting: Setting
    key: RunKey
    run: str = ""
    seconds: float = 0.0
    steps: int = 0
    peak_memory_mib: float = 0.0
    adjustments: tuple[str, ...] = ()


class BenchmarkRun:
    """Carries out one run.

    Parameters
    ----------
    state_file : Path
        Remembers the run folder while the run is not measured yet; if it is of this very run, that one goes on.

    Attributes
    ----------
    result : RunResult or None
        Set when the run was trained and measured.
    """

    def __init__(self, material: Material, setting: Setting, key: RunKey, plan: Plan, state_file: Path) -> None:
        self._material, self._setting, self._key, self._plan, self._state_file = material, setting, key, plan, state_file
        interrupted = self._interrupted()
        self._resume = None if interrupted is None else self._folder(interrupted)
        self._running = interrupted or Running(setting=setting, key=key)
        self.result: RunResult | None = None

    def events(self, inbox: Inbox) -> Generator[Event, None, None]:
        """Train from where it stands and, unless it is stopped, measure."""
        last = None
        for event in self._training(inbox):
            yield event
            last = event
        if not isinstance(last, RunDone) or last.stopped:
            return
        folder, measured = RunFolder(self._folder(self._running)), self._material.divisions[self._key.fold].measured
        masks: dict[str, Path] = {}
        for event in self._predicting(folder, measured):
            if isinstance(event, PredictionSaved):
                masks[event.scan] = Path(event.path)
            yield event
        scored = compare([(one.case, masks[str(one.scan)], one.labels) for one in measured])
        self.result = self._result(scored.cases)
        folder.checkpoint.unlink(missing_ok=True)  # never resumed again, and larger than everything else of the run

    def _folder(self, running: Running) -> Path:
        return self._material.study.runs_folder / running.run

    def _interrupted(self) -> Running | None:
        """Return what the state file says if it is of this run and there is a checkpoint to go on from."""
        try:
            known = Running.model_validate_json(self._state_file.read_bytes())
        except (OSError, ValidationError):
            return None
        folder = RunFolder(self._folder(known))
        if (known.setting, known.key) != (self._setting, self._key) or not folder.checkpoint.is_file():
            return None
        stored = folder.plan()
        if stored.model_copy(update={"reasons": ()}) != self._plan.model_copy(update={"reasons": ()}):
            raise EngineError(
                f"The interrupted run {folder.path} was planned differently (device, threads or version).",
                f"Go on with the same options, or delete {self._state_file} to start this run again.",
            )
        return known

    def _training(self, inbox: Inbox) -> Generator[Event, None, None]:
        on_gpu = self._plan.device == "cuda"
        if on_gpu:
            torch.cuda.reset_peak_memory_stats()
        before, process = self._running.model_copy(), psutil.Process()
        peak, first = before.peak_memory_mib, (0, 0.0)
        with closing(train(self._material.study, self._plan, inbox=inbox, resume=self._resume)) as events:
            for event in events:
                match event:
                    case Planned(run=run):
                        self._running.run = Path(run).name
                    case Adjusted(why=why):
                        self._running.adjustments = tuple(dict.fromkeys((*self._running.adjustments, why)))
                    case StepDone(step=step):
                        taken = torch.cuda.max_memory_allocated() if on_gpu else process.memory_info().rss
                        peak = max(peak, taken / MIB)
                        first = first if first[1] else (step, time.monotonic())
                    case CheckpointSaved(step=step) if first[1]:
                        self._running.steps = before.steps + step - first[0]
                        self._running.seconds = before.seconds + time.monotonic() - first[1]
                        self._running.peak_memory_mib = peak
                        atomic_write(self._state_file, self._running.model_dump_json().encode())
                yield event

    def _predicting(self, folder: RunFolder, measured: tuple[Measured, ...]) -> Iterator[Event]:
        return predict(
            folder.model,
            [one.scan for one in measured],
            folder.path / "predictions",
            device=self._plan.device,
            threads=self._plan.threads,
            window_stride=self._material.window_stride(self._plan.preset),
        )

    def _result(self, cases: tuple[CaseScore, ...]) -> RunResult:
        running = self._running
        versions = {"cvrl_napari": __version__, "torch": torch.__version__, "numpy": numpy.__version__}
        return RunResult(
            setting=self._setting,
            key=self._key,
            cases=cases,
            seconds=running.seconds,
            steps_per_second=running.steps / running.seconds if running.seconds > 0 and running.steps else None,
            peak_memory_mib=running.peak_memory_mib,
            device=f"{pick(self._plan.device).name}, {self._plan.threads} threads",
            precision=self._plan.precision,
            patch_size=self._plan.patch_size,
            spacing=self._plan.spacing,
            adjustments=running.adjustments,
            versions={**versions, "python": platform.python_version()},
            date=datetime.now(UTC).isoformat(timespec="seconds"),
        )
