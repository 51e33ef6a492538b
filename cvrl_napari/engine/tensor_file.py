"""Tensors to a safetensors file: whole or not at all, without a second copy of them in memory."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor

from cvrl_napari.study.storage import atomic_write


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Replace `path` by these tensors, none of which may share memory with another, and texts by name.

    What an earlier process left behind when it was killed while it wrote is cleared away.

    Raises
    ------
    OSError
        If the disk is full or nothing may be written there; the old file is then as it was.
    """

    def write(temporary: Path) -> None:
        try:
            save_file(dict(tensors), temporary, metadata=dict(metadata))
        except SafetensorError as error:
            number = re.search(r"os error (\d+)", str(error))  # all that it tells of what the system said
            if number is None:
                raise
            raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error

    for unfinished in path.parent.glob(f".{path.name}.*"):
        unfinished.unlink(missing_ok=True)
    atomic_write(path, write)
