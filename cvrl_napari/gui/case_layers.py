"""The layers of one case, as they look at first; where they lie says `placement`.

The mask of the network is drawn as a contour and the person's labels as a filled area, both in the colour of the class:
a stroke must be felt under the brush, and a contour lets the grey values at the border be judged, which is where masks
are right or wrong. They stay apart where they overlap, and neither needs a colour of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.layers import Image, Labels, Layer

from cvrl_napari.gui import difference
from cvrl_napari.gui.class_colors import class_colormap, class_names, colormap, names
from cvrl_napari.gui.grey_limits import grey_limits
from cvrl_napari.gui.placement import CASE_KEY, PAINTED_BACKGROUND_KEY, placement, provenance
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.volume import Volume

CONTOUR_WIDTH = 2
LABELS_OPACITY = 0.5
MASK_OPACITY = 1.0
DIFFERENCE_OPACITY = 0.8


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
        _image(array, f"{case_id} - image {number}", provenance(scan, further.scan) | {CASE_KEY: case_id}, place, visible=False)
        for number, (array, further) in enumerate(zip(channels, case.channels, strict=False), start=2)
    ]
    look: dict[str, Any] = {"colormap": class_colormap(study.classes), "features": class_names(study.classes), **place}
    about = source | {PAINTED_BACKGROUND_KEY: BACKGROUND}
    painted = Labels(labels, name=_name("Labels", case_id), opacity=LABELS_OPACITY, metadata=about, **look)
    empty = np.zeros(labels.shape, np.uint8)
    mask = Labels(empty, name=_name("Mask", case_id), opacity=mask_opacity, metadata=dict(source), **look)
    mask.contour = CONTOUR_WIDTH
    mask.editable = False
    return CaseLayers(study, case_id, scan, tuple(others), image, painted, mask)


def _image(array: np.ndarray, name: str, source: dict[str, Any], place: dict[str, Any], *, visible: bool = True) -> Image:
    array = array.astype(array.dtype.newbyteorder("="), copy=False)  # a big-endian texture cannot be drawn
    # Without depth: in 3D the projection of the scan stays behind the structures instead of hiding them.
    look: dict[str, Any] = {"colormap": "gray", "contrast_limits": grey_limits(array), "blending": "translucent_no_depth"}
    return Image(array, name=name, metadata=dict(source), visible=visible, **look, **place)


def make_difference(shown: CaseLayers, compared: np.ndarray) -> Labels:
    """Make the locked layer that shows where labels and mask differ, see `difference.compare`."""
    layer = Labels(
        compared,
        name=_name("Difference", shown.case),
        colormap=colormap(difference.COLORS),
        features=names(difference.WORDS),
        opacity=DIFFERENCE_OPACITY,
        scale=shown.labels.scale,
        translate=shown.labels.translate,
        units=shown.labels.units,
        metadata=dict(shown.mask.metadata),
    )
    layer.editable = False
    return layer


def _name(what: str, case_id: str) -> str:
    return f"{what} \N{EN DASH} {case_id}"
