"""The person who annotates: what every step of the walk in `test_annotating.py` needs. It is also in the guide's pictures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from qtpy.QtCore import Qt

from cvrl_napari.gui.demo import Waiting
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.volumes.reading import read

from .person import ALT, Person, settle

STRUCTURE, OTHER = 1, 2
APART = 6
"""Slices from one that is painted to the next."""
Key = Qt.Key


@contextmanager
def heard(signal: Any, seconds: float) -> Iterator[Waiting]:
    """Do something that a signal will tell of, and wait for it; `values` are what it brought."""
    waiting = Waiting(signal)
    yield waiting
    waiting.wait(seconds, "Nothing was heard")


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


class Annotator(Person):
    """Knows what is to be painted, and looks at what came of it.

    `folder` has `scans/` and `labels/` with files of the same names, and gets the study and the pictures; `classes` are the
    names of the structure that the labels hold as 1, and of another one around it.
    """

    def __init__(self, viewer, folder, classes):
        super().__init__(viewer)
        self.folder, self.classes = folder, classes
        self.open_dock()

    def open_dock(self):
        self.dock = CvrlDock(self.viewer)
        self.viewer.window.add_dock_widget(self.dock, name="CVRL", area="right")
        self.session, self.tools = self.dock.session, self.dock.tool_box.tools
        settle()

    @property
    def layer(self):
        return self.session.layers.shown.labels

    def labels(self):
        return self.session.layers.labels_array().copy()

    def begin(self):
        """Know the case on view, and go to where its atrium is largest."""
        self.reference = read(self.folder / "labels" / f"{self.session.case}.nii.gz").array == 1
        self.z = int(np.argmax(self.reference.sum(axis=(1, 2))))
        self.go_to(self.z)

    def go_to(self, z):
        self.now = z
        self.scroll_to(self.layer.data_to_world((z, 0, 0))[0], self.layer.scale[0])
        assert self.dock.tool_box.tools._pointing.plane == (0, z)

    def mm(self, y, x, z=None):
        return self.layer.data_to_world((self.now if z is None else z, y, x))

    def fill_slice(self, plane):
        self.fill(plane, self.mm, self.layer.brush_size)

    def middle(self, plane):
        """A voxel (y, x) well inside a shape."""
        y, x = np.argwhere(plane)[plane.sum() // 2]
        columns = np.flatnonzero(plane[y])
        return int(y), int(np.median(columns)) if plane[y, int(np.median(columns))] else int(x)

    def tool(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        """Work with a tool by its key; it changes something, as one step. Returns the labels before and after."""
        before = self.labels()
        with heard(self.tools.told, 120):
            self.press(key, modifiers)
        after = self.labels()
        assert not np.array_equal(before, after), f"{self.dock.tools_panel.told.text()} ({key})"
        self.back_and_forth(before, after)
        return before, after

    def back_and_forth(self, before, after):
        self.undo()
        np.testing.assert_array_equal(self.labels(), before)
        self.redo()
        np.testing.assert_array_equal(self.labels(), after)

    def look(self, name):
        """Take a picture of this step."""
        self.picture().save(str(self.folder / f"{name}.png"))


def next_case(person):
    with heard(person.session.case_opened, 30):
        person.press(Key.Key_Right, ALT)
    assert not person.session.painting.pending
