"""The model file: one model.safetensors that holds the student and, as JSON, everything needed to use it.

A model file is untrusted input. Nothing in it is executed, and no memory is taken before its size, its header and the
shape of every tensor agree with the network that its card describes.
"""

from pathlib import Path
from typing import NamedTuple, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from cvrl_napari.engine.model_card import CARD, Header, ModelCard, card_in, damaged, read_header
from cvrl_napari.engine.tensor_file import write_tensors
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.output import Net
from cvrl_napari.nets.projector import Projector

PROJECTORS = "projectors."
"""Begins the names of the projectors' tensors, followed by the level."""
_DTYPES = {"F32": torch.float32, "I64": torch.int64}


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
    header = read_header(path)
    card = card_in(path, header)
    with torch.device("meta"):
        net = build_net(card.net)
        projectors = _build_projectors(net, card)
    _compare(path, header, net.state_dict() | {PROJECTORS + name: one for name, one in projectors.state_dict().items()})
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error)) from error
    # Copied: the file is mapped only for the moment.
    projectors.to_empty(device=device).load_state_dict(
        {name.removeprefix(PROJECTORS): tensors.pop(name) for name in list(tensors) if name.startswith(PROJECTORS)}
    )
    net.to_empty(device=device).load_state_dict(tensors)
    return Model(net.eval().requires_grad_(False), card, projectors.eval().requires_grad_(False))


def _build_projectors(net: Net, card: ModelCard) -> nn.ModuleDict:
    channels = {"low": net.low_channels, "high": net.high_channels}
    return nn.ModuleDict({level: Projector(channels[level], size) for level, size in card.projectors.items()})


def _compare(path: Path, header: Header, expected: dict[str, Tensor]) -> None:
    """Refuse a file whose tensors are not those of the network, before any of them is read."""
    if header.tensors.keys() != expected.keys():
        odd = sorted(header.tensors.keys() ^ expected.keys())[0]
        raise damaged(path, f"'{odd[:80]}' is missing or does not belong to the network")
    for name, tensor in expected.items():
        entry = header.tensors[name]
        if entry.get("shape") != list(tensor.shape) or _DTYPES.get(str(entry.get("dtype"))) != tensor.dtype:
            raise damaged(path, f"'{name}' has another shape or type than in the network")
    needed = sum(tensor.numel() * tensor.element_size() for tensor in expected.values())
    if header.data_bytes != needed:
        raise damaged(path, f"it holds {header.data_bytes:,} bytes of weights instead of {needed:,}")
