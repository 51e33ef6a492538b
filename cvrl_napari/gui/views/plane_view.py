"""One plane of the case on view as a widget: it draws slices, and says where in the scan the mouse is."""

from collections.abc import Mapping, Sequence

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from cvrl_napari.gui.orientation_letters import edge_letters
from cvrl_napari.gui.placement import layer_affine
from cvrl_napari.gui.views import plane_drawing
from cvrl_napari.gui.views.followed_layers import Box
from cvrl_napari.gui.views.ground import Ground
from cvrl_napari.gui.views.layer_space import extent_mm, slice_index
from cvrl_napari.gui.views.measured import Measured
from cvrl_napari.gui.views.planes import Frame, Plane, Point

WHEEL_STEP = 120
"""What Qt calls one notch of a wheel."""
SCROLL_KEYS = {
    Qt.Key.Key_Up: 1,
    Qt.Key.Key_Down: -1,
    Qt.Key.Key_PageUp: 10,
    Qt.Key.Key_PageDown: -10,
}
HINT = """{name} view. Wheel, or Up and Down: slice by slice; Page Up and Page Down: by ten.
Click, or Shift and move: crosshair. Drag: paints, or moves the picture when no brush is in hand.
Right-drag: contrast (right: wider window, up: brighter). Ctrl+wheel: zoom. Home or double-click: all of the slice."""


