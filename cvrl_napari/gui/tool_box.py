"""Every tool with its words and its key, made once for the panel, the keys and the command palette. No widgets."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import napari
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.grey_range import GreyRange
from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.taking_over import TakingOver
from cvrl_napari.gui.tools import Tools


class ToolAction(NamedTuple):
    """A tool: what its button says, what its tooltip says, its key as napari writes it, and what it does."""

    title: str
    tip: str
    key: str
    act: Callable[[], None]

    @property
    def key_in_words(self) -> str:
        """The key as it is written on a keyboard."""
        return self.key.replace("-", "+")


class ToolBox(QObject):
    """The tools of one dock.

    None of the keys is one of napari's own for labels, images or the viewer.

    Signals
    -------
    brush_changed
        Another brush is in hand, or a layer to paint on came or went.
    """

    brush_changed = Signal()

    def __init__(self, viewer: napari.Viewer, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        pointing = Pointing(viewer, session.layers)
        self.tools = tools = Tools(session, pointing, self)
        self.grey_range = GreyRange(session, pointing, self)
        self.taking_over = TakingOver(session, pointing, self)
        self._watched: object = None
        measure, copy = partial(tools.measure, under_cursor=False), tools.copy_slice
        self.paint_actions = (
            ToolAction("Interpolate", "Fill the slices between those that are painted", "I", tools.interpolate),
            ToolAction("Grow", "Grow the structure from strokes of it and of background on a few slices", "G", tools.grow),
            ToolAction("Statistics", "Volume, extent, grey values; with the key: of what is under the cursor", "Q", measure),
            ToolAction("Fill holes", "Fill the holes of the structure", "H", tools.fill_holes),
            ToolAction("Keep largest", "Erase all pieces of the structure but the largest", "K", tools.keep_largest),
            ToolAction("Smooth", "Smooth the surface by so many mm, keeping the volume", "S", tools.smooth),
            ToolAction("Enlarge", "Let the structure grow by so many mm, not over others", "D", tools.enlarge),
            ToolAction("Shrink", "Take so many mm off the structure", "Shift-D", tools.shrink),
            ToolAction("Slice before", "Copy the structure from the slice before this one", "N", partial(copy, -1)),
            ToolAction("Slice after", "Copy the structure from the slice after this one", "Shift-N", partial(copy, 1)),
        )
        session.case_opened.connect(self._on_case_opened)
        tools.failed.connect(self._on_failed)

    @property
    def keys(self) -> dict[str, Callable[[], None]]:
        """What each key does, as napari writes keys."""
        grey, taking_over = self.grey_range, self.taking_over
        return {
            **{action.key: action.act for action in self.paint_actions},
            "Q": partial(self.tools.measure, under_cursor=True),
            "R": lambda: grey.set_on(not grey.is_on),
            "T": grey.from_cursor,
            "Shift-B": lambda: self.set_ball(not self.is_ball),
            "W": lambda: taking_over.bring_with_brush(not taking_over.brings_mask),
            "A": taking_over.accept_slice,
            "Shift-A": self._session.accept,
        }

    @property
    def is_ball(self) -> bool:
        """Whether the brush paints in 3D."""
        shown = self._session.layers.shown
        return shown is not None and shown.labels.n_edit_dimensions == 3

    @property
    def brush_mm(self) -> float:
        """Width of the brush in mm; 0 without a case."""
        shown = self._session.layers.shown
        if shown is None:
            return 0.0
        axes = range(3) if self.is_ball else [axis for axis in range(3) if axis != self.tools.axis]
        return float((2 * (shown.labels.brush_size // 2) + 1) * min(shown.labels.scale[axis] for axis in axes))

    def set_ball(self, on: bool) -> None:
        """Let the brush paint in 3D, or on the slice on view alone."""
        shown = self._session.layers.shown
        if shown is not None:
            shown.labels.n_edit_dimensions = 3 if on else 2

    def close(self) -> None:
        """Let go of what runs."""
        self.tools.close()

    def _on_case_opened(self, case: str) -> None:
        shown = self._session.layers.shown
        if shown is not None and shown.labels is not self._watched:
            self._watched = shown.labels
            for emitter in (shown.labels.events.brush_size, shown.labels.events.n_edit_dimensions):
                emitter.connect(self._on_brush)
        self.brush_changed.emit()

    def _on_brush(self, _event: object = None) -> None:
        self.brush_changed.emit()

    def _on_failed(self, error: Exception) -> None:
        self._session.noticed.emit("The tool failed; nothing was changed.", "Try again; the details tell more.", repr(error))
