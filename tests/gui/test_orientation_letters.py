"""Letters of a direction and of the edges of a slice, by hand."""

import numpy as np
import pytest

from cvrl_napari.gui.orientation_letters import edge_letters, letters_towards

CANONICAL = np.array([[0, 0, -1.0, 0], [0, -2.0, 0, 0], [3.0, 0, 0, 0], [0, 0, 0, 1]])


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ((1, 0, 0), "R"),
        ((-2, 0, 0), "L"),
        ((0, 1, 0.1), "A"),
        ((0, -3, 0), "P"),
        ((0, 0, 0.5), "S"),
        ((0.1, 0, -1), "I"),
        ((-0.8, -0.6, 0), "LP"),
        ((0.6, -0.8, 0), "PR"),
        ((0.1, 0.45, 0.9), "SA"),
    ],
)
def test_a_direction_has_its_letters(direction, expected):
    assert letters_towards(direction) == expected


def test_the_edges_of_an_axial_slice_by_hand():
    assert edge_letters(CANONICAL, (1, 2)) == {"top": "A", "bottom": "P", "left": "R", "right": "L"}
    assert edge_letters(CANONICAL, (0, 2), ("up", "right")) == {"top": "S", "bottom": "I", "left": "R", "right": "L"}
    assert edge_letters(CANONICAL, (1, 2), ("up", "left")) == {"top": "P", "bottom": "A", "left": "L", "right": "R"}
