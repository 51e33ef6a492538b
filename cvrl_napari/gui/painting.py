"""What is painted on the case on view, on its way to disk; accepting a mask, and taking that back. No widgets."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.events import Box
from cvrl_napari.gui.autosave import Autosave, Snapshot
from cvrl_napari.gui.layers import Layers
from cvrl_napari.study.case import State
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study


class _Step(NamedTuple):
    """A step that gave the case a state of its own: labels and state before and after."""

    before: np.ndarray
    after: np.ndarray
    state_before: State
    state_after: State


class Painting(QObject):
    """The labels on view and their copy on disk.

    Signals
    -------
    painted : str
        The labels of this case changed on the screen.
    saved : str
        They are on disk.
    failed : str, str, str
        They could not be saved: the sentence, what happens next, no details. Three empty strings once they could.
    """

    painted = Signal(str)
    saved = Signal(str)
    failed = Signal(str, str, str)

    def __init__(self, layers: Layers, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._layers = layers
        self._study: Study | None = None
        self._autosave: Autosave | None = None
        self._step: _Step | None = None
        self._has_failed = False
        self._structure_at = 0
        layers.labels_painted.connect(self._on_painted)
        layers.stroke_goes_on.connect(self._on_stroke)
        layers.case_left.connect(self._on_case_left)

    def open(self, study: Study) -> None:
        """From now on the labels belong to this study."""
        self._study = study
        self._autosave = Autosave(study, self._snapshot, self, self._on_view)
        self._autosave.saved.connect(self._on_saved)
        self._autosave.failed.connect(self._on_failed)

    def close(self) -> None:
        """The study is closed; call `flush` before."""
        if self._autosave is not None:
            self._autosave.close()
            self._autosave.deleteLater()
        self._study, self._autosave = None, None
        self.case_shown()

    def case_shown(self) -> None:
        """Another case is on view: an accept or import before cannot be undone any more."""
        self._step = None

    def has_structure(self) -> bool:
        """Whether the labels on view hold a structure, saved or not, in a case that is learned from."""
        if self._study is None or not self._layers.case or self._study.case(self._layers.case).held_out:
            return False
        # Slice by slice, first where one was the last time: all of a large scan takes a third of a second, and often.
        labels = self._layers.labels_array()
        for z in (*range(self._structure_at, len(labels)), *range(min(self._structure_at, len(labels)))):
            if ((labels[z] > 0) & (labels[z] < BACKGROUND)).any():
                self._structure_at = z
                return True
        return False

    def seconds_since_saved(self) -> float | None:
        """Return how long ago labels were last written, or None when nothing was in this session."""
        if self._autosave is None or self._autosave.saved_at is None:
            return None
        return time.monotonic() - self._autosave.saved_at

    @property
    def pending(self) -> bool:
        """Whether something painted is not on disk yet."""
        return self._autosave is not None and self._autosave.pending

    def accept(self, class_id: int | None = None, box: Box | None = None, *, only_unpainted: bool = False) -> int:
        """Turn the mask on view into labels, see `Layers.accept`; all of it makes the case 'accepted'. Returns the changes."""
        if self._study is None or not self._layers.case:
            return 0
        whole = class_id is None and box is None and not only_unpainted
        with self._remembered("accepted" if whole else None):
            return self._layers.accept(class_id, box, only_unpainted=only_unpainted)

    def bring(self, values: Collection[int], array: np.ndarray, *, complete: bool) -> int:
        """Put labels made elsewhere in the place of those of the same values, see `Layers.replace`; returns the changes.

        With `complete` what is not painted then counts as background, else it stays what it was.
        """
        if self._study is None or not self._layers.case:
            return 0
        with self._remembered("complete" if complete else None):
            return self._layers.replace(values, array)

    @contextmanager
    def _remembered(self, state: State | None) -> Iterator[None]:
        """Give the case a state with the step made meanwhile, and its former one back when that is undone."""
        case = self._layers.case
        if state is None or case is None or self._study is None:
            yield
            return
        before = self._layers.labels_array().copy()
        yield
        if not np.array_equal(before, self._layers.labels_array()):
            self._step = _Step(before, self._layers.labels_array().copy(), self._study.case(case).state, state)
            self._on_painted(case)

    def flush(self) -> bool:
        """Have everything on disk before going on; False when that cannot be (`failed` has told why)."""
        if self._autosave is None or self._is_read_only:
            return True
        if self._layers.is_unsaved:  # painted, but `labels_painted` waits for the event loop
            self._autosave.touch()
        return self._autosave.flush()

    @property
    def _is_read_only(self) -> bool:
        return self._study is not None and self._study.read_only

    def _snapshot(self) -> Snapshot | None:
        """Return the labels on view; an accepted mask or an import, and its undoing, carry the state that belongs to them."""
        if not self._layers.case:
            return None
        labels = self._layers.labels_array()
        state: State | None = None
        if self._step is not None:
            if np.array_equal(labels, self._step.after):
                state = self._step.state_after
            elif np.array_equal(labels, self._step.before):
                state = self._step.state_before
        self._layers.mark_saved()
        return self._layers.case, labels if state is None else labels.copy(), state

    def _on_view(self) -> tuple[str, np.ndarray] | None:
        return (self._layers.case, self._layers.labels_array()) if self._layers.case else None

    def _on_stroke(self) -> None:
        if self._autosave is not None and not self._is_read_only:
            self._autosave.touch()

    def _on_painted(self, case: str) -> None:
        if self._is_read_only:
            self.failed.emit("The study is open for reading only.", "What is painted now is not saved: use 'Save as'.", "")
        elif self._autosave is not None:
            self._autosave.touch()
        self.painted.emit(case)

    def _on_case_left(self, case: str, labels: np.ndarray) -> None:
        if self._autosave is not None and not self._is_read_only:
            self._autosave.keep((case, labels, None))

    def _on_saved(self, case: str) -> None:
        if self._has_failed:
            self._has_failed = False
            self.failed.emit("", "", "")
        self.saved.emit(case)

    def _on_failed(self, case: str, sentence: str) -> None:
        self._has_failed = True
        self.failed.emit(sentence, f"The painting of {case} is kept here and saving is tried again every few seconds.", "")
