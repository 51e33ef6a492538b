"""A scatter plot of very many points: panned, zoomed, asked, and fenced in with a lasso."""

from typing import Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEasingCurve, QPointF, QRectF, Qt, QVariantAnimation, Signal
from qtpy.QtGui import QImage, QPainter, QTransform
from qtpy.QtWidgets import QWidget

from cvrl_napari.gui.embeddings.lasso import inside
from cvrl_napari.gui.embeddings.raster import draw_points

BACKDROP = "#1e2126"
LASSO_COLOR = "#ffffff"
NEAR_PX = 7
"""How close the mouse must be to a point to mean it, pixels."""
RING_PX = 16
STAYING = 0.98
"""When less of the points that are in view stay in it, everything is shown."""
MOVE_MS = 400
"""How long points take to their new places."""
SIZES = ((3_000, 6), (15_000, 4), (60_000, 3))
"""Up to so many points are drawn so large, pixels; more of them smaller."""
SMALLEST = 2


class _Cloud(pg.GraphicsObject):  # type: ignore[misc]
    """The points, drawn as one picture at the resolution of whatever is painted on."""

    def __init__(self) -> None:
        super().__init__()
        self.points = np.zeros((0, 2), np.float32)
        self.colors = np.zeros(0, np.uint32)

    def boundingRect(self) -> QRectF:
        """Say that every part of the view may be drawn on."""
        return QRectF(self.viewRect())

    def viewTransformChanged(self) -> None:
        """Follow pan and zoom."""
        self.prepareGeometryChange()
        super().viewTransformChanged()

    def dataBounds(self, axis: int, frac: float = 1.0, orthoRange: object = None) -> tuple[float, float] | None:
        """Return the range to show, with a margin the size of a point."""
        values = self.points[:, axis]
        return (float(values.min()), float(values.max())) if values.size else None

    def pixelPadding(self) -> int:
        """Leave room for the points at the border."""
        return 4

    def paint(self, painter: QPainter, *_: object) -> None:
        """Draw what is in view."""
        view, transform = self.boundingRect(), painter.worldTransform()
        target = transform.mapRect(view)
        device = painter.device()
        ratio = device.devicePixelRatioF() if device is not None else 1.0
        width, height = round(target.width() * ratio), round(target.height() * ratio)
        if not len(self.points) or width < 1 or height < 1:
            return
        edges = (view.left(), view.top(), view.width(), view.height())  # y upwards: Qt's top is the lowest value
        side = next((size for most, size in SIZES if len(self.points) <= most), SMALLEST)
        pixels = draw_points(self.points, self.colors, edges, (width, height), diameter=max(1, round(side * ratio)))
        image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied)
        painter.save()
        painter.setWorldTransform(QTransform())
        painter.drawImage(target, image)
        painter.restore()


