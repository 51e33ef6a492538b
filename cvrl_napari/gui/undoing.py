"""Undo and redo of a labels layer, with acts in their turn that change no label.

napari has no event for undo and redo, and its history holds voxels only. Rejecting a mask is an act of a person as much as a
stroke is, and goes back by the same keys.
"""

from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from napari.layers import Labels

Doing = Callable[[], None]


class _Act(NamedTuple):
    """What takes it back and what does it again, and napari's steps on either side of it: None where there is none."""

    undo: Doing
    redo: Doing
    before: Any
    after: Any


class Undoing:
    """The acts on the case on view that change no label, each at its place among the strokes."""

    def __init__(self) -> None:
        self._layer: Labels | None = None
        self._done: list[_Act] = []
        self._undone: list[_Act] = []

    def take(self, layer: Labels, announce: Doing) -> None:
        """Let undo and redo of a layer come to these acts in their turn; `announce` is called when labels may have changed."""
        undo, redo = layer.undo, layer.redo

        @wraps(undo)
        def undo_in_turn() -> None:
            last, _ = self._steps()
            if self._done and self._done[-1].before is last:
                act = self._done.pop()
                act.undo()
                self._undone.append(act._replace(after=self._steps()[1]))
            else:
                undo()
                announce()

        @wraps(redo)
        def redo_in_turn() -> None:
            last, following = self._steps()
            # Whatever was painted since takes the place of what was undone, as in napari.
            if self._undone and self._undone[-1].before is last and self._undone[-1].after is following:
                act = self._undone.pop()
                act.redo()
                self._done.append(act)
            else:
                redo()
                announce()

        layer.undo, layer.redo = undo_in_turn, redo_in_turn
        self._layer = layer

    def did(self, undo: Doing, redo: Doing) -> None:
        """Remember an act that was done just now: it is what Ctrl+Z takes back next."""
        self._undone.clear()
        self._done.append(_Act(undo, redo, *self._steps()))

    def forget(self) -> None:
        """Another case is on view: what was done before cannot be undone any more."""
        self._done.clear()
        self._undone.clear()

    def _steps(self) -> tuple[Any, Any]:
        """Return the last step that was done and the first one to be redone, each as a part of it that tells it from others."""
        if self._layer is None:
            return None, None
        return _part(self._layer._undo_history), _part(self._layer._redo_history)


def _part(history: deque[list[Any]]) -> Any:
    # napari turns a step's list of changes round whenever it goes from one history to the other; the changes stay the same.
    return min(history[-1], key=id) if history else None
