"""Somebody with a mouse and a keyboard in front of napari's window: nothing here calls the program, it only clicks and types.

For tests of whole walks, and for the pictures of the user guide.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import napari
import numpy as np
from qtpy.QtCore import QPoint, QPointF, Qt, QTimer
from qtpy.QtGui import QPixmap
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLineEdit, QListWidget, QMenu, QWidget
from scipy.ndimage import binary_erosion

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.views.plane_view import PlaneView

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
Millimetres = Sequence[float]
"""A point of the display, (z, y, x)."""
Kind = TypeVar("Kind", bound=QWidget)


class Person:
    """Works in one window of napari."""

    def __init__(self, viewer: napari.Viewer) -> None:
        self.viewer = viewer
        self.window: QWidget = viewer.window._qt_window
        self.canvas = next(one for one in self.window.findChildren(QWidget) if type(one).__name__ == "CanvasBackendDesktop")

    def picture(self) -> QPixmap:
        """Take a picture of the window as it is on the screen, dialogs and menus in front of it too."""
        settle()
        area = self.window.geometry()
        return self.window.screen().grabWindow(0, area.x(), area.y(), area.width(), area.height())

    # Keys

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Press a key with the focus on the canvas."""
        self.come_to_front()
        QTest.keyClick(self.window, key, modifiers)
        settle()

    def undo(self) -> None:
        """Ctrl+Z."""
        self.press(Qt.Key.Key_Z, CTRL)

    def redo(self) -> None:
        """Ctrl+Shift+Z."""
        self.press(Qt.Key.Key_Z, CTRL | SHIFT)

    def come_to_front(self) -> None:
        """Have the window in front, as function keys need it."""
        if not self.window.isActiveWindow():
            self.window.activateWindow()
            wait_until(self.window.isActiveWindow, "the window did not come to the front")

    def scroll_to(self, z_mm: float, step_mm: float) -> None:
        """Press the arrow keys until the axial slice at `z_mm` is on view; `step_mm` is a slice."""
        steps = round((z_mm - self.viewer.dims.point[0]) / step_mm)
        key = Qt.Key.Key_Right if steps > 0 else Qt.Key.Key_Left
        for _ in range(abs(steps)):
            QTest.keyClick(self.canvas, key)
        settle()

    # Mouse

    def click(self, widget: QWidget) -> None:
        """Click a button, a box to tick, a view."""
        settle()
        assert widget.isVisible(), f"{widget} is not to be seen"
        assert widget.isEnabled(), f"{widget.objectName() or getattr(widget, 'text', str)()} cannot be pressed now"
        # A box to tick answers on the box itself and on its text, not on the empty room beside it.
        where = QPoint(10, widget.height() // 2) if isinstance(widget, QAbstractButton) else widget.rect().center()
        QTest.mouseClick(widget, LEFT, NONE, where)
        settle()

    def point_at(self, place: Millimetres) -> None:
        """Lead the mouse to a place of the axial slice on the canvas."""
        for aside in (3, 0):
            QTest.qWait(10)  # napari takes one move in 5 ms
            QTest.mouseMove(self.canvas, self._on_canvas(place) - QPoint(aside, aside))
            settle()

    def stroke(self, start: Millimetres, end: Millimetres, *, view: PlaneView | None = None, moves: int = 2) -> None:
        """Press, drag and let go between two places, on the canvas or in a linked view."""
        self.trace([np.array(start) * (1 - share) + np.array(end) * share for share in np.linspace(0, 1, moves + 1)], view=view)

    def trace(self, places: Sequence[Millimetres], *, view: PlaneView | None = None) -> None:
        """Press at the first place, drag over the others and let go at the last."""
        target = view if view is not None else self.canvas
        place = self._in_view(view) if view is not None else self._on_canvas
        QTest.mouseMove(target, place(places[0]))
        QTest.mousePress(target, LEFT, NONE, place(places[0]))
        for on_the_way in places[1:]:
            QTest.qWait(6)  # napari takes one move in 5 ms
            QTest.mouseMove(target, place(on_the_way))
            QApplication.processEvents()
        QTest.mouseRelease(target, LEFT, NONE, place(places[-1]))
        settle()

    def fill(self, plane: np.ndarray, to_mm: Callable[[int, int], Millimetres], brush: int) -> None:
        """Paint a shape of the slice on view, bool (y, x), with strokes from left to right that stay inside it.

        Parameters
        ----------
        to_mm : callable
            Returns the place of a voxel (y, x) of the slice.
        brush : int
            Width of the brush in hand, voxels.
        """
        for start, end in strokes_inside(plane, brush):
            self.stroke(to_mm(*start), to_mm(*end))

    def _on_canvas(self, place: Millimetres) -> QPoint:
        camera = camera_of(self.viewer)
        middle = np.array((self.canvas.height(), self.canvas.width())) / 2
        row, column = middle + (np.array(place)[1:] - np.array(camera.center)[1:]) * camera.zoom
        return QPoint(round(column), round(row))

    @staticmethod
    def _in_view(view: PlaneView) -> Callable[[Millimetres], QPoint]:
        return lambda place: QPointF(*view.frame.to_screen(tuple(place))).toPoint()

    # Lists, menus and dialogs

    def rename(self, names: QListWidget, row: int, name: str) -> None:
        """Double-click a row of a list and type over it."""
        place = names.visualItemRect(names.item(row)).center()
        QTest.mouseClick(names.viewport(), LEFT, NONE, place)
        QTest.mouseDClick(names.viewport(), LEFT, NONE, place)
        self.type_into_row(names, name)

    def type_into_row(self, names: QListWidget, name: str) -> None:
        """Type over the row that is open for it, and press Enter."""
        edit = names.findChild(QLineEdit)
        assert edit is not None, "no row is open to be typed into"
        edit.selectAll()
        QTest.keyClicks(edit, name)
        QTest.keyClick(edit, Qt.Key.Key_Return)
        settle()

    def choose(self, button: QAbstractButton, words: str) -> None:
        """Open the menu of a button and click the entry that begins with these words."""

        def pick(menu: QMenu) -> None:
            action = next(one for one in menu.actions() if one.text().startswith(words))
            assert action.isEnabled(), f"'{words}' cannot be chosen now"
            QTest.mouseClick(menu, LEFT, NONE, menu.actionGeometry(action).center())

        with answering(QMenu, pick):
            self.click(button)

    def choose_file(self, button: QAbstractButton, path: Path) -> None:
        """Click a button that asks for a file or folder, go to its folder and type its name."""

        def name_it(dialog: QFileDialog) -> None:
            dialog.setDirectory(str(path.parent))  # what is typed letter by letter Qt completes as the disk answers
            edit = dialog.findChild(QLineEdit, "fileNameEdit")
            edit.setText(path.name)
            settle()
            QTest.keyClick(edit, Qt.Key.Key_Return)

        with answering(QFileDialog, name_it):
            self.click(button)


@contextmanager
def answering(kind: type[Kind], answer: Callable[[Kind], None]) -> Iterator[None]:
    """Answer the dialog or menu of this kind that comes up meanwhile; it keeps the program waiting, so a timer looks for it."""
    answered: list[bool] = []

    def look() -> None:
        found = [one for one in QApplication.topLevelWidgets() if isinstance(one, kind) and one.isVisible()]
        if found and not answered:
            answered.append(True)
            timer.stop()
            answer(found[0])

    timer = QTimer(QApplication.instance())
    timer.timeout.connect(look)
    timer.start(20)
    try:
        yield
        wait_until(lambda: bool(answered), f"no {kind.__name__} came up")
    finally:
        timer.stop()
        timer.deleteLater()


def strokes_inside(plane: np.ndarray, brush: int) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return strokes from left to right, ((y, x) of start, (y, x) of end), that cover a shape, bool (y, x), from inside."""
    radius = brush // 2
    y, x = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    room = binary_erosion(plane, y * y + x * x <= radius * radius)
    found = []
    rows = np.flatnonzero(room.any(axis=1))
    for row in {*range(rows[0], rows[-1], max(brush - 2, 1)), rows[-1]} if len(rows) else ():
        edges = np.flatnonzero(np.diff(np.concatenate(([False], room[row], [False]))))
        found += [((row, int(first)), (row, int(after) - 1)) for first, after in edges.reshape(-1, 2)]
    return sorted(found)


def wait_until(is_so: Callable[[], bool], otherwise: str, seconds: float = 20) -> None:
    """Let the program work until something is so.

    Raises
    ------
    TimeoutError
        With the words of `otherwise`.
    """
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(otherwise)
        QTest.qWait(10)


def settle() -> None:
    """Let everything be drawn that is due."""
    for _ in range(3):
        QApplication.processEvents()