class _View(pg.ViewBox):  # type: ignore[misc]
    """Left drag draws a lasso; with Shift, or another button, it pans; the wheel zooms; a double click shows everything."""

    drawn = Signal(object, bool)
    clicked = Signal(QPointF)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self._line = pg.PlotCurveItem(pen=pg.mkPen(LASSO_COLOR, width=1.5))
        self._line.setZValue(10)
        self.addItem(self._line, ignoreBounds=True)
        self._corners: list[tuple[float, float]] = []

    def mouseDragEvent(self, event: Any, axis: int | None = None) -> None:
        """Draw a lasso or pan."""
        shifted = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.button() != Qt.MouseButton.LeftButton or shifted:
            if event.button() == Qt.MouseButton.RightButton:
                self._pan(event)
            else:
                super().mouseDragEvent(event, axis)
            return
        event.accept()
        if event.isStart():
            self._corners = [self._place(event.buttonDownPos())]
        self._corners.append(self._place(event.pos()))
        corners = np.array(self._corners)
        if event.isFinish():
            self._line.setData([], [])
            self.drawn.emit(corners, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        else:
            self._line.setData(*np.vstack([corners, corners[:1]]).T)

    def mouseClickEvent(self, event: Any) -> None:
        """Tell where it was clicked; a double click shows everything."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        event.accept()
        if event.double():
            self.autoRange(padding=0.03)
        else:
            self.clicked.emit(self.mapToView(event.pos()))

    def _pan(self, event: Any) -> None:
        event.accept()
        before, now = self.mapToView(event.lastPos()), self.mapToView(event.pos())
        self.translateBy(x=before.x() - now.x(), y=before.y() - now.y())

    def _place(self, position: QPointF) -> tuple[float, float]:
        place = self.mapToView(position)
        return place.x(), place.y()


class PointPlot(pg.PlotWidget):  # type: ignore[misc]
    """Shows points; knows nothing of what they stand for.

    Signals
    -------
    lassoed : object, object, bool
        bool array (N,): the visible points in the lasso; its corners (V, 2); whether Ctrl was held: they come to those before.
    pointed : int
        The point under the mouse, -1 for none.
    clicked : int
        The point that was clicked, -1 for an empty place.
    """

    lassoed = Signal(object, object, bool)
    pointed = Signal(int)
    clicked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        self._box = _View()
        super().__init__(parent, background=BACKDROP, viewBox=self._box)
        self._cloud = _Cloud()
        self.addItem(self._cloud)
        self._places = np.zeros((0, 2), np.float32)  # where the points are bound for, in the order of the sample
        self._start = self._places
        self._order = np.zeros(0, np.int64)
        self._under = -1
        self._ring = pg.ScatterPlotItem(size=RING_PX, pen=pg.mkPen(LASSO_COLOR, width=2), brush=None)
        self._ring.setZValue(11)
        self._box.addItem(self._ring, ignoreBounds=True)
        for side in ("left", "bottom"):
            self.getAxis(side).setStyle(showValues=False, tickLength=0)
            self.getAxis(side).setPen("#4a4f57")
        self._moving = QVariantAnimation(self)
        self._moving.setDuration(MOVE_MS)
        self._moving.setStartValue(0.0)
        self._moving.setEndValue(1.0)
        self._moving.setEasingCurve(QEasingCurve.Type.InOutCubic)
        self._moving.valueChanged.connect(self._move)
        self._box.drawn.connect(self._on_drawn)
        self._box.clicked.connect(lambda place: self.clicked.emit(self.nearest(place.x(), place.y())))
        self.scene().sigMouseMoved.connect(self._on_moved)
        self.hideButtons()

    @property
    def places(self) -> np.ndarray:
        """Where the points are, or are moving to, (N, 2)."""
        return self._places

    @property
    def is_moving(self) -> bool:
        """Whether points are on their way."""
        return bool(self._moving.state() == QVariantAnimation.State.Running)

    def set_places(self, places: np.ndarray, *, smoothly: bool = False) -> None:
        """Put the points at places (N, 2); `smoothly` lets as many points as before move there.

        The view stands still meanwhile, unless some would leave it that are in it now.
        """
        places = np.ascontiguousarray(places, np.float32)
        smoothly = smoothly and len(places) == len(self._places)
        self._start = self._now() if smoothly else places
        self._places = places
        self._moving.stop()
        if smoothly:
            if self._inside(places).sum() < STAYING * self._inside(self._start).sum():
                (left, low), (right, high) = places.min(axis=0), places.max(axis=0)
                self._box.setRange(QRectF(left, low, right - left, high - low), padding=0.03)
            self._moving.start()
        else:
            self._order = np.arange(len(places))
            self._move(1.0)
            if len(places):
                self._box.autoRange(padding=0.03)

    def set_colors(self, colors: np.ndarray, order: np.ndarray) -> None:
        """Color the points, uint32 0xAARRGGBB (N,), and draw those of `order` one after the other: the others not at all."""
        self._order = order
        self._cloud.colors = colors[order]
        self._move(self._moving.currentValue() if self.is_moving else 1.0)

    def ring(self, place: np.ndarray | None) -> None:
        """Draw a ring around a place (2,) of the plot, or none."""
        self._ring.setData(*([], []) if place is None else place[:, None])

    def nearest(self, x: float, y: float) -> int:
        """Return the drawn point close to a place of the plot, or -1."""
        if not len(self._order):
            return -1
        per_pixel = np.array(self._box.viewPixelSize())
        distance = (((self._cloud.points - np.array((x, y), np.float32)) / per_pixel.astype(np.float32)) ** 2).sum(axis=1)
        best = int(distance.argmin())
        return int(self._order[best]) if distance[best] <= NEAR_PX**2 else -1

    def _inside(self, places: np.ndarray) -> np.ndarray:
        """Return which places (N, 2) are in view, bool (N,)."""
        (left, right), (low, high) = self._box.viewRange()
        x, y = places.T
        seen: np.ndarray = (x >= left) & (x <= right) & (y >= low) & (y <= high)
        return seen

    def _now(self) -> np.ndarray:
        """Return where the points are at this moment."""
        if not self.is_moving:
            return self._places
        share = np.float32(self._moving.currentValue())
        return self._start + share * (self._places - self._start)

    def _move(self, share: float) -> None:
        everywhere = self._places if share >= 1 else self._start + np.float32(share) * (self._places - self._start)
        self._cloud.points = everywhere[self._order]
        if len(self._cloud.colors) == len(self._order):
            self._cloud.update()

    def _on_drawn(self, corners: np.ndarray, more: bool) -> None:
        chosen = np.zeros(len(self._places), bool)
        chosen[self._order] = inside(self._cloud.points, corners)
        self.lassoed.emit(chosen, corners, more)

    def _on_moved(self, place: QPointF) -> None:
        under = -1
        if self._box.sceneBoundingRect().contains(place):
            position = self._box.mapSceneToView(place)
            under = self.nearest(position.x(), position.y())
        if under != self._under:
            self._under = under
            self.pointed.emit(under)