class PlaneView(QWidget):
    """The slices of one plane through a point. Hidden it draws nothing.

    Signals
    -------
    pressed, moved, released : object
        What the mouse did, a QMouseEvent; `moved` comes without a button too.
    scrolled : int
        Slices forwards that wheel or keys asked for.
    """

    pressed = Signal(object)
    moved = Signal(object)
    released = Signal(object)
    scrolled = Signal(int)

    def __init__(self, plane: Plane, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plane = plane
        self.setObjectName(f"CVRL {plane.name}")
        self.setAccessibleName(f"{plane.name} view")
        self.setToolTip(HINT.format(name=plane.name))
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 100)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)  # nothing is to be seen below
        self.frame = Frame(plane, (0.0, 0.0), 1.0, 1, 1)
        self._grid: Layer | None = None
        self._extent: np.ndarray | None = None
        self._point: Point = (0.0, 0.0, 0.0)
        self._is_fitted = True
        self._ground = Ground(plane)
        self._over: QPixmap | None = None
        self._brush_mm: float | None = None
        self._lines: Sequence[Measured] = ()
        self._mouse: QPointF | None = None
        self._brushed = QRegion()
        # What the brush paints is told a round of the event loop later: the window is put together once for both, not twice.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._draw_brush)
        self._notches = 0.0

    def sizeHint(self) -> QSize:
        """A good part of a laptop's window."""
        return QSize(300, 260)

    # What is shown

    def show_layers(self, layers: Sequence[Image | Labels], stale: set[Layer]) -> None:
        """Draw these layers, lowest first; what is known of their slices is kept unless they are `stale`."""
        self._ground.take(layers, stale)
        placed = [layer for layer in layers if layer_affine(layer) is not None]
        self._grid = next(iter(placed or layers), None)
        before, self._extent = self._extent, None if self._grid is None else extent_mm(self._grid)
        if self._extent is not None and (before is None or not np.allclose(before, self._extent)):
            self.fit()
        self._redraw()

    def show_painted(self, where: Mapping[Layer, Box]) -> None:
        """Draw again what was painted, as far as it is in the slice on view."""
        changed = self._ground.painted(where, self.frame, self._point)
        if not changed.isEmpty():
            self.update(changed)

    def show_point(self, point: Point) -> None:
        """Draw the slice that holds a point in mm, and the crosshair there."""
        if point != self._point:
            axis = self.plane.normal
            if point[axis] != self._point[axis]:
                self._ground.forget()
            self._point = point
            self._over = None
            self.update()

    def show_brush(self, width_mm: float | None) -> None:
        """Draw a circle of this width where the mouse is; None: no brush is in hand."""
        self._brush_mm = width_mm
        self.update()

    def show_lines(self, lines: Sequence[Measured]) -> None:
        """Draw measured lines; those that lie in the slice on view are seen."""
        self._lines, self._over = lines, None
        self.update()

    def fit(self) -> None:
        """Show all of the slice."""
        self._is_fitted = True
        if self._extent is not None:
            self.frame = Frame.around(self.plane, self._extent[0], self._extent[1], self.width(), self.height())
        self._redraw()

    def look_at(self, frame: Frame) -> None:
        """Show another part of the slice."""
        self.frame, self._is_fitted = frame, False
        self._redraw()

    @property
    def index(self) -> int | None:
        """Number of the slice on view along the plane's normal; None where there is no scan."""
        return None if self._grid is None else slice_index(self._grid, self.plane.normal, self._point)

    @property
    def letters(self) -> dict[str, str]:
        """The letters on the edges; empty when no layer says how it lies in the patient."""
        affine = None if self._grid is None else layer_affine(self._grid)
        if affine is None:
            return {}
        return edge_letters(affine, (self.plane.vertical, self.plane.horizontal), self.plane.orientation)

    def point_at(self, place: QPointF) -> Point:
        """Return the point in mm below a pixel, in the slice on view."""
        return self.frame.to_point(place.x(), place.y(), self._point)

    # Drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the slices anew when they changed, and over them what moves with the mouse."""
        ratio = self.devicePixelRatioF()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._ground.pixmap(self.frame, self._point, self.size(), ratio))
        if self._over is None:
            self._over = self._draw_over(ratio)
        painter.drawPixmap(0, 0, self._over)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._extent is not None and self._brush_mm is not None and self._mouse is not None:
            plane_drawing.draw_brush(painter, self._mouse, self._brush_mm * self.frame.zoom)
        if self.hasFocus():
            painter.setPen(self.palette().highlight().color())
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def _redraw(self) -> None:
        self._ground.forget()
        self._over = None
        self.update()

    def _draw_over(self, ratio: float) -> QPixmap:
        """Draw what stays while one paints: crosshair, measured lines, letters, scale bar, name."""
        over = QPixmap(self.size() * ratio)
        over.setDevicePixelRatio(ratio)
        over.fill(Qt.GlobalColor.transparent)
        if self._extent is None:
            return over
        width, height = self.width(), self.height()
        painter = QPainter(over)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        plane_drawing.draw_crosshair(painter, self._place_of(self._point), width, height)
        for line in self._lines:
            if self._grid is not None and self._holds(line):
                plane_drawing.draw_measured(painter, self._place_of(line.start), self._place_of(line.end), line.words)
        plane_drawing.draw_letters(painter, self.letters, width, height)
        plane_drawing.draw_scale_bar(painter, self.frame.zoom, width, height)
        index = self.index
        number = "" if index is None or self._grid is None else f" {index + 1}/{self._grid.data.shape[self.plane.normal]}"
        plane_drawing.write(painter, self.plane.name + number, 0, 0, 0, 0)
        painter.end()
        return over

    def _holds(self, line: Measured) -> bool:
        ends = (slice_index(self._grid, self.plane.normal, end) for end in (line.start, line.end))
        return all(index is not None and index == self.index for index in ends)

    def _place_of(self, point: Point) -> QPointF:
        return QPointF(*self.frame.to_screen(point))

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Tell."""
        self.pressed.emit(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Tell, and let the brush follow."""
        self._update_brush()
        self._mouse = event.position()
        self.moved.emit(event)
        self._update_brush()

    def _update_brush(self) -> None:
        """Have the place of the brush drawn again."""
        if self._brush_mm is not None and self._mouse is not None:
            reach = self._brush_mm * self.frame.zoom / 2 + 3
            middle = self._mouse
            self._brushed |= QRectF(middle.x() - reach, middle.y() - reach, 2 * reach, 2 * reach).toAlignedRect()
            self._soon.start()

    def _draw_brush(self) -> None:
        self.update(self._brushed)
        self._brushed = QRegion()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell."""
        self.released.emit(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Show all of the slice; with a brush in hand it is a second dab."""
        if self._brush_mm is None:
            self.fit()
        else:
            self.pressed.emit(event)

    def leaveEvent(self, event: QEvent) -> None:
        """The brush leaves with the mouse."""
        self._update_brush()
        self._mouse = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Scroll; with Ctrl zoom about the mouse."""
        notches = event.angleDelta().y() / WHEEL_STEP
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.look_at(self.frame.zoomed(1.2**notches, event.position().x(), event.position().y()))
        else:
            self._notches += notches  # a touchpad sends parts of a notch
            steps = int(self._notches)
            self._notches -= steps
            if steps:
                self.scrolled.emit(steps)
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll and fit; every other key is napari's: brush, classes, undo."""
        key = Qt.Key(event.key())
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and key in SCROLL_KEYS:
            self.scrolled.emit(SCROLL_KEYS[key])
        elif plain and key == Qt.Key.Key_Home:
            self.fit()
        else:
            event.ignore()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Go on showing all of the slice, or what was in the middle."""
        if self._is_fitted:
            self.fit()
        else:
            frame = self.frame
            self.look_at(Frame(frame.plane, frame.center, frame.zoom, self.width(), self.height()))
