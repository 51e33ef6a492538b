"""A letter on the edge of napari's canvas that costs nothing while the brush moves.

napari places every text of the canvas anew at each move of the brush's circle, and vispy takes a place that is no whole number
for a new one each time, since it keeps the former one with fewer digits. A letter of whole pixels is found where it was.
"""

from math import ceil

from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import TextOverlay


class LetterOverlay(TextOverlay):  # type: ignore[misc]
    """A text on the canvas whose width and height are even numbers of pixels: it lies on whole ones, centered too."""


class _Letter(overlay_to_visual[TextOverlay]):  # type: ignore[misc]
    overlay: LetterOverlay
    _width = _height = 0.0

    @property
    def x_size(self) -> float:
        """Width in pixels of the canvas, by which napari places it."""
        return self._width

    @x_size.setter
    def x_size(self, pixels: float) -> None:
        self._width = _even(pixels)

    @property
    def y_size(self) -> float:
        """Height in pixels of the canvas."""
        return self._height

    @y_size.setter
    def y_size(self, pixels: float) -> None:
        self._height = _even(pixels)


overlay_to_visual[LetterOverlay] = _Letter


def _even(pixels: float) -> float:
    return 2.0 * ceil(pixels / 2)
