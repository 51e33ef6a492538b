"""Window and level of the scan on view: presets, and what a drag of the mouse does. No widgets."""

from dataclasses import dataclass

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QObject

from cvrl_napari.gui.case_view import set_contrast
from cvrl_napari.gui.layers import Layers

SHARE_PER_PIXEL = 1 / 300
"""Part of the window's width that one pixel of a drag changes."""


@dataclass(frozen=True)
class CtWindow:
    """Grey values of a CT that are told apart, Hounsfield units."""

    name: str
    level: float
    width: float

    @property
    def limits(self) -> tuple[float, float]:
        """Darkest and brightest value."""
        return self.level - self.width / 2, self.level + self.width / 2

    @property
    def words(self) -> str:
        """What the menu says."""
        low, high = self.limits
        return f"CT {self.name.lower()}: {low:.0f} to {high:.0f} HU"


CT_WINDOWS = (
    CtWindow("Brain", 40, 80),
    CtWindow("Abdomen", 50, 400),
    CtWindow("Lung", -600, 1500),
    CtWindow("Bone", 400, 1800),
)
PERCENTILES = ((1.0, 99.0), (0.5, 99.5), (0.5, 99.9), (0.0, 100.0))


def percentile_words(low: float, high: float) -> str:
    """Say what a pair of percentiles shows."""
    return "All grey values" if (low, high) == (0, 100) else f"Percentiles {low:g} to {high:g}"


def percentile_limits(array: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Return the grey values below which `low` and `high` percent of about a million voxels of a scan lie."""
    if (low, high) == (0, 100):
        dark, bright = float(np.nanmin(array)), float(np.nanmax(array))
    else:
        stride = max(1, round((array.size / 1_000_000) ** (1 / 3)))
        dark, bright = (float(value) for value in np.nanpercentile(array[::stride, ::stride, ::stride], (low, high)))
    return dark, bright if bright > dark else dark + 1.0


def dragged(limits: tuple[float, float], right: float, down: float) -> tuple[float, float]:
    """Return the limits after a drag by pixels: to the right widens the window, up makes the picture brighter."""
    low, high = limits
    width = high - low
    level = (low + high) / 2 + down * width * SHARE_PER_PIXEL
    width *= float(np.exp(right * SHARE_PER_PIXEL))
    return level - width / 2, level + width / 2


class Contrast(QObject):
    """Changes the scan's contrast limits; each case keeps its own, see `case_view`."""

    def __init__(self, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers = layers

    def drag(self, right: float, down: float) -> None:
        """Follow a drag by so many pixels."""
        image = self._image()
        if image is not None:
            set_contrast(image, dragged(tuple(image.contrast_limits), right, down))

    def use_window(self, window: CtWindow) -> None:
        """Show a CT between the limits of an organ."""
        image = self._image()
        if image is not None:
            set_contrast(image, window.limits)

    def use_percentiles(self, low: float, high: float) -> None:
        """Show a scan between two percentiles of its own grey values."""
        image = self._image()
        if image is not None:
            set_contrast(image, percentile_limits(np.asarray(image.data), low, high))

    def _image(self) -> Image | None:
        """Return the image that the person looks at: the case's scan, or the channel shown in its place."""
        shown = self._layers.shown
        if shown is None:
            return None
        return next((image for image in (shown.image, *shown.channels) if image.visible), shown.image)
