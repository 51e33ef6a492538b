"""Layers whose sliders and menus napari makes when somebody selects them, and not before.

napari makes the controls of a layer when the layer is added: 35 ms in which the window stands still, and from then on they
follow all that happens to it. Most of our layers are never selected, since the brush is with the labels. Where napari has no
table of controls any more it makes them at once, as for its own layers.
"""

from typing import Any

import napari
import napari.layers
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QFrame, QVBoxLayout


# Called as napari's own: by the name of its class it saves a layer, draws its icon and finds what can be done with it.
class Image(napari.layers.Image):  # type: ignore[misc]
    """An image whose controls are made late."""


class Labels(napari.layers.Labels):  # type: ignore[misc]
    """Labels whose controls are made late."""


def add_unselected(viewer: napari.Viewer, layer: napari.layers.Layer) -> None:
    """Add a layer; what is selected stays so, the brush in the hand too.

    napari would select it, and make and show its controls; to show those of another layer and the former ones again costs a
    third of all.
    """
    selection = viewer.layers.selection
    active = selection.active
    with selection.events.blocker_all():
        viewer.add_layer(layer)
        selection.active = active


class LateControls(QFrame):
    """Stands in napari's panel for the controls of a layer, and makes them when it is seen."""

    def __init__(self, layer: Image | Labels) -> None:
        super().__init__()
        self._layer = layer
        self._controls: Any = None
        self._ndisplay = 2
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    @property
    def ndisplay(self) -> int:
        """How many axes the canvas shows: some controls are for one or the other. napari sets it."""
        return self._ndisplay

    @ndisplay.setter
    def ndisplay(self, ndisplay: int) -> None:
        self._ndisplay = ndisplay
        if self._controls is not None:
            self._controls.ndisplay = ndisplay

    def __getattr__(self, name: str) -> Any:
        """Let napari find in it what it looks for in controls, once they are there."""
        if name == "_controls" or self._controls is None:
            raise AttributeError(name)
        return getattr(self._controls, name)

    def showEvent(self, event: QShowEvent) -> None:
        """Make the controls: the layer is selected and its panel is on view."""
        if self._controls is None:
            self._controls = layer_to_controls[type(self._layer).__mro__[1]](self._layer)
            self._controls.ndisplay = self._ndisplay
            # napari's style gives the ground of the panel to this frame, and that of the window to what is in it.
            self._controls.setStyleSheet("QtLayerControls { background: transparent; }")
            self._layout.addWidget(self._controls)
        super().showEvent(event)

    def deleteLater(self) -> None:
        """Go with the layer; the controls let go of it."""
        if self._controls is not None:
            self._controls.deleteLater()
        super().deleteLater()


try:
    from napari._qt.layer_controls.qt_layer_controls_container import layer_to_controls
except ImportError:
    pass
else:
    layer_to_controls.update({Image: LateControls, Labels: LateControls})
