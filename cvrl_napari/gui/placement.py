"""Where a volume is drawn in napari, and where a layer lies in space. No Qt, no napari."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cvrl_napari.volumes.volume import Volume

if TYPE_CHECKING:
    from napari.layers import Layer

SOURCE_KEY = "cvrl_source"
"""In a layer's metadata: the file whose grid the layer lies on."""
AFFINE_KEY = "cvrl_affine"
"""In a layer's metadata: its index (z, y, x, 1) to RAS mm, as nested tuples; napari is not told of rotations."""
CASE_KEY = "cvrl_case"
"""In a layer's metadata: the case of the open study that it belongs to."""
PART_KEY = "cvrl_part"
"""In a layer's metadata: which of several volumes of the file it is, from 0."""
RESAMPLED_KEY = "cvrl_resampled"
"""In a layer's metadata: true when its slices were brought to a regular grid."""
PAINTED_BACKGROUND_KEY = "cvrl_painted_background"
"""In a layer's metadata: the value that means painted background, 0 in every other program."""


def placement(volume: Volume) -> dict[str, Any]:
    """Return the scale, translate and units of a layer that shows this volume.

    Display axes are (z, y, x) towards Superior, Posterior and Left in mm, the directions of canonical arrays. An oblique
    scan is drawn along its own axes: napari is given no rotation, which it would not draw, nor a permutation, of which it
    crashes.
    """
    right, anterior, superior = volume.origin
    return {"scale": volume.spacing, "translate": (superior, -anterior, -right), "units": ("mm", "mm", "mm")}


def voxel_at(volume: Volume, position: Sequence[float]) -> tuple[int, int, int] | None:
    """Return the voxel (z, y, x) of a volume that is drawn at a position (z, y, x) in mm of the display; None beside it."""
    place = placement(volume)
    voxel = np.round((np.array(position) - place["translate"]) / place["scale"]).astype(int)
    if (voxel < 0).any() or (voxel >= volume.array.shape).any():
        return None
    z, y, x = voxel.tolist()
    return z, y, x


def provenance(volume: Volume, source: Path) -> dict[str, Any]:
    """Return the metadata of a layer that shows this volume: its file and how it lies in the patient."""
    return {SOURCE_KEY: str(source), AFFINE_KEY: tuple(tuple(row) for row in volume.affine.tolist())}


def layer_affine(layer: "Layer") -> np.ndarray | None:
    """Return the affine, index (z, y, x, 1) to RAS mm, that a layer of ours carries; None for any other layer."""
    affine = layer.metadata.get(AFFINE_KEY)
    return None if affine is None else np.array(affine, dtype=np.float64)


def placed_affine(scale: Sequence[float], translate: Sequence[float]) -> np.ndarray:
    """Return the affine, index (z, y, x, 1) to RAS mm, of a layer drawn there; inverse of `placement`."""
    affine = np.zeros((4, 4))
    affine[(2, 1, 0, 3), (0, 1, 2, 3)] = (scale[0], -scale[1], -scale[2], 1.0)
    affine[:3, 3] = (-translate[2], -translate[1], translate[0])
    return affine
