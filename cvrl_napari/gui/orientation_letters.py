"""Letters on the edges of the canvas that say which way the patient lies: R L, A P, S I; along an oblique axis two of them.

They are overlays of napari's canvas, so they are drawn with the picture and are on its screenshots.
"""

from collections.abc import Sequence
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Layer

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.letter_overlay import LetterOverlay
from cvrl_napari.gui.placement import layer_affine

TOWARDS = ("RL", "AP", "SI")
"""Letters of the world axes R, A, S: of the positive direction, then of the negative one."""
OBLIQUE = 0.35
"""Part of a unit vector from which on a second letter is given; an axis is about 20 degrees off then."""
EDGES = ("top", "bottom", "left", "right")
POSITIONS = {"top": "top_center", "bottom": "bottom_center", "left": "middle_left", "right": "middle_right"}
FONT_SIZE = 15
COLOR, BOX_COLOR = "#ffe08a", (0.0, 0.0, 0.0, 0.65)
"""Pale yellow on a dark box: it is read on black air as on bright bone."""


def letters_towards(direction: npt.ArrayLike) -> str:
    """Return the letters of a direction in the patient, (R, A, S): the nearest first, then one it leans to."""
    unit = np.asarray(direction, dtype=np.float64) / np.linalg.norm(direction)
    leading, second, _ = np.argsort(-np.abs(unit))
    named = [leading] + ([second] if abs(unit[second]) >= OBLIQUE else [])
    return "".join(TOWARDS[axis][0 if unit[axis] > 0 else 1] for axis in named)


def edge_letters(
    affine: npt.NDArray[np.float64], displayed: Sequence[int], orientation: tuple[str, str] = ("down", "right")
) -> dict[str, str]:
    """Return the letters of the four edges of a two-dimensional view.

    Parameters
    ----------
    affine : array of shape (4, 4)
        Index (z, y, x, 1) to RAS mm.
    displayed : sequence of int
        The vertical and the horizontal array axis of the view.
    orientation : str, str
        Where these run on the screen: 'up' or 'down', 'left' or 'right'.
    """
    vertical, horizontal = (affine[:3, axis] for axis in displayed)
    down = vertical if orientation[0] == "down" else -vertical
    right = horizontal if orientation[1] == "right" else -horizontal
    directions = {"top": -down, "bottom": down, "left": -right, "right": right}
    return {edge: letters_towards(direction) for edge, direction in directions.items()}


class OrientationLetters:
    """Keep the letters of a viewer right; they are hidden in 3D and when no layer says how it lies in the patient.

    They speak of the selected layer, else of the topmost one that knows.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        self._overlays: dict[str, LetterOverlay] = {}
        for edge in EDGES:
            overlay = LetterOverlay(
                position=POSITIONS[edge], font_size=FONT_SIZE, color=COLOR, box=True, box_color=BOX_COLOR, visible=False
            )
            viewer.canvas.overlays[_key(edge)] = self._overlays[edge] = overlay
        for emitter in self._emitters():
            emitter.connect(self.refresh)
        self.refresh()

    def close(self) -> None:
        """Take the letters off, and let go of the viewer."""
        if self._overlays:
            for emitter in self._emitters():
                emitter.disconnect(self.refresh)
            for edge in self._overlays:
                del self._viewer.canvas.overlays[_key(edge)]
            self._overlays = {}

    @property
    def shown(self) -> dict[str, str]:
        """The letters on view by edge, empty when there are none."""
        return {edge: overlay.text for edge, overlay in self._overlays.items() if overlay.visible}

    def refresh(self, _event: object = None) -> None:
        """Write the letters of the plane on view."""
        letters = self._letters()
        for edge, overlay in self._overlays.items():
            if letters and overlay.text != letters[edge]:
                overlay.text = letters[edge]
            overlay.visible = bool(letters)

    def _letters(self) -> dict[str, str]:
        dims, affine = self._viewer.dims, self._affine()
        if affine is None or dims.ndisplay != 2:
            return {}
        displayed = [axis - (dims.ndim - 3) for axis in dims.displayed]
        if min(displayed) < 0:  # an axis that is none of space
            return {}
        vertical, horizontal = camera_of(self._viewer).orientation2d
        return edge_letters(affine, displayed, (str(vertical), str(horizontal)))

    def _affine(self) -> npt.NDArray[np.float64] | None:
        layers = self._viewer.layers
        active = layers.selection.active
        wanted: list[Layer] = ([] if active is None else [active]) + [layer for layer in reversed(layers) if layer.visible]
        return next((affine for affine in map(layer_affine, wanted) if affine is not None), None)

    def _emitters(self) -> tuple[Any, ...]:
        viewer = self._viewer
        return (
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            viewer.dims.events.ndim,
            camera_of(viewer).events.orientation,
            viewer.layers.selection.events.active,
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
        )


def _key(edge: str) -> str:
    return f"cvrl_orientation_{edge}"
