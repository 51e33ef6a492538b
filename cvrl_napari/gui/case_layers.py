"""The layers of one case, as they look at first; where they lie says `placement`.

The mask of the network is drawn as a contour and the person's labels as a filled area, both in the colour of the class:
a stroke must be felt under the brush, and a contour lets the grey values at the border be judged, which is where masks
are right or wrong. They stay apart where they overlap, and neither needs a colour of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from cvrl_napari.gui import difference, late_controls
from cvrl_napari.gui.class_colors import class_colormap, class_names, colormap, names
from cvrl_napari.gui.grey_limits import grey_limits
from cvrl_napari.gui.placement import CASE_KEY, PAINTED_BACKGROUND_KEY, SOURCE_KEY, placement, provenance
from cvrl_napari.gui.sliced_late import placed_late
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.volume import Volume

CONTOUR_WIDTH = 2
LABELS_OPACITY = 0.5
MASK_OPACITY = 1.0
DIFFERENCE_OPACITY = 0.8
KEPT_BRUSH = (
    "selected_label",
    "brush_size",
    "n_edit_dimensions",
    "preserve_labels",
    "contiguous",
    "opacity",
    "visible",
)
"""What a person has set on the labels layer and expects to find on the next case."""
HELP = "1 to 9: paint a structure, 0: background, E: erase, F: fill, [ and ]: size of the brush, Ctrl+Z: undo, F1: all keys"
"""What napari's status bar says at its end."""


@dataclass(frozen=True)
class CaseLayers:
    """A case, its scan and its layers: further images of it are hidden below it until somebody wants to see them."""

    study: Study
    case: str
    scan: Volume
    channels: tuple[Image, ...]
    image: Image
    labels: Labels
    mask: Labels

    @property
    def layers(self) -> tuple[Layer, ...]:
        """All of them, lowest first."""
        return *self.channels, self.image, self.labels, self.mask

    def look_like(self, before: "CaseLayers") -> None:
        """Take over which layers are seen, and the brush."""
        for name in KEPT_BRUSH:
            setattr(self.labels, name, getattr(before.labels, name))
        self.mask.visible = before.mask.visible
        if before.channels:
            self.image.visible = before.image.visible
        for channel, known in zip(self.channels, before.channels, strict=False):
            channel.visible = known.visible

    def can_hold(self, study: Study, scan: Volume, channels: Sequence[np.ndarray]) -> bool:
        """Say whether these layers can hold another case: one of this study, with as many images of the same number types."""
        types = [array.dtype.newbyteorder("=") for array in (*channels, scan.array)]
        return study is self.study and types == [image.data.dtype for image in (*self.channels, self.image)]

    def holding(self, case_id: str, scan: Volume, labels: np.ndarray, channels: Sequence[np.ndarray]) -> "CaseLayers":
        """Let the layers hold another case that they can hold: napari takes most of a second to make new ones.

        How they look and paint stays. The mask is empty, and what could be undone is forgotten.
        """
        place = placement(scan)
        case = self.study.case(case_id)
        source = provenance(scan, case.scan) | {CASE_KEY: case_id}
        arrays = [*channels, scan.array, labels, np.zeros(labels.shape, np.uint8)]
        with placed_late(self.layers):
            for layer, array, name in zip(self.layers, arrays, _names(case_id, len(channels)), strict=True):
                layer.data = _native(array)
                for key, value in place.items():
                    # What is the same need not be set, but the last is always, see `docs/lessons.md`.
                    if key == "translate" or tuple(getattr(layer, key)) != tuple(value):
                        setattr(layer, key, value)
                layer.name = name
                layer.metadata = dict(source)
        for channel, further in zip(self.channels, case.channels, strict=True):
            channel.metadata[SOURCE_KEY] = str(further.scan)
        self.labels.metadata[PAINTED_BACKGROUND_KEY] = BACKGROUND
        # A layer that may not be edited forgets its history: an undo would paint the other case's strokes into this one.
        self.labels.editable = False
        self.labels.editable = True
        self.mask.editable = False  # new data made it editable
        for image in (*self.channels, self.image):
            image.contrast_limits = image.contrast_limits_range = grey_limits(image.data)
        return replace(self, case=case_id, scan=scan)


def make_layers(
    study: Study, case_id: str, scan: Volume, labels: np.ndarray, *, channels: Sequence[np.ndarray] = (), mask_opacity: float
) -> CaseLayers:
    """Make the layers of a case.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        Painted into; the mask is empty and locked.
    channels : sequence of arrays of shape (z, y, x)
        The case's further images, on the grid of the scan.
    """
    place = placement(scan)
    case = study.case(case_id)
    source = provenance(scan, case.scan) | {CASE_KEY: case_id}
    image = _image(scan.array, case_id, source, place)
    others = [
        _image(array, name, source | {SOURCE_KEY: str(further.scan)}, place, visible=False)
        for array, further, name in zip(channels, case.channels, _names(case_id, len(channels)), strict=False)
    ]
    look: dict[str, Any] = {"colormap": class_colormap(study.classes), "features": class_names(study.classes), **place}
    about = source | {PAINTED_BACKGROUND_KEY: BACKGROUND}
    painted = Labels(labels, name=_name("Labels", case_id), opacity=LABELS_OPACITY, metadata=about, **look)
    empty = np.zeros(labels.shape, np.uint8)
    mask = late_controls.Labels(empty, name=_name("Mask", case_id), opacity=mask_opacity, metadata=dict(source), **look)
    mask.contour = CONTOUR_WIDTH
    mask.editable = False
    made = CaseLayers(study, case_id, scan, tuple(others), image, painted, mask)
    for layer in made.layers:
        layer.help = HELP
        layer.events.help.connect(_tell_our_keys)
    return made


def _tell_our_keys(event: Any) -> None:
    """Put our keys in the place of napari's, which mean something else while the dock is open; it writes them at each mode."""
    event.source.help = HELP


def _image(array: np.ndarray, name: str, source: dict[str, Any], place: dict[str, Any], *, visible: bool = True) -> Image:
    array = _native(array)
    # Without depth: in 3D the projection of the scan stays behind the structures instead of hiding them.
    look: dict[str, Any] = {"colormap": "gray", "contrast_limits": grey_limits(array), "blending": "translucent_no_depth"}
    return late_controls.Image(array, name=name, metadata=dict(source), visible=visible, **look, **place)


def make_difference(shown: CaseLayers, compared: np.ndarray, marked: difference.Marked) -> Labels:
    """Make the locked layer that shows what is marked, see `difference.compare`."""
    layer = late_controls.Labels(
        compared,
        name=_name(marked.capitalize(), shown.case),
        colormap=colormap(difference.COLORS),
        features=names(difference.WORDS[marked]),
        opacity=DIFFERENCE_OPACITY,
        scale=shown.labels.scale,
        translate=shown.labels.translate,
        units=shown.labels.units,
        metadata=dict(shown.mask.metadata),
    )
    layer.editable = False
    return layer


def _native(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("="), copy=False)  # a big-endian texture cannot be drawn


def _names(case_id: str, channels: int) -> list[str]:
    """Return the names of the layers of a case, lowest first."""
    further = [f"{case_id} - image {number}" for number in range(2, channels + 2)]
    return [*further, case_id, _name("Labels", case_id), _name("Mask", case_id)]


def _name(what: str, case_id: str) -> str:
    return f"{what} \N{EN DASH} {case_id}"
