"""What whoever listens may tell a run: one JSON object a line, on its standard input or in `commands.jsonl` of its folder."""

from queue import SimpleQueue
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from cvrl_napari.engine.process_record import ProcessRecord


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def line(self) -> str:
        """Return the command as one line of JSON, without the line break."""
        return self.model_dump_json()


class View(_Command):
    """The person looks at this case, at slice `index` across `axis` (0 = z) of its canonical grid: show it first."""

    kind: Literal["view"] = "view"
    case: str
    axis: int = Field(0, ge=0, le=2)
    index: int = Field(0, ge=0)


class LabelsChanged(_Command):
    """The labels or the state of this case changed on disk: learn from them."""

    kind: Literal["labels_changed"] = "labels_changed"
    case: str


class Pause(_Command):
    """Wait after the present step."""

    kind: Literal["pause"] = "pause"


class Resume(_Command):
    """Go on after a pause."""

    kind: Literal["resume"] = "resume"


class Stop(_Command):
    """Save and end after the present step."""

    kind: Literal["stop"] = "stop"


class KeepGoing(_Command):
    """Whether the run goes on when its viewer ends, in whatever way; without such a command it does not.

    A viewer that reached the run through its folder says who it is: the run has no pipe whose end would tell it.
    """

    kind: Literal["keep_going"] = "keep_going"
    on: bool
    viewer: ProcessRecord | None = None


Command = Annotated[View | LabelsChanged | Pause | Resume | Stop | KeepGoing, Field(discriminator="kind")]
Inbox = SimpleQueue[Command]

_commands: TypeAdapter[Command] = TypeAdapter(Command)


def parse_command(line: str | bytes) -> Command:
    """Read one line of JSON back into its command.

    Raises
    ------
    pydantic.ValidationError
        If the line is not a command.
    """
    return _commands.validate_json(line)
