"""Masks that become labels in part, and masks that are rejected. No widgets; `Session.accept` takes over all or one class."""

import zlib
from functools import partial
from typing import NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.remarks import remark
from cvrl_napari.gui.session import Session


class _Rejected(NamedTuple):
    """A mask (z, y, x) that was rejected, and whether its case was marked as one to be looked at before."""

    case: str
    mask: np.ndarray
    needed_look: bool


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
        self._checksums: dict[str, int] = {}  # of the rejected mask of each case
        self._kept: _Rejected | None = None
        session.case_opened.connect(self._on_case_opened)
        session.study_changed.connect(self._on_study_changed)

    @property
    def brings_mask(self) -> bool:
        """Whether the brush brings the mask instead of the class in hand."""
        return self._layers.brush.brings_mask

    @property
    def can_bring_back(self) -> bool:
        """Whether the mask of the case on view was rejected and no newer one came."""
        return self._kept is not None and self._kept.case == self._session.case and not self._session.has_mask

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
        """Hide the mask on view until a newer one comes, and mark its case as one to be looked at; Ctrl+Z takes back both.

        Labels stay as they are.
        """
        study, case = self._session.study, self._session.case
        if study is not None and self._session.has_mask:
            rejected = _Rejected(case, self._layers.mask_array().copy(), study.case(case).needs_look)
            self._put_away(rejected)
            self._layers.undoing.did(partial(self._show_again, rejected), partial(self._put_away, rejected))

    def bring_back(self) -> None:
        """Show the mask that was rejected last; the case is marked as it was before."""
        rejected = self._kept
        if rejected is not None and self.can_bring_back:
            self._show_again(rejected)
            self._layers.undoing.did(partial(self._put_away, rejected), partial(self._show_again, rejected))

    def _put_away(self, rejected: _Rejected) -> None:
        if np.array_equal(self._layers.mask_array(), rejected.mask):  # no newer one came
            self._checksums[rejected.case] = zlib.crc32(rejected.mask.data)
            self._kept = rejected
            self._mark(rejected.case, True)
            self._hide()

    def _show_again(self, rejected: _Rejected) -> None:
        self._checksums.pop(rejected.case, None)
        self._kept = None
        self._mark(rejected.case, rejected.needed_look)
        if not self._session.has_mask:
            self._layers.set_mask(rejected.mask)
            self._session.mask_changed.emit()
        self.changed.emit()

    def _mark(self, case: str, needs_look: bool) -> None:
        study = self._session.study
        if study is not None and not study.read_only and study.case(case).needs_look != needs_look:
            remark(self._session, case, needs_look=needs_look)

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
        if case in self._checksums and self._session.has_mask:
            if zlib.crc32(self._layers.mask_array().data) == self._checksums[case]:
                self._hide()
            else:
                del self._checksums[case]
        self.changed.emit()

    def _on_study_changed(self) -> None:
        if self._session.study is None:
            self._checksums, self._kept = {}, None
