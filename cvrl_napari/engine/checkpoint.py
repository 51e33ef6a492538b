"""Everything a run needs to go on as if never interrupted, in one safetensors file.

A state is a tree of dictionaries and lists whose leaves are tensors, arrays or plain JSON values. Tensors and arrays go into
the file's body under their path in the tree; the tree itself, with a note where each stood, goes into its metadata as JSON.
No pickle.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.tensor_file import write_tensors

TENSOR, ARRAY, PAIRS = "__tensor__", "__array__", "__pairs__"


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write `state` to `path`; the file there before survives unless the whole new one is on disk.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    tensors: dict[str, Tensor] = {}
    tree = _flatten(state, "", tensors)
    write_tensors(path, tensors, {"tree": json.dumps(tree)})


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a state back, tensors on the CPU.

    Raises
    ------
    EngineError
        If there is no checkpoint or it can't be read.
    """
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tree = json.loads((file.metadata() or {})["tree"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
        state = _restore(tree, tensors)
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        raise EngineError(f"The checkpoint {path} can't be read.", "Start a new run; everything painted is safe.") from error
    assert isinstance(state, dict)
    return state


def _flatten(node: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    match node:
        case Tensor():
            tensors[path] = node.detach().cpu().contiguous().clone()
            return {TENSOR: path}
        case np.ndarray():
            tensors[path] = torch.from_numpy(np.ascontiguousarray(node).copy())
            return {ARRAY: path}
        case dict() if all(isinstance(key, str) for key in node):
            return {key: _flatten(value, f"{path}/{key}", tensors) for key, value in node.items()}
        case dict():  # the optimizer's state is keyed by parameter number
            return {PAIRS: [[key, _flatten(value, f"{path}/{key}", tensors)] for key, value in node.items()]}
        case list() | tuple():
            return [_flatten(value, f"{path}/{index}", tensors) for index, value in enumerate(node)]
        case np.generic():
            return node.item()
        case _:
            return node


def _restore(node: Any, tensors: dict[str, Tensor]) -> Any:
    match node:
        case {"__tensor__": name}:
            return tensors[name]
        case {"__array__": name}:
            return tensors[name].numpy()
        case {"__pairs__": pairs}:
            return {key: _restore(value, tensors) for key, value in pairs}
        case dict():
            return {key: _restore(value, tensors) for key, value in node.items()}
        case list():
            return [_restore(value, tensors) for value in node]
        case _:
            return node
