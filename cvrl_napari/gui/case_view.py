"""How a case was looked at: slice, zoom and contrast, to be found again when the person comes back to it."""

from dataclasses import dataclass

import napari
import numpy as np
from napari.layers import Image

from cvrl_napari.volumes.volume import Volume

SUPERIOR_AXIS = 0
"""z of the canonical order runs towards the head."""


@dataclass(frozen=True)
class CaseView:
    """Slice positions and camera center in mm of the display, zoom, grey-value limits."""

    point: tuple[float, ...]
    zoom: float
    center: tuple[float, ...]
    contrast: tuple[float, float]

    @classmethod
    def of(cls, viewer: napari.Viewer, image: Image) -> "CaseView":
        """Remember what the viewer shows now."""
        low, high = image.contrast_limits
        return cls(tuple(viewer.dims.point), viewer.camera.zoom, tuple(viewer.camera.center), (low, high))

    def restore(self, viewer: napari.Viewer, image: Image) -> None:
        """Show it again."""
        image.contrast_limits = self.contrast
        viewer.dims.set_point(range(len(self.point)), self.point)
        viewer.camera.center = self.center
        viewer.camera.zoom = self.zoom


def display_translate(volume: Volume) -> tuple[float, float, float]:
    """Return where the first voxel is drawn: mm towards (Superior, Posterior, Left), the directions of canonical axes.

    An oblique scan is drawn along its own axes, like every scan: napari gets no rotation.
    """
    right, anterior, superior = volume.origin
    return superior, -anterior, -right


def grey_limits(array: np.ndarray) -> tuple[float, float]:
    """Return grey values between which a scan is shown: the 0.5th and 99.5th percentile of a sample of its voxels."""
    stride = max(1, round((array.size / 500_000) ** (1 / 3)))
    low, high = np.percentile(array[::stride, ::stride, ::stride], (0.5, 99.5))
    if low == high:
        low, high = float(array.min()), float(array.max())
    return float(low), float(high) if high > low else float(low) + 1.0


def turn_head_up(viewer: napari.Viewer) -> None:
    """Draw coronal and sagittal slices with the head up; axial ones keep the nose up.

    In 3D the vertical axis keeps its direction: turning one axis alone would mirror the anatomy.
    """
    if viewer.dims.ndim != 3:
        return
    upright = viewer.dims.ndisplay == 2 and viewer.dims.order[-2] == SUPERIOR_AXIS
    viewer.camera.orientation2d = ("up" if upright else "down", "right")
