"""What the status bar says of the voxel under the cursor: where it lies in the patient in mm, its index, grey value and class.

napari asks the selected layer for its status in a thread of its own, as often as that thread keeps up; our layers answer
with a sentence of ours. No event is listened to and the event loop has no part in it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import napari
import numpy as np
import numpy.typing as npt
from napari.layers import Image, Labels, Layer

from cvrl_napari.gui.placement import PAINTED_BACKGROUND_KEY, SOURCE_KEY, layer_affine

DIRECTIONS = (("right", "left"), ("anterior", "posterior"), ("superior", "inferior"))
"""Words for the positive and the negative side of the world axes R, A, S."""
APART = " · "


@dataclass(frozen=True)
class Spot:
    """A voxel: its index (z, y, x), and where its center lies in RAS mm, as the scan's file says."""

    index: tuple[int, int, int]
    ras_mm: tuple[float, float, float]


def spot_at(layer: Layer, position: npt.ArrayLike) -> Spot | None:
    """Return the voxel of a layer of ours that holds a position of the display; None for a layer of another's."""
    affine = layer_affine(layer)
    if affine is None or layer.ndim != 3:
        return None
    z, y, x = (round(float(value)) for value in layer.world_to_data(position))
    right, anterior, superior = affine[:3, :3] @ (z, y, x) + affine[:3, 3]
    return Spot((z, y, x), (float(right), float(anterior), float(superior)))


def place_words(ras_mm: tuple[float, float, float], finest_mm: float = 1.0) -> str:
    """Say where a point lies: 'left 12.4  posterior 33.0  superior 8.1 mm'; more decimals for voxels below 0.1 mm."""
    decimals = max(1, -math.floor(math.log10(finest_mm)))
    words = (f"{names[value < 0]} {abs(value):.{decimals}f}" for names, value in zip(DIRECTIONS, ras_mm, strict=True))
    return "  ".join(words) + " mm"


class WorldPosition:
    """Let all layers that know how they lie in the patient tell so in the status bar, those to come included."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self._viewer = viewer
        for layer in viewer.layers:
            self._teach(layer)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Give the status bar back to napari."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        for layer in self._viewer.layers:
            vars(layer).pop("get_status", None)

    def describe(self, layer: Layer, position: npt.ArrayLike) -> tuple[str, str] | None:
        """Say which voxel lies at a position of the display, and what it holds; None where no layer of ours can tell."""
        spot = spot_at(layer, position)
        if spot is None:
            return None
        where = place_words(spot.ras_mm, min(layer.scale))
        if not all(0 <= index < size for index, size in zip(spot.index, layer.data.shape, strict=True)):
            return where, "outside the scan"
        return f"{where}{APART}voxel ({', '.join(map(str, spot.index))})", APART.join(self._contents(layer, spot.index))

    def _contents(self, layer: Layer, index: tuple[int, int, int]) -> list[str]:
        """Name what the layers on the same grid hold there: grey value, what is painted, what the mask says."""
        same = [other for other in list(self._viewer.layers) if _on_grid_of(other, layer)]
        greys = [f"{float(other.data[index]):.7g}" for other in same if isinstance(other, Image)]
        return greys + [words for other in same if isinstance(other, Labels) and (words := _class_words(other, index))]

    def _on_inserted(self, event: Any) -> None:
        self._teach(event.value)

    def _teach(self, layer: Layer) -> None:
        if layer_affine(layer) is not None and layer.ndim == 3:
            layer.get_status = self._answering(layer, layer.get_status)

    def _answering(self, layer: Layer, get_status: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
        def answer(position: npt.ArrayLike | None = None, **how: Any) -> dict[str, str]:
            status = get_status(position, **how)
            displayed = how.get("dims_displayed")
            # In 3D a cursor stands for a ray, which napari follows to the first voxel it meets.
            if position is None or not how.get("world") or (displayed is not None and len(displayed) != 2):
                return status
            told = self.describe(layer, position)
            if told is None:
                return status
            return {**status, "coordinates": APART.join(filter(None, told)), "coords": told[0], "value": told[1]}

        return answer


def _on_grid_of(other: Layer, layer: Layer) -> bool:
    return other is layer or (
        (isinstance(other, Image | Labels) and other.metadata.get(SOURCE_KEY) == layer.metadata.get(SOURCE_KEY))
        and other.data.shape == layer.data.shape
    )


def _class_words(layer: Labels, index: tuple[int, int, int]) -> str:
    """Return the name of the class painted there, or 'mask: its name'; the empty string where there is none."""
    value = int(layer.data[index])
    if value == 0:
        return ""
    table = layer.features
    name = f"label {value}"
    if "structure" in table:  # by columns: a lookup of pandas takes a millisecond, and the cursor moves often
        rows = np.flatnonzero(table["index"].to_numpy() == value)
        name = str(table["structure"].to_numpy()[rows[0]]) if rows.size else name
    if PAINTED_BACKGROUND_KEY in layer.metadata or layer.editable:
        return name
    return f"{layer.name.split()[0].lower()}: {name}"
