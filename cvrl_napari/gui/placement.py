"""Where a volume is drawn in napari, and where a layer lies in space. No Qt, no napari."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cvrl_napari.volumes.volume import Volume

SOURCE_KEY = "cvrl_source"
"""In a layer's metadata: the file whose grid the layer lies on."""
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


def placed_affine(scale: Sequence[float], translate: Sequence[float]) -> np.ndarray:
    """Return the affine, index (z, y, x, 1) to RAS mm, of a layer drawn there; inverse of `placement`."""
    affine = np.zeros((4, 4))
    affine[(2, 1, 0, 3), (0, 1, 2, 3)] = (scale[0], -scale[1], -scale[2], 1.0)
    affine[:3, 3] = (-translate[2], -translate[1], translate[0])
    return affine
