"""The crosshair of the linked views on napari's own canvas: an overlay of the scene, drawn with the picture.

An overlay of one's own is a model and a visual, entered in a table of napari's (`examples/dev/overlays.py` there shows it). The
lines are made once for a zoom; a move of the crosshair only moves them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import napari
import numpy as np
from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays.base import SceneOverlay
from napari.layers.base._base_constants import Blending
from vispy.color import Color
from vispy.scene.visuals import Line

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.orientation_letters import COLOR
from cvrl_napari.gui.views.crosshair import Crosshair
from cvrl_napari.gui.views.plane_drawing import GAP

KEY = "cvrl_crosshair"
REACH_PIXELS = 10_000.0
"""Half the length of the lines: farther than any screen."""
LINE, RIM = (*Color(COLOR).rgb, 0.67), (0.0, 0.0, 0.0, 0.45)


class CrosshairOverlay(SceneOverlay):  # type: ignore[misc]
    """Four lines that leave a gap round a place.

    Attributes
    ----------
    place : float, float
        Vertical and horizontal coordinate of the plane on view, mm.
    pixel : float
        Size of a pixel of the screen, mm.
    """

    blending: Blending = Blending.TRANSLUCENT_NO_DEPTH
    place: tuple[float, float] = (0.0, 0.0)
    pixel: float = 1.0


class _Lines(ViewerOverlayMixin, VispySceneOverlay):  # type: ignore[misc]
    overlay: CrosshairOverlay

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(node=Line(connect="segments", method="gl"), **kwargs)
        self.overlay.events.place.connect(self._move)
        self.overlay.events.pixel.connect(self._draw)
        self.reset()

    def _draw(self) -> None:
        points, colors = lines(self.overlay.pixel)
        self.node.set_data(pos=points, color=colors)

    def _move(self) -> None:
        vertical, horizontal = self.overlay.place
        self.node.transform.reset()
        self.node.transform.translate((horizontal, vertical))

    def reset(self) -> None:
        """Draw as the model says."""
        super().reset()
        self._draw()
        self._move()

    def close(self) -> None:
        """Let go of the model."""
        self.overlay.events.place.disconnect(self._move)
        self.overlay.events.pixel.disconnect(self._draw)
        super().close()


overlay_to_visual[CrosshairOverlay] = _Lines


def lines(pixel: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the lines about the origin, two points each (N, 2), (x, y), and their colours (N, 4); `pixel` is in mm.

    Each pale line lies between two dark ones, to be seen on bright bone as on black air.
    """
    points, colors = [], []
    for aside, color in ((-1.0, RIM), (1.0, RIM), (0.0, LINE)):
        for sign in (-1.0, 1.0):
            ends = [(sign * GAP, aside), (sign * REACH_PIXELS, aside)]
            points += [*ends, *((y, x) for x, y in ends)]
            colors += 4 * [color]
    return np.array(points, np.float32) * pixel, np.array(colors, np.float32)


class CanvasCrosshair:
    """Shows a crosshair on the canvas while that is in two dimensions; `close` takes it away."""

    def __init__(self, viewer: napari.Viewer, crosshair: Crosshair, *, on: bool) -> None:
        self._viewer, self._crosshair, self._is_on = viewer, crosshair, on
        self.overlay = CrosshairOverlay()
        self._follow()
        viewer.scene.overlays[KEY] = self.overlay
        crosshair.moved.connect(self._follow)
        for emitter in self._emitters():
            emitter.connect(self._follow)

    def close(self) -> None:
        """Take it away, and let go of the viewer."""
        for emitter in self._emitters():
            emitter.disconnect(self._follow)
        self._crosshair.moved.disconnect(self._follow)
        del self._viewer.scene.overlays[KEY]

    def turn(self, on: bool) -> None:
        """Show the lines, or show them no more."""
        self._is_on = on
        self._follow()

    @contextmanager
    def out_of_the_way(self) -> Iterator[None]:
        """Have no lines meanwhile, under the brush."""
        self.overlay.visible = False
        try:
            yield
        finally:
            self._follow()

    def _follow(self, _event: object = None) -> None:
        dims = self._viewer.dims
        is_seen = self._is_on and dims.ndisplay == 2 and dims.ndim >= 3
        if is_seen:
            vertical, horizontal = (float(dims.point[axis]) for axis in dims.displayed)
            self.overlay.place = (vertical, horizontal)
            self.overlay.pixel = 1 / camera_of(self._viewer).zoom
        self.overlay.visible = is_seen

    def _emitters(self) -> tuple[Any, ...]:
        dims = self._viewer.dims.events
        return dims.order, dims.ndisplay, camera_of(self._viewer).events.zoom
