"""What a run tells whoever listens: small frozen records of numbers and paths, one JSON object a line.

`parse_event(line)` and `event.line()` are inverse. Nothing here needs torch or Qt, so the viewer reads events cheaply.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cvrl_napari.config import Plan

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Half-open index ranges ((z0, z1), (y0, y1), (x0, x1))."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def line(self) -> str:
        """Return the record as one line of JSON, without the line break."""
        return self.model_dump_json()


class Planned(_Record):
    """The run is about to start; `run` is its folder."""

    kind: Literal["planned"] = "planned"
    run: str
    plan: Plan


class Foreseen(_Record):
    """What a run would do if it were started now.

    `seconds` is its training time; `is_timed` says that an earlier run here took its steps so fast, else it is a guess from a
    short measurement. Likewise `memory_bytes` and `is_weighed`: an earlier run's largest, else an estimate.
    """

    kind: Literal["foreseen"] = "foreseen"
    plan: Plan
    seconds: float
    is_timed: bool
    memory_bytes: int
    is_weighed: bool
    warning: str = ""


class Progress(_Record):
    """Something other than training that takes a while: `done` of `total` of `what` ('Preparing scans'), of `case` if any."""

    kind: Literal["progress"] = "progress"
    what: str
    done: int
    total: int
    case: str | None = None


class StepDone(_Record):
    """One optimizer update was made. `losses` are unweighted terms by name plus 'total'."""

    kind: Literal["step"] = "step"
    step: int
    total: int
    losses: dict[str, float]
    seconds_left: float | None = None


class Validated(_Record):
    """Dice on the held-out cases: mean per class id, over `cases` cases; `per_case` has each case's own, by class id.

    A case without a class counts neither in the mean nor in `per_case` of that class.
    """

    kind: Literal["validated"] = "validated"
    step: int
    dice: dict[int, float]
    cases: int
    per_case: dict[str, dict[int, float]] = {}


class LevelDiagnosis(_Record):
    """What the embeddings of one level look like on the probe; `engine/diagnostics.py` defines the figures.

    `queue_age` is the number of steps since the oldest key in the queue was made; None where there is no queue or no key.
    """

    effective_rank: float
    spread: float
    cross_correlation: float
    alignment: float
    uniformity: float
    queue_age: int | None = None


class Diagnosed(_Record):
    """How the representation does, by level ('low', 'high'); `confident` is the share of voxels the teacher is sure of."""

    kind: Literal["diagnosed"] = "diagnosed"
    step: int
    levels: dict[str, LevelDiagnosis]
    confident: float


class PreviewReady(_Record):
    """The current mask of `case` lies in `path`: an .npy file, uint8, (z, y, x) on the scan's own (canonical) grid.

    Only voxels inside `box` changed since the last preview of this case; None means nothing changed.
    """

    kind: Literal["preview"] = "preview"
    case: str
    path: str
    box: Box | None
    step: int


class LabelsTaken(_Record):
    """From this step on the run learns from these cases' labels as they are on disk now."""

    kind: Literal["labels"] = "labels"
    cases: tuple[str, ...]
    step: int


class CheckpointSaved(_Record):
    """A checkpoint from which the run can resume lies in `path`; `model` is the student so far, ready to use.

    `seconds` is what writing both took the last time; `memory_bytes` is the most that the training has held so far, of a
    graphics card its memory, else that of its process; None where it was not measured.
    """

    kind: Literal["checkpoint"] = "checkpoint"
    path: str
    model: str
    step: int
    seconds: float = 0.0
    memory_bytes: int | None = None


class Adjusted(_Record):
    """The run changed its course by itself; `why` is one sentence a clinician can read."""

    kind: Literal["adjusted"] = "adjusted"
    why: str
    step: int


class Paused(_Record):
    """The run waits; a `Resume` command lets it go on."""

    kind: Literal["paused"] = "paused"
    step: int


class Resumed(_Record):
    """The run goes on after a pause."""

    kind: Literal["resumed"] = "resumed"
    step: int


class RunDone(_Record):
    """The run ended as it should, at its last step or because it was asked to stop; `model` is the student."""

    kind: Literal["done"] = "done"
    run: str
    model: str
    step: int
    stopped: bool
    seconds: float


class PredictionSaved(_Record):
    """The mask of one scan was written; `volumes_ml` by class id."""

    kind: Literal["predicted"] = "predicted"
    scan: str
    path: str
    volumes_ml: dict[int, float]


class EmbeddingsSaved(_Record):
    """The features of one scan were written: `path` the .npz, `table` the .csv, `picture` the .png."""

    kind: Literal["embedded"] = "embedded"
    scan: str
    path: str
    table: str
    picture: str


class CaseEmbedded(_Record):
    """The features of a case of a study lie in the cache: `engine.embedding_cache.load_embeddings` finds them."""

    kind: Literal["case_embedded"] = "case_embedded"
    case: str


class RunFailed(_Record):
    """The job could not be done: what happened, and what to do about it."""

    kind: Literal["failed"] = "failed"
    message: str
    hint: str


Event = Annotated[
    Foreseen
    | Planned
    | Progress
    | StepDone
    | Validated
    | Diagnosed
    | PreviewReady
    | LabelsTaken
    | CheckpointSaved
    | Adjusted
    | Paused
    | Resumed
    | RunDone
    | PredictionSaved
    | EmbeddingsSaved
    | CaseEmbedded
    | RunFailed,
    Field(discriminator="kind"),
]

_events: TypeAdapter[Event] = TypeAdapter(Event)


def parse_event(line: str | bytes) -> Event:
    """Read one line of JSON back into its event.

    Raises
    ------
    pydantic.ValidationError
        If the line is not an event.
    """
    return _events.validate_json(line)
