"""A measured distance. No Qt, no napari."""

from typing import NamedTuple

import numpy as np

from cvrl_napari.gui.views.planes import Point


class Measured(NamedTuple):
    """A line between two points in mm of the display, which is never stretched: its length is the distance in the patient."""

    start: Point
    end: Point

    @property
    def length_mm(self) -> float:
        """How far the points lie apart."""
        return float(np.linalg.norm(np.subtract(self.end, self.start)))

    @property
    def words(self) -> str:
        """What is written beside the line."""
        return f"{self.length_mm:.1f} mm"
