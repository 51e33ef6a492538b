"""Scans that were opened by themselves, dropped on the canvas for instance, while no study is open."""

from collections.abc import Sequence
from pathlib import Path

import napari
from napari import layers as napari_layers
from napari.layers import Layer
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.gui.placement import CASE_KEY, PART_KEY, RESAMPLED_KEY, SOURCE_KEY
from cvrl_napari.study.case import Image


class LoneScans(QObject):
    """Follow which scans of our reader the viewer shows.

    Signals
    -------
    changed
        There are others now; see `images`.
    """

    changed = Signal()

    def __init__(self, viewer: napari.Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        # A file's layers come one by one, a case's go one by one: look once, when the event loop comes round.
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(0)
        self._look.timeout.connect(self.changed)
        for emitter in (viewer.layers.events.inserted, viewer.layers.events.removed):
            emitter.connect(self._on_layers)

    @property
    def images(self) -> tuple[Image, ...]:
        """The files of the scans on view, each once, in the order of the layers, with what was chosen when they were opened."""
        found = {
            Path(layer.metadata[SOURCE_KEY]): Image(
                scan=Path(layer.metadata[SOURCE_KEY]),
                part=layer.metadata.get(PART_KEY),
                resample=layer.metadata.get(RESAMPLED_KEY, False),
            )
            for layer in self._layers()
        }
        return tuple(found.values())

    def leave_to_study(self, scans: Sequence[Path]) -> None:
        """Take off the viewer what a study shows from now on; a file of a DICOM series stands for its folder."""
        for layer in self._layers():
            path = Path(layer.metadata[SOURCE_KEY])
            if any(scan in (path, path.parent) for scan in scans):
                self._viewer.layers.remove(layer)

    def close(self) -> None:
        """Let go of the viewer."""
        self._look.stop()
        for emitter in (self._viewer.layers.events.inserted, self._viewer.layers.events.removed):
            emitter.disconnect(self._on_layers)

    def _layers(self) -> list[Layer]:
        images = (layer for layer in self._viewer.layers if isinstance(layer, napari_layers.Image))
        return [layer for layer in images if SOURCE_KEY in layer.metadata and CASE_KEY not in layer.metadata]

    def _on_layers(self, _event: object = None) -> None:
        self._look.start()
