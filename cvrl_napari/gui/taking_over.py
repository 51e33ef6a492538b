"""Masks that become labels in part, and masks that are rejected. No widgets; `Session.accept` takes over all or one class."""

import zlib

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.session import Session


class TakingOver(QObject):
    """Take over a slice, what is not painted yet, or what the brush touches; or reject the mask until a newer one comes.

    Signals
    -------
    changed
        The brush brings the mask now or no more; a mask was rejected or brought back.
    """

    changed = Signal()

    def __init__(self, session: Session, pointing: Pointing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._layers, self._pointing = session, session.layers, pointing
        self._rejected: dict[str, int] = {}  # case: checksum of its mask
        self._kept: tuple[str, np.ndarray] | None = None  # the mask rejected last
        session.case_opened.connect(self._on_case_opened)
        session.study_changed.connect(self._on_study_changed)

    @property
    def brings_mask(self) -> bool:
        """Whether the brush brings the mask instead of the class in hand."""
        return self._layers.brush.brings_mask

    @property
    def can_bring_back(self) -> bool:
        """Whether the mask of the case on view was rejected and no newer one came."""
        return self._kept is not None and self._kept[0] == self._session.case and not self._session.has_mask

    def accept_slice(self) -> None:
        """Let the mask become labels on the slice on view."""
        if self._session.has_mask:
            axis, index = self._pointing.plane
            (z, y, x) = ((index, index + 1) if other == axis else (0, size) for other, size in enumerate(self._shape))
            self._session.painting.accept(box=(z, y, x))

    def accept_unpainted(self) -> None:
        """Let the mask become labels where nothing is painted."""
        if self._session.has_mask:
            self._session.painting.accept(only_unpainted=True)

    def bring_with_brush(self, on: bool) -> None:
        """Let brush and outline bring the mask, or paint the class in hand again."""
        self._layers.brush.brings_mask = on
        if on:
            self._layers.take_brush()
        self.changed.emit()

    def reject(self) -> None:
        """Hide the mask on view until a newer one comes; `bring_back` takes that back. Labels stay as they are."""
        if self._session.has_mask:
            mask = self._layers.mask_array()
            self._rejected[self._session.case] = zlib.crc32(mask.data)
            self._kept = self._session.case, mask.copy()
            self._hide()

    def bring_back(self) -> None:
        """Show the mask that was rejected last."""
        if self._kept is not None and self.can_bring_back:
            self._rejected.pop(self._session.case, None)
            self._layers.set_mask(self._kept[1])
            self._kept = None
            self._session.mask_changed.emit()
            self.changed.emit()

    @property
    def _shape(self) -> tuple[int, ...]:
        return self._layers.labels_array().shape

    def _hide(self) -> None:
        self._layers.clear_mask()
        self._session.mask_changed.emit()
        self.changed.emit()

    def _on_case_opened(self, case: str) -> None:
        """A mask that was rejected does not come back with its case."""
        self._kept = None
        if case in self._rejected and self._session.has_mask:
            if zlib.crc32(self._layers.mask_array().data) == self._rejected[case]:
                self._hide()
            else:
                del self._rejected[case]
        self.changed.emit()

    def _on_study_changed(self) -> None:
        if self._session.study is None:
            self._rejected, self._kept = {}, None
