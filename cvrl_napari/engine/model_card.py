"""What a model file says of itself: the JSON at its beginning. No torch, so that the viewer can read it.

A model file is untrusted input: no more of it is read than the header, and of that no more than `LARGEST_HEADER`.
"""

import math
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from cvrl_napari import __version__
from cvrl_napari.config import MethodName, NetConfig, Plan
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.study import Study

CARD = "cvrl"
"""Name of the card among the metadata of the file."""
LARGEST_HEADER = 16 * 2**20
LARGEST_PATCH = 256**3
CHOOSE = "Choose a file named model.safetensors from a run."
COPY_AGAIN = "Copy it again from where it came."
SAVE_AGAIN = "Take the model.safetensors of its run again."

Millimetres = Annotated[float, Field(ge=0.001, le=100)]
Voxels = Annotated[int, Field(ge=1, le=1024)]
EmbeddingSize = Annotated[int, Field(ge=1, le=1024)]


class ModelCard(BaseModel):
    """Everything needed to use a model, and where it came from."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    schema_version: Literal[1] = 1
    net: NetConfig
    classes: tuple[StructureClass, ...] = Field(min_length=1, max_length=254)
    spacing: tuple[Millimetres, Millimetres, Millimetres] = Field(description="Voxel size the network works at, mm, (z, y, x)")
    patch_size: tuple[Voxels, Voxels, Voxels] = Field(description="Voxels of a window, (z, y, x)")
    window_overlap: float = Field(ge=0, le=0.9, description="Share of a window's side that neighbours have in common")
    normalization: Literal["z-score"] = Field("z-score", description="Grey values in standard deviations of the whole scan")
    method: MethodName
    projectors: dict[Literal["low", "high"], EmbeddingSize] = Field({}, description="Channels after the projector, by level")
    metrics: dict[int, float] = Field({}, description="Dice by class id on the held-out cases, when last measured")
    scans: tuple[str, ...] = Field((), description="Content hashes of the scans learned from")
    versions: dict[str, str] = {}
    created: str = Field("", description="UTC, ISO 8601")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if [one.id for one in self.classes] != list(range(1, self.net.classes)):
            raise ValueError(f"the classes are not numbered 1 to {self.net.classes - 1} as those of the network")
        stride = 2 ** (self.net.levels - 1)
        if any(side % stride for side in self.patch_size) or math.prod(self.patch_size) > LARGEST_PATCH:
            raise ValueError(f"windows of {self.patch_size} voxels do not fit the network")
        return self

    @classmethod
    def of(cls, plan: Plan, study: Study, *, metrics: dict[int, float]) -> "ModelCard":
        """Describe the student of a run; what the model it started from had learned from counts as its own."""
        hashes = [study.case(case).hash for case in (*plan.labeled_cases, *plan.unlabeled_cases)]
        return cls(
            net=plan.net.model_copy(update={"recompute": False}),
            classes=study.classes,
            spacing=plan.spacing,
            patch_size=plan.patch_size,
            window_overlap=plan.window_overlap,
            method=plan.method,
            metrics=metrics,
            scans=tuple(dict.fromkeys([*hashes, *plan.inherited_scans])),
            versions={"cvrl_napari": __version__, "torch": version("torch"), "python": platform.python_version()},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


class Header(NamedTuple):
    """What stands before the weights: metadata, an entry for each tensor, and how many bytes come after."""

    metadata: dict[str, Any]
    tensors: dict[str, dict[str, Any]]
    data_bytes: int


_entries: TypeAdapter[dict[str, dict[str, Any]]] = TypeAdapter(dict[str, dict[str, Any]])


def read_card(path: Path) -> ModelCard:
    """Read only the card of a model file.

    Raises
    ------
    EngineError
        If the file is missing, cut short, made by another program or by a newer version, or has no card.
    """
    header = read_header(path)
    card = card_in(path, header)
    _check_length(path, header)
    return card


def read_header(path: Path) -> Header:
    """Read the JSON at the beginning of the file: 8 bytes of length, little endian, then the header, then the tensors."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            text = file.read(length) if 2 <= length <= min(LARGEST_HEADER, size - 8) else b""
    except OSError as error:
        raise EngineError(f"The model {path} cannot be read: {error.strerror}.", CHOOSE) from error
    try:
        entries = _entries.validate_json(text)
    except ValidationError as error:
        raise _foreign(path) from error
    metadata = entries.pop("__metadata__", {})
    return Header(metadata, entries, size - 8 - length)


def card_in(path: Path, header: Header) -> ModelCard:
    """Return the card in a header; `path` for the sentence of the error."""
    text = header.metadata.get(CARD)
    if not isinstance(text, str):
        raise _foreign(path)
    try:
        card = ModelCard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if where == "schema_version":
            message = f"The model {path} was written by a newer version of this program."
            raise EngineError(message, "Update cvrl-napari to use it.") from error
        raise EngineError(f"The model {path} does not say how to use it ({where}: {first['msg']}).", SAVE_AGAIN) from error
    return card


def _check_length(path: Path, header: Header) -> None:
    try:
        end = max((int(entry["data_offsets"][1]) for entry in header.tensors.values()), default=0)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise _foreign(path) from error
    if end != header.data_bytes:
        raise damaged(path, f"it holds {header.data_bytes:,} bytes of weights instead of {end:,}")


def damaged(path: Path, what: str) -> EngineError:
    """Return the error of a file that is not what it says."""
    return EngineError(f"The model {path} is damaged: {what}.", COPY_AGAIN)


def _foreign(path: Path) -> EngineError:
    return EngineError(f"{path} is not a model of this program.", CHOOSE)
