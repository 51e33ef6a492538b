"""What a benchmark has measured so far: one JSON object a line, a line a run, never lost and never run twice."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cvrl_napari.config import LabeledCount, MethodName
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.evaluate import CaseScore
from cvrl_napari.study.storage import atomic_write


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Setting(_Record):
    """What all runs of one benchmark have in common.

    Attributes
    ----------
    source : str
        Name of the protocol, or 'study NAME'.
    scale, folds :
        Of a protocol, or of a study; the other is None.
    """

    source: str
    classes: tuple[str, ...]
    scale: Literal["full", "half"] | None
    folds: int | None
    preset: str
    steps: int


class RunKey(_Record):
    """What tells one run from all others. `fold` counts from 0; a protocol has only that one."""

    name: str
    method: MethodName
    labeled: LabeledCount
    seed: int
    fold: int = 0
    overrides: dict[str, Any] = {}

    def words(self) -> str:
        """Return the run in words."""
        fold = f", fold {self.fold + 1}" if self.fold else ""
        return f"{self.name}, {self.labeled} labeled, seed {self.seed}{fold}"


class RunResult(_Record):
    """One line of results.jsonl.

    Attributes
    ----------
    seconds : float
        Training time, without the preparation of the scans and the measurement.
    peak_memory_mib : float
        Largest memory taken: on a GPU that of its tensors, on the CPU the process's resident memory.
    adjustments : tuple of str
        What the run changed by itself, such as a scan left out.
    """

    setting: Setting
    key: RunKey
    cases: tuple[CaseScore, ...]
    seconds: float
    steps_per_second: float | None
    peak_memory_mib: float
    device: str
    precision: str
    patch_size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    adjustments: tuple[str, ...] = ()
    versions: dict[str, str]
    date: str


def read_results(path: Path) -> list[RunResult]:
    """Read all lines of a results file; an absent file has none.

    Raises
    ------
    EngineError
        If a line cannot be read.
    """
    if not path.exists():
        return []
    results = []
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            results.append(RunResult.model_validate_json(line))
        except ValidationError as error:
            raise EngineError(f"Line {number} of {path} can't be read.", "Remove that line; its run is done again.") from error
    return results


def append_result(path: Path, result: RunResult) -> None:
    """Add a line; the file is replaced as a whole, so that no half line is ever left."""
    before = path.read_bytes() if path.exists() else b""
    if before and not before.endswith(b"\n"):
        before += b"\n"
    atomic_write(path, before + result.model_dump_json().encode() + b"\n")


def check_fits(results: list[RunResult], setting: Setting, path: Path) -> None:
    """Refuse to mix runs that cannot be compared.

    Raises
    ------
    EngineError
        If the file holds runs of another setting.
    """
    for result in results:
        if result.setting != setting:
            theirs, ours = result.setting.model_dump(), setting.model_dump()
            differences = [f"{name} {theirs[name]}, not {ours[name]}" for name in ours if theirs[name] != ours[name]]
            raise EngineError(f"{path} holds runs of another setting ({'; '.join(differences)}).", "Choose another --output.")
