"""The three planes of a scan and how a point of space lies on the screen in each. Plain geometry: no Qt, no napari."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Point = tuple[float, float, float]
"""A place in mm of napari's display, (z, y, x) towards Superior, Posterior and Left; see `placement`."""


@dataclass(frozen=True)
class Plane:
    """A plane across canonical arrays (z, y, x), drawn as radiologists look at it.

    Parameters
    ----------
    normal, vertical, horizontal : int
        Array axis that is cut, that runs along the screen's height, that runs along its width.
    upwards : bool
        Whether the vertical axis runs up the screen; the horizontal one always runs to the right.
    """

    name: str
    normal: int
    vertical: int
    horizontal: int
    upwards: bool

    @property
    def orientation(self) -> tuple[str, str]:
        """Where the axes run on the screen, as `edge_letters` wants it."""
        return ("up" if self.upwards else "down", "right")


AXIAL = Plane("Axial", normal=0, vertical=1, horizontal=2, upwards=False)
CORONAL = Plane("Coronal", normal=1, vertical=0, horizontal=2, upwards=True)
SAGITTAL = Plane("Sagittal", normal=2, vertical=0, horizontal=1, upwards=True)
PLANES = (AXIAL, CORONAL, SAGITTAL)


@dataclass(frozen=True)
class Frame:
    """What part of a plane a widget shows.

    Parameters
    ----------
    center : float, float
        Place in the middle of the widget, mm along the plane's vertical and horizontal axis.
    zoom : float
        Pixels a mm.
    width, height : int
        Pixels of the widget.
    """

    plane: Plane
    center: tuple[float, float]
    zoom: float
    width: int
    height: int

    @classmethod
    def around(cls, plane: Plane, low: npt.ArrayLike, high: npt.ArrayLike, width: int, height: int) -> "Frame":
        """Show all of a box (its corners in mm, (z, y, x)), as large as the widget lets it be."""
        low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
        center, extent = (low + high) / 2, np.maximum(high - low, 1e-6)
        vertical, horizontal = plane.vertical, plane.horizontal
        zoom = max(min(height / extent[vertical], width / extent[horizontal]), 1e-6)
        return cls(plane, (float(center[vertical]), float(center[horizontal])), float(zoom), width, height)

    def to_screen(self, point: npt.ArrayLike) -> tuple[float, float]:
        """Return the pixel (x, y) of a point in mm."""
        place = np.asarray(point, np.float64)
        down = (place[self.plane.vertical] - self.center[0]) * self.zoom * (-1 if self.plane.upwards else 1)
        right = (place[self.plane.horizontal] - self.center[1]) * self.zoom
        return float(self.width / 2 + right), float(self.height / 2 + down)

    def to_point(self, x: float, y: float, at: npt.ArrayLike) -> Point:
        """Return the point in mm below a pixel, in the slice that goes through the point `at`."""
        point = np.array(at, np.float64)
        point[self.plane.vertical] = self.center[0] + (y - self.height / 2) / self.zoom * (-1 if self.plane.upwards else 1)
        point[self.plane.horizontal] = self.center[1] + (x - self.width / 2) / self.zoom
        return float(point[0]), float(point[1]), float(point[2])

    def zoomed(self, factor: float, x: float, y: float) -> "Frame":
        """Zoom about a pixel, which keeps its place."""
        before = self.to_point(x, y, (0, 0, 0))
        zoomed = replace(self, zoom=float(np.clip(self.zoom * factor, 1e-3, 1e3)))
        after = zoomed.to_point(x, y, (0, 0, 0))
        vertical, horizontal = self.plane.vertical, self.plane.horizontal
        shift = before[vertical] - after[vertical], before[horizontal] - after[horizontal]
        return replace(zoomed, center=(self.center[0] + shift[0], self.center[1] + shift[1]))

    def moved(self, x: float, y: float) -> "Frame":
        """Move the picture by pixels to the right and down."""
        vertical = self.center[0] - y / self.zoom * (-1 if self.plane.upwards else 1)
        return replace(self, center=(vertical, self.center[1] - x / self.zoom))
