"""The tools that paint for a person: each works on the labels on view, in the background, as one step that can be undone.

Behaviour only, no widgets: `tools_panel` has the buttons, `tool_keys` the keys.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.editing.edit import Edit, Labels
from cvrl_napari.editing.growing import NoStrokesError, grow
from cvrl_napari.editing.holes import fill_holes
from cvrl_napari.editing.interpolation import interpolate
from cvrl_napari.editing.margins import enlarge, shrink, smooth
from cvrl_napari.editing.neighbors import copy_slice
from cvrl_napari.editing.pieces import keep_largest
from cvrl_napari.editing.statistics import LabelStatistics, label_statistics
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.pointing import Pointing
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.words import counted
from cvrl_napari.study.labels import BACKGROUND

Tool = Callable[[Labels, Sequence[int]], Labels]
"""Turns labels (z, y, x) into other labels, for these classes."""


class Asked(NamedTuple):
    """The label somebody asked about, and what was measured; None where there is nothing of it."""

    value: int
    found: LabelStatistics | None


class Tools(QObject):
    """One tool at a time, for the class in hand or, with `all_classes`, for all of them.

    Signals
    -------
    working : str
        What is being worked out; empty when that has ended.
    told : str
        What came of it, in a sentence.
    measured : object
        An `Asked`.
    failed : object
        An error that is a fault of ours.
    """

    working = Signal(str)
    told = Signal(str)
    measured = Signal(object)
    failed = Signal(object)

    def __init__(self, session: Session, pointing: Pointing, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._layers, self._pointing = session.layers, pointing
        self._background = Background(self)
        self._turn = 0  # of the tool at work; a later one, or `cancel`, makes its result unwanted
        self.all_classes = False
        self.over_others = False
        self.whole_volume = False
        self.margin_mm = 1.0
        self._layers.brush.fill_apart = self.fill

    @property
    def classes(self) -> tuple[int, ...]:
        """Ids of the classes that the tools work on; none while background is in hand."""
        study = self._session.study
        if study is None:
            return ()
        if self.all_classes:
            return tuple(one.id for one in study.classes)
        return () if self._session.selected_class == BACKGROUND else (self._session.selected_class,)

    @property
    def axis(self) -> int:
        """Axis that the slices on view follow each other along, 0 = z. There must be a case."""
        return self._pointing.plane[0]

    def interpolate(self) -> None:
        """Fill the slices between the painted ones, along the axis of the slices on view."""
        if self._layers.scan is not None:
            spacing, (axis, _), over = self._layers.scan.spacing, self._pointing.plane, self.over_others
            self._run(
                "Interpolating", lambda labels, classes: interpolate(labels, spacing, axis=axis, classes=classes, over=over)
            )

    def grow(self) -> None:
        """Grow the structure from its strokes, against all else that is painted."""
        if self._layers.scan is not None:
            scan, spacing, (axis, _) = self._layers.scan_array(), self._layers.scan.spacing, self._pointing.plane
            self._run("Growing", lambda labels, classes: grow(labels, scan, spacing, axis=axis, classes=classes))

    def fill_holes(self) -> None:
        """Fill the holes of the structure: in each slice on view by itself, or with `whole_volume` only closed ones in 3D."""
        if self._layers.scan is not None:
            axis = None if self.whole_volume else self._pointing.plane[0]
            self._each("Filling holes", lambda labels, class_id: fill_holes(labels, class_id, axis=axis))

    def keep_largest(self) -> None:
        """Erase all pieces of the structure but the largest."""
        self._each("Keeping the largest piece", keep_largest)

    def enlarge(self) -> None:
        """Let the structure grow by `margin_mm` into what is not painted."""
        self._by_mm("Enlarging", enlarge)

    def shrink(self) -> None:
        """Take `margin_mm` off the structure."""
        self._by_mm("Shrinking", shrink)

    def smooth(self) -> None:
        """Smooth the surface of the structure with a Gaussian of `margin_mm`."""
        self._by_mm("Smoothing", smooth)

    def copy_slice(self, step: int) -> None:
        """Take over the structure from the slice before (-1) or after (1) the one on view."""
        if self._layers.scan is None:
            return
        axis, target = self._pointing.plane
        source = target + step
        if 0 <= source < self._layers.labels_array().shape[axis]:
            self._run(
                "Copying a slice",
                lambda labels, classes: copy_slice(labels, axis=axis, source=source, target=target, classes=classes),
            )

    def fill(self, planned: Callable[[], Edit]) -> None:
        """Work out what the fill bucket reaches in 3D, and paint it."""
        if self._layers.case is not None:
            self._start("Filling…", planned, partial(self._apply, "Filling", self._layers.case))

    def measure(self, *, under_cursor: bool) -> None:
        """Measure the label under the cursor, or the class in hand; `measured` tells."""
        scan = self._layers.scan
        if scan is None:
            return
        labels, greys = self._layers.labels_array().copy(), self._layers.scan_array()
        value = int(labels[self._pointing.voxel]) if under_cursor else self._session.selected_class
        if value == 0:
            self.told.emit("Nothing is painted under the cursor.")
            return
        spacing = scan.spacing
        self._start(
            "Measuring",
            lambda: label_statistics(labels, greys, spacing, value),
            lambda found: self.measured.emit(Asked(value, found)),
        )

    def cancel(self) -> None:
        """Want the result of the tool at work no more."""
        self._turn += 1
        self.working.emit("")
        self.told.emit("Cancelled: nothing was changed.")

    def close(self) -> None:
        """Forget what was asked for."""
        self._layers.brush.fill_apart = None
        self._background.close()

    def _by_mm(self, what: str, tool: Callable[[Labels, tuple[float, float, float], int, float], Labels]) -> None:
        if self._layers.scan is not None:
            spacing, mm = self._layers.scan.spacing, self.margin_mm
            self._each(what, lambda labels, class_id: tool(labels, spacing, class_id, mm))

    def _each(self, what: str, tool: Callable[[Labels, int], Labels]) -> None:
        def one_after_the_other(labels: Labels, classes: Sequence[int]) -> Labels:
            for class_id in classes:
                labels = tool(labels, class_id)
            return labels

        self._run(what, one_after_the_other)

    def _run(self, what: str, tool: Tool) -> None:
        case, classes = self._layers.case, self.classes
        if case is None:
            return
        if not classes:
            self.told.emit("Pick a structure first: the tools do not work on background.")
            return
        labels = self._layers.labels_array().copy()
        if not np.isin(classes, labels).any():
            self.told.emit("Nothing of the structure is painted on this case yet.")
            return

        self._start(f"{what}…", lambda: Edit.between(labels, tool(labels, classes)), partial(self._apply, what, case))

    def _apply(self, what: str, case: str, edit: Edit) -> None:
        """Make a change of a case, if it is still on view, and tell of it."""
        if self._layers.case != case:
            self.told.emit(f"{what}: another case is on view, nothing was changed.")
            return
        changed = self._layers.apply(edit)
        more = "Ctrl+Z takes it back." if changed else "There was nothing to do."
        self.told.emit(f"{what}: {counted(changed, 'voxel')} changed. {more}")

    def _start(self, what: str, function: Callable[[], object], done: Callable[..., None]) -> None:
        self._turn += 1
        turn = self._turn

        def answered(result: object) -> None:
            if turn == self._turn:
                self.working.emit("")
                done(result)

        def failed(error: Exception) -> None:
            if turn == self._turn:
                self.working.emit("")
                self.told.emit(str(error)) if isinstance(error, NoStrokesError) else self.failed.emit(error)

        self.working.emit(what)
        self._background.run(function, answered, failed)
