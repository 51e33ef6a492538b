"""How a case was looked at: slice, zoom and contrast, to be found again when the person comes back to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import napari
import numpy as np
from napari.components import Camera
from napari.layers import Image, Labels

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
        return cls(tuple(viewer.dims.point), camera_of(viewer).zoom, tuple(camera_of(viewer).center), (low, high))

    def restore(self, viewer: napari.Viewer, image: Image) -> None:
        """Show it again."""
        image.contrast_limits = self.contrast
        viewer.dims.set_point(range(len(self.point)), self.point)
        camera_of(viewer).center = self.center
        camera_of(viewer).zoom = self.zoom


def camera_of(viewer: napari.Viewer) -> Camera:
    """Return the camera of the viewer's scene."""
    camera: Camera = viewer.scene.camera
    return camera


def look_at_middle(viewer: napari.Viewer, labels: Labels) -> None:
    """Show a case as a whole, at the middle of what is painted, or of the scan."""
    painted = np.flatnonzero(labels.data.any(axis=(1, 2)))
    middle = [size // 2 for size in labels.data.shape]
    middle[0] = int(painted[len(painted) // 2]) if painted.size else middle[0]
    viewer.reset_view()
    viewer.dims.set_point(range(3), labels.data_to_world(middle))


def turn_head_up(viewer: napari.Viewer) -> None:
    """Draw coronal and sagittal slices with the head up; axial ones keep the nose up.

    In 3D axes towards Superior, Posterior and Left are drawn away, down and to the right: napari's own choice for the first
    one, towards the viewer, would mirror the anatomy.
    """
    if viewer.dims.ndim != 3:
        return
    upright = viewer.dims.ndisplay == 2 and viewer.dims.order[-2] == SUPERIOR_AXIS
    camera_of(viewer).orientation = ("away", "up" if upright else "down", "right")


def plane_on_view(viewer: napari.Viewer, image: Image) -> tuple[int, int]:
    """Return axis (0 = z) and index of the slice of an image that is on view; in 3D the axial one."""
    dims = viewer.dims
    axis = int(dims.order[0]) if dims.ndim == 3 and dims.ndisplay == 2 else 0
    return axis, nearest_voxel(image, dims.point[-3:])[axis]


def nearest_voxel(image: Image, world: Sequence[float]) -> tuple[int, int, int]:
    """Return the index (z, y, x) of the voxel of an image that is nearest to a position of the display in mm."""
    point = image.world_to_data(world)
    z, y, x = (int(np.clip(round(float(at)), 0, size - 1)) for at, size in zip(point, image.data.shape, strict=True))
    return z, y, x
