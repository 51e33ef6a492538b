"""Letters that say which way the patient lies on the screen: R L, A P, S I; along an oblique axis two of them."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

TOWARDS = ("RL", "AP", "SI")
"""Letters of the world axes R, A, S: of the positive direction, then of the negative one."""
OBLIQUE = 0.35
"""Part of a unit vector from which on a second letter is given; an axis is about 20 degrees off then."""
COLOR = "#ffe08a"
"""Pale yellow: on a dark box it is read on black air as on bright bone."""


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
