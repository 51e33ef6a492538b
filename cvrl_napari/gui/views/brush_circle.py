"""napari's circle round the brush, drawn by one square that a shader leaves empty but for a ring.

napari draws two lines of its smoothest kind, which cost the GUI thread 2.7 ms of every frame while a brush is in hand.
"""

from typing import Any

import numpy as np
from napari._vispy.utils.visual import overlay_to_visual
from napari.components.overlays import BrushCircleOverlay
from vispy.gloo import VertexBuffer
from vispy.visuals import Visual

VERTEX = """
attribute vec2 a_corner;
uniform float u_radius;
varying vec2 v_place;
void main() {
    v_place = a_corner * (u_radius + 1.5);
    gl_Position = $transform(vec4(v_place, 0.0, 1.0));
}
"""
FRAGMENT = """
uniform float u_radius;
varying vec2 v_place;
void main() {
    float inward = u_radius - length(v_place);
    float white = clamp(1.0 - abs(inward), 0.0, 1.0);
    float black = clamp(1.0 - abs(inward - 1.0), 0.0, 1.0);
    if (white + black <= 0.0) discard;
    gl_FragColor = vec4(vec3(white / (white + black)), min(white + black, 1.0));
}
"""
SQUARE = np.array([(-1, -1), (1, -1), (1, 1), (-1, -1), (1, 1), (-1, 1)], np.float32)


class RingVisual(Visual):  # type: ignore[misc]
    """A white circle of one pixel and a black one inside it, about the origin."""

    def __init__(self) -> None:
        super().__init__(vcode=VERTEX, fcode=FRAGMENT)
        self.shared_program["a_corner"] = VertexBuffer(SQUARE)
        self._draw_mode = "triangles"
        self.set_gl_state("translucent", depth_test=False, cull_face=False)
        self.radius = 1.0
        self.freeze()

    @property
    def radius(self) -> float:
        """Of the white circle, in logical pixels of the canvas."""
        return float(self.shared_program["u_radius"])

    @radius.setter
    def radius(self, pixels: float) -> None:
        self.shared_program["u_radius"] = pixels
        self.update()

    def _prepare_transforms(self, view: Visual) -> None:
        view.view_program.vert["transform"] = view.transforms.get_transform()

    def _compute_bounds(self, axis: int, view: Visual) -> None:
        return None  # of the canvas, not of the scene


class _BrushCircle(overlay_to_visual[BrushCircleOverlay]):  # type: ignore[misc]
    """napari's, with the ring in place of its two lines."""

    def __init__(self, **kwargs: Any) -> None:
        self._ring = RingVisual()
        super().__init__(**kwargs)
        for name in ("_white_circle", "_black_circle"):
            if line := getattr(self, name, None):  # a napari without them draws a circle more, no less
                line.visible = False
        self.node.add_subvisual(self._ring)

    def _on_size_change(self, event: object = None) -> None:
        super()._on_size_change(event)
        self._ring.radius = self.overlay.size / 2


def draw_ring() -> None:
    """Have every circle that napari makes from now on drawn so."""
    overlay_to_visual[BrushCircleOverlay] = _BrushCircle
