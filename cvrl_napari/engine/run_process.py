"""Which process makes a run: a record in the run's folder, by which a viewer finds a run that is still alive. No torch."""

from pathlib import Path

from pydantic import ValidationError

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.process_record import ProcessRecord
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.study.storage import atomic_write

LARGEST_RECORD = 4096
"""Bytes."""


def announce(run: Path) -> None:
    """Write into a run's folder that this process makes the run.

    Raises
    ------
    OSError
        If nothing can be written there.
    """
    atomic_write(RunFolder(run).process, ProcessRecord.own().model_dump_json().encode())


def withdraw(run: Path) -> None:
    """Take the record away: the run has ended."""
    RunFolder(run).process.unlink(missing_ok=True)


def process_of(run: Path) -> ProcessRecord | None:
    """Return the record in a run's folder, that of a process which has died included; None where there is none."""
    try:
        with RunFolder(run).process.open("rb") as file:
            return ProcessRecord.model_validate_json(file.read(LARGEST_RECORD))
    except (OSError, ValidationError):
        return None


def is_alive(run: Path) -> bool:
    """Whether a process of this computer makes the run now."""
    record = process_of(run)
    return record is not None and record.process() is not None


def live_run(runs: Path) -> Path | None:
    """Return the run below a folder that is under way on this computer, None if none is; of several the one that began last."""
    alive = [RunFolder(path.parent) for path in runs.glob("*/process.json") if is_alive(path.parent)]
    return max(alive, key=lambda run: run.process.stat().st_mtime).path if alive else None


def refuse_if_alive(run: Path) -> None:
    """Let no two processes write into one run.

    Raises
    ------
    EngineError
        If a process makes the run now.
    """
    record = process_of(run)
    if record is not None and record.process() is not None:
        raise EngineError(
            f"The run {run.name} is still under way (process {record.pid}).", "Open its study to follow it, or stop it."
        )
