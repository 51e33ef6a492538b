"""The folder of one run: config.json, events.jsonl, checkpoint/, previews/, model.safetensors, and who makes it."""

from datetime import datetime
from pathlib import Path

import pydantic

from cvrl_napari.config import Plan
from cvrl_napari.engine.disk_space import has_space, is_disk_full
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Event
from cvrl_napari.study.renumbering import is_older_than_classes
from cvrl_napari.study.storage import atomic_write

LEAST_SPACE = 2**20
"""Bytes without which a disk counts as full."""


class RunFolder:
    """Where everything that a run leaves behind lies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._unwritten = ""
        self.config = path / "config.json"
        self.events = path / "events.jsonl"
        self.checkpoint = path / "checkpoint" / "state.safetensors"
        self.previews = path / "previews"
        self.model = path / "model.safetensors"
        self.process = path / "process.json"
        """Which process makes the run; while it goes on."""
        self.commands = path / "commands.jsonl"
        """What a viewer tells a run that it did not start; while it goes on."""
        self.last_words = path / "last-words.txt"
        """What a run without a viewer wrote to standard error; until a viewer has told how the run ended."""

    @classmethod
    def create(cls, runs: Path, plan: Plan) -> "RunFolder":
        """Make a new folder below `runs`, named after the time and the method, and store the plan in it."""
        stem = f"{datetime.now():%Y-%m-%d_%H%M%S}-{plan.method.replace('_', '-')}"
        number, path = 1, runs / stem
        while path.exists():
            number += 1
            path = runs / f"{stem}-{number}"
        for folder in (path, path / "checkpoint", path / "previews"):
            folder.mkdir(parents=True)
        run = cls(path)
        run.keep(plan)
        return run

    def keep(self, plan: Plan) -> None:
        """Store the plan."""
        atomic_write(self.config, plan.model_dump_json(indent=2).encode())

    def plan(self) -> Plan:
        """Read the plan back.

        Raises
        ------
        EngineError
            If the folder is no run or its plan can't be read.
        """
        try:
            return Plan.model_validate_json(self.config.read_bytes())
        except (OSError, pydantic.ValidationError) as error:
            raise EngineError(
                f"{self.path} is no run that can be resumed: its config.json can't be read.", "Start a new run."
            ) from error

    def preview(self, case: str) -> Path:
        """Return the file of a case's current mask."""
        return self.previews / f"{case}.npy"

    def correlation(self, level: str) -> Path:
        """Return the file (.npy) of the features' correlation between the two views at the latest diagnosis."""
        return self.path / "diagnosis" / f"{level}-correlation.npy"

    def record(self, event: Event) -> None:
        """Append an event to events.jsonl; on a full disk it is kept in memory until there is space."""
        self._unwritten += event.line() + "\n"
        try:
            with self.events.open("a", encoding="utf-8") as lines:
                lines.write(self._unwritten)
        except OSError as error:
            if not is_disk_full(error):
                raise
            if not self._unwritten.startswith("\n"):
                self._unwritten = "\n" + self._unwritten  # part of a line may have been written: it ends here
        else:
            self._unwritten = ""

    def has_space(self) -> bool:
        """Whether another checkpoint as large as the present one, and another model, can be written."""
        sizes = [path.stat().st_size for path in (self.checkpoint, self.model) if path.is_file()]
        return has_space(self.checkpoint.parent, max(sum(sizes), LEAST_SPACE))


def newest_model(runs: Path) -> Path | None:
    """Return the student of the run below `runs` that saved last, or None while no run has saved one.

    Models made before classes of the study were deleted or reordered are passed over: they number other classes.
    """
    models = [model for model in runs.glob("*/model.safetensors") if not is_older_than_classes(model, runs.parent)]
    return max(models, key=lambda model: model.stat().st_mtime, default=None)


def is_untrained(run: Path) -> bool:
    """Whether a run has told of events but not of a single step: its model is as it was drawn at random."""
    try:
        with RunFolder(run).events.open("rb") as lines:
            return not any(b'"kind":"step"' in line for line in lines)
    except OSError:  # a model from elsewhere: not known
        return False
