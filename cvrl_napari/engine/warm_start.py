"""A run that begins with the weights of an earlier model: of this study, or of a file from elsewhere.

The network takes the model's architecture and voxel size. Structures are matched by their names: those the model knows keep
what it learned of them, wherever they stand in the list now, and new ones begin with random weights.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_file import load_model
from cvrl_napari.methods.method import Method
from cvrl_napari.nets.momentum import copy_weights
from cvrl_napari.study.classes import StructureClass

CLASSIFIER = "classifier."
"""Prefix of the tensors with one row for the background and each class."""


def start_from(method: Method, path: Path, classes: Sequence[StructureClass]) -> None:
    """Give the student of a method, and its teacher where it has one, the weights of a model.

    Parameters
    ----------
    method : Method
        Made from a plan whose network is `net_like` the model's.
    classes : sequence of StructureClass
        Of the study, ids 1..K.

    Raises
    ------
    EngineError
        If the model cannot be read, or its network is another one.
    """
    model = load_model(path, torch.device("cpu"))
    mine = method.student.state_dict()
    theirs = model.net.state_dict()
    known = {one.name.casefold(): one.id for one in model.card.classes}
    rows = {0: 0} | {one.id: known[one.name.casefold()] for one in classes if one.name.casefold() in known}
    for name, tensor in theirs.items():
        if name.startswith(CLASSIFIER):
            theirs[name] = _rows_by_name(mine[name], tensor, rows)
    try:
        method.student.load_state_dict(theirs)
    except RuntimeError as error:
        raise EngineError(
            f"The network of the model {path} is another one than this training's.", "Start with a new network."
        ) from error
    teacher = getattr(method, "teacher", None)
    if teacher is not None:
        copy_weights(teacher, method.student)


def _rows_by_name(fresh: Tensor, learned: Tensor, rows: dict[int, int]) -> Tensor:
    """Return the rows of the fresh tensor, those that are known in the place of theirs; `rows`: here -> in the model."""
    result = fresh.clone()
    for here, there in rows.items():
        result[here] = learned[there].to(result.device)
    return result
