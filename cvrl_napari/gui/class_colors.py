"""Colours and names of label values in napari: classes in their colours, painted background in grey, 0 transparent."""

from collections.abc import Mapping, Sequence

import numpy as np
from napari.utils.colormaps import DirectLabelColormap

from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import BACKGROUND

BACKGROUND_COLOR = "#b8bec6"
"""Light slate: visibly painted, and not the colour of any class."""


def class_colormap(classes: Sequence[StructureClass]) -> DirectLabelColormap:
    """Return the colours of a labels layer; values that are no class are transparent."""
    return colormap({one.id: one.color for one in classes} | {BACKGROUND: BACKGROUND_COLOR})


def class_names(classes: Sequence[StructureClass]) -> dict[str, np.ndarray]:
    """Return a features table with which napari's status bar names what lies under the cursor."""
    return names({one.id: one.name for one in classes} | {BACKGROUND: "background (painted)"})


def colormap(colors: Mapping[int, str]) -> DirectLabelColormap:
    """Return a colormap from '#rrggbb' by label value; all other values are transparent."""
    table: dict[int | None, str] = {None: "transparent", 0: "transparent"}
    return DirectLabelColormap(color_dict=table | dict(colors))


def names(words: Mapping[int, str]) -> dict[str, np.ndarray]:
    """Return a features table from words by label value."""
    return {"index": np.array([0, *words]), "structure": np.array(["not painted", *words.values()])}
