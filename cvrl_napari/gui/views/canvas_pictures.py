"""Small pictures on a canvas of vispy, however many, in one draw.

A text of vispy's costs the GUI thread a millisecond of each frame and its box another third, changed or not. Pictures that are
painted once lie in one texture, each beside a corner of the canvas's own pixels, and cost a third of a millisecond together.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from vispy.gloo import Texture2D, VertexBuffer
from vispy.scene.visuals import create_visual_node
from vispy.visuals import Visual

VERTEX = """
attribute vec2 a_place;
attribute vec2 a_texel;
varying vec2 v_texel;
void main() {
    v_texel = a_texel;
    gl_Position = $transform(vec4(a_place, 0.0, 1.0));
}
"""
FRAGMENT = """
uniform sampler2D u_atlas;
varying vec2 v_texel;
void main() {
    gl_FragColor = texture2D(u_atlas, v_texel);
}
"""
CORNERS = np.array([(0, 0), (1, 0), (1, 1), (0, 0), (1, 1), (0, 1)], np.float32)
"""Two triangles that fill a square, (x, y)."""


class PicturesVisual(Visual):  # type: ignore[misc]
    """Rectangles of a canvas, filled from one picture in which they lie one below another; nothing until `show`."""

    def __init__(self) -> None:
        super().__init__(vcode=VERTEX, fcode=FRAGMENT)
        self._count = 0
        self._atlas = Texture2D(np.zeros((1, 1, 4), np.uint8), interpolation="linear")
        self._places, self._texels = (VertexBuffer(np.zeros((1, 2), np.float32)) for _ in range(2))
        self.shared_program["u_atlas"] = self._atlas
        self.shared_program["a_place"], self.shared_program["a_texel"] = self._places, self._texels
        self._draw_mode = "triangles"
        self.set_gl_state("translucent", depth_test=False, cull_face=False)
        self.freeze()

    def show(self, atlas: npt.NDArray[np.uint8], rectangles: Sequence[tuple[int, int, int, int]], scale: float) -> None:
        """Draw these from now on.

        Parameters
        ----------
        atlas : array of shape (height, width, 4)
            RGBA, not multiplied by its opacity. The pictures lie along its left side, one below another.
        rectangles : sequence of (x, y, width, height)
            Where they go, in logical pixels of the canvas, y downwards.
        scale : float
            Pixels of the atlas to a logical one.
        """
        self._count = len(rectangles)
        if rectangles:
            sizes = np.array([rectangle[2:] for rectangle in rectangles], np.float32)
            tops = np.cumsum(sizes[:, 1]) - sizes[:, 1]
            whole = np.array(atlas.shape[1::-1], np.float32) / scale
            corners = [CORNERS * size for size in sizes]
            places = [corner + rectangle[:2] for corner, rectangle in zip(corners, rectangles, strict=True)]
            texels = [(corner + np.array([0, top])) / whole for corner, top in zip(corners, tops, strict=True)]
            self._atlas.set_data(np.ascontiguousarray(atlas))
            self._places.set_data(np.concatenate(places).astype(np.float32))
            self._texels.set_data(np.concatenate(texels).astype(np.float32))
        self.update()

    def _prepare_transforms(self, view: Visual) -> None:
        view.view_program.vert["transform"] = view.transforms.get_transform()

    def _prepare_draw(self, view: Visual) -> bool:
        return self._count > 0

    def _compute_bounds(self, axis: int, view: Visual) -> None:
        return None  # of the canvas, not of the scene


Pictures = create_visual_node(PicturesVisual)
