"""How a case was looked at: slice, zoom and contrast, to be found again when the person comes back to it."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import napari
import numpy as np
from napari.components import Camera
from napari.layers import Image, Labels
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

from cvrl_napari.study.storage import atomic_write
from cvrl_napari.study.study import Study

SUPERIOR_AXIS = 0
"""z of the canonical order runs towards the head."""


class CaseView(BaseModel):
    """Slice positions and camera center in mm of the display, (z, y, x); zoom, pixels a mm; grey-value limits."""

    model_config = ConfigDict(frozen=True)

    point: Annotated[tuple[FiniteFloat, ...], Field(max_length=3)]
    zoom: Annotated[FiniteFloat, Field(gt=0)]
    center: tuple[FiniteFloat, FiniteFloat, FiniteFloat]
    contrast: tuple[FiniteFloat, FiniteFloat]

    @classmethod
    def of(cls, viewer: napari.Viewer, image: Image) -> "CaseView":
        """Remember what the viewer shows now."""
        low, high = image.contrast_limits
        camera = camera_of(viewer)
        point, (z, y, x) = tuple(map(float, viewer.dims.point[:3])), map(float, camera.center)
        # Not checked: a case is left whatever its numbers are. Those that cannot be are found when they are read again.
        return cls.model_construct(point=point, zoom=float(camera.zoom), center=(z, y, x), contrast=(float(low), float(high)))

    def restore(self, viewer: napari.Viewer, image: Image) -> None:
        """Show it again."""
        if self.contrast[0] < self.contrast[1]:
            set_contrast(image, self.contrast)
        viewer.dims.set_point(range(len(self.point)), self.point)
        camera_of(viewer).center = self.center
        camera_of(viewer).zoom = self.zoom


class CaseViews:
    """How the cases of one study are looked at; kept in its cache from one day to the next."""

    def __init__(self) -> None:
        self._views: dict[str, CaseView] = {}
        self._study: Study | None = None

    def open(self, study: Study) -> None:
        """From now on the views are of this study's cases, as they were when it was last closed."""
        if self._study is not None and self._study.folder == study.folder:
            self._study = study
            return
        self._study = study
        try:
            self._views = _VIEWS.validate_json(_file(study).read_bytes())
        except (OSError, ValidationError):  # none yet, or not ours: each case is shown as a new one
            self._views = {}

    def remember(self, case: str, view: CaseView) -> None:
        """Keep how a case is looked at."""
        self._views[case] = view

    def of(self, case: str) -> CaseView | None:
        """Return how a case was looked at, or None."""
        return self._views.get(case)

    def save(self) -> None:
        """Write them where the study may be written to."""
        if self._study is not None and not self._study.read_only:
            with suppress(OSError):  # only a convenience
                atomic_write(_file(self._study), _VIEWS.dump_json(self._views))


_VIEWS = TypeAdapter(dict[str, CaseView])


def _file(study: Study) -> Path:
    return study.cache_folder / "views.json"


def set_contrast(image: Image, limits: tuple[float, float]) -> None:
    """Show an image between two grey values, also such as it does not have."""
    low, high = limits
    least, most = image.contrast_limits_range
    image.contrast_limits_range = (min(least, low), max(most, high))
    image.contrast_limits = (low, high)


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
