"""What is written on the edges of napari's canvas: the letters of the patient's sides and a scale bar, an overlay of its own.

It is painted by what draws the linked views, so both look alike. napari's overlays of text do the same at seven milliseconds a
frame, and are placed anew with every move of the brush's circle.
"""

from math import ceil
from typing import Any

import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispyCanvasOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import CanvasOverlay
from pydantic import Field
from qtpy.QtGui import QFont, QImage, QPainter

from cvrl_napari.gui.views.canvas_pictures import Pictures
from cvrl_napari.gui.views.plane_drawing import BAR_SHARE, draw_letters, draw_scale_bar

LETTER_PIXELS, BAR_PIXELS = 20, 13
"""Heights of the fonts."""
LETTER_ROOM, BAR_ROOM = (84, 40), (60, 44)
"""Width and height of what a letter takes; of what the bar takes beyond its length."""


class EdgeOverlay(CanvasOverlay):  # type: ignore[misc]
    """Letters and a scale bar.

    Attributes
    ----------
    letters : dict of str
        By edge ("top", "bottom", "left", "right").
    pixels_per_mm : float
        How large a millimeter is on the canvas, in logical pixels; 0 for no scale bar.
    """

    position: Any = "edges"  # of none of napari's places, so that napari does not arrange it among its own
    box: bool = False
    letters: dict[str, str] = Field(default_factory=dict)
    pixels_per_mm: float = 0.0


class _Edges(ViewerOverlayMixin, VispyCanvasOverlay):  # type: ignore[misc]
    overlay: EdgeOverlay

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(node=Pictures(), **kwargs)
        self.overlay.events.letters.connect(self._paint)
        self.overlay.events.pixels_per_mm.connect(self._paint)
        self._canvas = self.node.canvas
        if self._canvas is not None:
            self._canvas.events.resize.connect(self._paint)
        self.reset()
        self._paint()

    def _paint(self, _event: object = None) -> None:
        if self._canvas is not None:
            (width, height), scale = self._canvas.size, float(self._canvas.pixel_scale)
            self.node.show(*painted(self.overlay, int(width), int(height), scale), scale)

    def close(self) -> None:
        """Let go of the model and the canvas."""
        self.overlay.events.letters.disconnect(self._paint)
        self.overlay.events.pixels_per_mm.disconnect(self._paint)
        if self._canvas is not None:
            self._canvas.events.resize.disconnect(self._paint)
        super().close()


overlay_to_visual[EdgeOverlay] = _Edges


def painted(overlay: EdgeOverlay, width: int, height: int, scale: float) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """Return the pieces of a canvas that have something on them, one below another, and where they go.

    Parameters
    ----------
    overlay : EdgeOverlay
    width, height : int
        Of the canvas, logical pixels.
    scale : float
        Pixels of the screen to a logical one.

    Returns
    -------
    array of shape (height, width, 4)
        RGBA, `uint8`, `scale` pixels to a logical one.
    list of (x, y, width, height)
        Logical pixels.
    """
    wide, high = LETTER_ROOM
    middle, center = (width - wide) // 2, (height - high) // 2
    places = {"top": (middle, 0), "bottom": (middle, height - high), "left": (0, center), "right": (width - wide, center)}
    pieces = [(*places[edge], wide, high) for edge in overlay.letters]
    if overlay.pixels_per_mm:
        bar, tall = int(BAR_SHARE * width) + BAR_ROOM[0], BAR_ROOM[1]
        pieces.append((width - bar, height - tall, bar, tall))
    if not pieces:
        return np.zeros((1, 1, 4), np.uint8), []
    across, down = max(piece[2] for piece in pieces), sum(piece[3] for piece in pieces)
    image = QImage(ceil(across * scale), ceil(down * scale), QImage.Format.Format_RGBA8888)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    top = 0
    for x, y, piece_width, piece_height in pieces:
        painter.resetTransform()
        painter.scale(scale, scale)
        painter.setClipRect(0, top, piece_width, piece_height)
        painter.translate(-x, top - y)
        _write(painter, overlay, width, height)
        top += piece_height
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 4 * image.width()].reshape(image.height(), image.width(), 4).copy(), pieces


def _write(painter: QPainter, overlay: EdgeOverlay, width: int, height: int) -> None:
    font = QFont(painter.font())
    font.setPixelSize(LETTER_PIXELS)
    painter.setFont(font)
    draw_letters(painter, overlay.letters, width, height)
    font.setPixelSize(BAR_PIXELS)
    font.setBold(False)
    painter.setFont(font)
    if overlay.pixels_per_mm:
        draw_scale_bar(painter, overlay.pixels_per_mm, width, height)
