"""The model file: one model.safetensors that holds the student and, as JSON, everything needed to use it.

A model file is untrusted input. Nothing in it is executed, and no memory is taken before its size, its header and the
shape of every tensor agree with the network that its card describes.
"""

import math
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, cast

import torch
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from cvrl_napari import __version__
from cvrl_napari.config import MethodName, NetConfig, Plan
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.tensor_file import write_tensors
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.output import Net
from cvrl_napari.nets.projector import Projector
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.study import Study

CARD = "cvrl"
"""Name of the card among the metadata of the file."""
LARGEST_HEADER = 16 * 2**20
LARGEST_PATCH = 256**3
CHOOSE = "Choose a file named model.safetensors from a run."
COPY_AGAIN = "Copy it again from where it came."
SAVE_AGAIN = "Take the model.safetensors of its run again."
PROJECTORS = "projectors."
"""Begins the names of the projectors' tensors, followed by the level."""
_DTYPES = {"F32": torch.float32, "I64": torch.int64}

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
            versions={"cvrl_napari": __version__, "torch": torch.__version__, "python": platform.python_version()},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )


class _Header(NamedTuple):
    metadata: dict[str, Any]
    tensors: dict[str, dict[str, Any]]
    data_bytes: int


_entries: TypeAdapter[dict[str, dict[str, Any]]] = TypeAdapter(dict[str, dict[str, Any]])


class Model(NamedTuple):
    """A student ready to predict, and its card."""

    net: Net
    card: ModelCard
    projectors: nn.ModuleDict = nn.ModuleDict()


def save_model(path: Path, student: nn.Module, card: ModelCard, projectors: nn.ModuleDict | None = None) -> None:
    """Write the student and its card to `path`, as one indivisible act.

    Parameters
    ----------
    projectors : ModuleDict of Projector, optional
        By level; the card is told of them. Predicting does without.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written to.
    """
    state = dict(student.state_dict())
    if projectors is not None:
        sizes = {level: cast(Projector, one).output.out_features for level, one in projectors.items()}
        card = card.model_copy(update={"projectors": sizes})
        state |= {PROJECTORS + name: tensor for name, tensor in projectors.state_dict().items()}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    write_tensors(path, tensors, {CARD: card.model_dump_json()})


def load_model(path: Path, device: torch.device | str = "cpu") -> Model:
    """Read a model file that may come from anywhere.

    Returns
    -------
    net : Net
        On `device`, in evaluation mode.
    card : ModelCard
    projectors : ModuleDict of Projector
        By level, in evaluation mode; empty where the method has none or the file is of an earlier version.

    Raises
    ------
    EngineError
        If the file is missing, truncated, made by another program or by a newer version, or does not hold what its card says.
    """
    header = _read_header(path)
    card = _read_card(path, header)
    with torch.device("meta"):
        net = build_net(card.net)
        projectors = _build_projectors(net, card)
    _compare(path, header, net.state_dict() | {PROJECTORS + name: one for name, one in projectors.state_dict().items()})
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise _damaged(path, str(error)) from error
    # Copied: the file is mapped only for the moment.
    projectors.to_empty(device=device).load_state_dict(
        {name.removeprefix(PROJECTORS): tensors.pop(name) for name in list(tensors) if name.startswith(PROJECTORS)}
    )
    net.to_empty(device=device).load_state_dict(tensors)
    return Model(net.eval().requires_grad_(False), card, projectors.eval().requires_grad_(False))


def read_card(path: Path) -> ModelCard:
    """Read only the card of a model file.

    Raises
    ------
    EngineError
        As `load_model`.
    """
    return _read_card(path, _read_header(path))


def _build_projectors(net: Net, card: ModelCard) -> nn.ModuleDict:
    channels = {"low": net.low_channels, "high": net.high_channels}
    return nn.ModuleDict({level: Projector(channels[level], size) for level, size in card.projectors.items()})


def _read_header(path: Path) -> _Header:
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
    return _Header(metadata, entries, size - 8 - length)


def _read_card(path: Path, header: _Header) -> ModelCard:
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


def _compare(path: Path, header: _Header, expected: dict[str, Tensor]) -> None:
    """Refuse a file whose tensors are not those of the network, before any of them is read."""
    if header.tensors.keys() != expected.keys():
        odd = sorted(header.tensors.keys() ^ expected.keys())[0]
        raise _damaged(path, f"'{odd[:80]}' is missing or does not belong to the network")
    for name, tensor in expected.items():
        entry = header.tensors[name]
        if entry.get("shape") != list(tensor.shape) or _DTYPES.get(str(entry.get("dtype"))) != tensor.dtype:
            raise _damaged(path, f"'{name}' has another shape or type than in the network")
    needed = sum(tensor.numel() * tensor.element_size() for tensor in expected.values())
    if header.data_bytes != needed:
        raise _damaged(path, f"it holds {header.data_bytes:,} bytes of weights instead of {needed:,}")


def _foreign(path: Path) -> EngineError:
    return EngineError(f"{path} is not a model of this program.", CHOOSE)


def _damaged(path: Path, what: str) -> EngineError:
    return EngineError(f"The model {path} is damaged: {what}.", COPY_AGAIN)
