"""Layers as NIfTI, NRRD or MetaImage files that lie where the scan they were made on lies."""

from pathlib import Path
from typing import Any

import numpy as np

from cvrl_napari.gui.placement import PAINTED_BACKGROUND_KEY, SOURCE_KEY, placed_affine
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write


def write_image(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write an image layer; returns the path.

    Raises
    ------
    VolumeError
        If the layer is not three-dimensional or the file cannot be written.
    """
    write(Path(path), _volume(np.asarray(data), meta))
    return [path]


def write_labels(path: str, data: Any, meta: dict[str, Any]) -> list[str]:
    """Write a labels layer in the smallest type that holds its values, painted background as 0; returns the path.

    Raises
    ------
    VolumeError
        If the layer is not three-dimensional or the file cannot be written.
    """
    labels = np.asarray(data)
    background = meta.get("metadata", {}).get(PAINTED_BACKGROUND_KEY)
    if background is not None:
        labels = np.where(labels == background, 0, labels)
    lowest, highest = (int(labels.min()), int(labels.max())) if labels.size else (0, 0)
    smallest = np.result_type(np.min_scalar_type(lowest), np.min_scalar_type(highest))
    write(Path(path), _volume(labels.astype(smallest), meta))
    return [path]


def _volume(array: np.ndarray, meta: dict[str, Any]) -> Volume:
    """Put a layer's voxels on its source's grid, or, when it has none or another shape, where napari draws them."""
    if array.ndim != 3:
        raise VolumeError(f"The layer '{meta.get('name', '')}' has {array.ndim} axes: only layers with three are written")
    source = meta.get("metadata", {}).get(SOURCE_KEY)
    if source is not None and Path(source).exists():
        scan = read(Path(source))
        if scan.array.shape == array.shape:
            return scan.with_array(array)
    return Volume(array, placed_affine(meta.get("scale", (1.0,) * 3), meta.get("translate", (0.0,) * 3)))
