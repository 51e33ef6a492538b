"""What the points are colored by: each belongs to one group with a name and a color. No Qt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from cvrl_napari.engine.embedding_sample import Sample
from cvrl_napari.gui.class_colors import BACKGROUND_COLOR
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import BACKGROUND

Kind = Literal["painted", "predicted", "case", "uncertainty", "right", "z", "y", "x"]
KINDS: dict[Kind, str] = {
    "painted": "painted class",
    "predicted": "predicted class",
    "right": "right or wrong",
    "uncertainty": "uncertainty",
    "case": "case",
    "z": "position, feet to head",
    "y": "position, front to back",
    "x": "position, right to left",
}
"""Each kind in words."""
NOT_PAINTED_COLOR = "#62676f"
RIGHT_COLOR, WRONG_COLOR = "#4ba3c3", "#ff4fd8"
CASE_COLORS = (
    *("#4e9ad6", "#f2a541", "#6cc07a", "#e0646a", "#a98bdb", "#c49a7a"),
    *("#e58fc6", "#b5bd4c", "#4fc3c9", "#d6d6d6", "#7f8fe0", "#8c6d46"),
)
RAMP = ("#3b4cc0", "#5f7fe8", "#86a9fc", "#b0cbfb", "#e8c9b5", "#f4a281", "#df6a53", "#b40426")
"""Low to high: cool to warm, as Moreland (2009)."""
ENDS = {"z": ("feet", "head"), "y": ("front", "back"), "x": ("right", "left")}


class Group(NamedTuple):
    """A row of the legend; `class_id` when it stands for a class."""

    name: str
    color: str
    class_id: int | None = None


@dataclass(frozen=True)
class Coloring:
    """`index` (N,) uint8 says of each point which of `groups` it belongs to."""

    index: np.ndarray
    groups: tuple[Group, ...]

    def counts(self) -> np.ndarray:
        """Return how many points each group has."""
        return np.bincount(self.index, minlength=len(self.groups))


def color_by(kind: Kind, sample: Sample, classes: Sequence[StructureClass], shapes: Sequence[Sequence[int]]) -> Coloring:
    """Group the points of a sample.

    Parameters
    ----------
    shapes : sequence of (z, y, x)
        Voxels of the scan of each of `sample.cases`, to which positions relate.
    """
    match kind:
        case "painted":
            none = Group("not painted", NOT_PAINTED_COLOR)
            return _by_class(sample.painted, classes, none, Group("background", BACKGROUND_COLOR, BACKGROUND))
        case "predicted":
            return _by_class(sample.predicted, classes, Group("background", NOT_PAINTED_COLOR))
        case "right":
            predicted = np.where(sample.predicted == 0, BACKGROUND, sample.predicted)
            index = np.where(sample.painted == 0, 0, np.where(sample.painted == predicted, 1, 2))
            judged = (Group("not painted", NOT_PAINTED_COLOR), Group("right", RIGHT_COLOR), Group("wrong", WRONG_COLOR))
            return Coloring(index.astype(np.uint8), judged)
        case "uncertainty":
            return _ramp(sample.uncertainty, "sure", "unsure")
        case "case":
            shown = len(sample.cases) if len(sample.cases) <= len(CASE_COLORS) else len(CASE_COLORS) - 1
            groups = tuple(Group(name, color) for name, color in zip(sample.cases[:shown], CASE_COLORS, strict=False))
            if shown < len(sample.cases):
                groups += (Group(f"{len(sample.cases) - shown} more", CASE_COLORS[-1]),)
            return Coloring(np.minimum(sample.case_of, shown).astype(np.uint8), groups)
        case _:
            axis = "zyx".index(kind)
            last = np.array([max(1, shape[axis] - 1) for shape in shapes])
            return _ramp(sample.voxels[:, axis] / last[sample.case_of], *ENDS[kind])


def _by_class(values: np.ndarray, classes: Sequence[StructureClass], *before: Group) -> Coloring:
    groups = (*before, *(Group(one.name, one.color, one.id) for one in classes))
    table = np.zeros(256, np.uint8)
    for number, group in enumerate(groups):
        table[group.class_id or 0] = number
    return Coloring(table[values], groups)


def _ramp(values: np.ndarray, low: str, high: str) -> Coloring:
    """Group values in 0..1 into steps of equal width."""
    steps = len(RAMP)
    index = np.clip((np.asarray(values, np.float64) * steps).astype(int), 0, steps - 1)
    names = [f"{number / steps:.2f} to {(number + 1) / steps:.2f}" for number in range(steps)]
    names[0], names[-1] = f"{names[0]} ({low})", f"{names[-1]} ({high})"
    return Coloring(index.astype(np.uint8), tuple(map(Group, names, RAMP)))
