"""The slices of all layers in one picture. What the brush touches is looked up and drawn again, and nothing else of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from napari.layers import Image, Labels, Layer
from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt
from qtpy.QtGui import QImage, QPainter, QPixmap

from cvrl_napari.gui.views.followed_layers import Box
from cvrl_napari.gui.views.layer_space import extent_mm, slice_index
from cvrl_napari.gui.views.planes import Frame, Plane, Point
from cvrl_napari.gui.views.slice_pictures import Picture, class_table, look_up, picture_of, plane_slice

RIM_PIXELS = 2
"""How far a voxel is seen beyond its own edge where a picture is drawn smaller or larger."""


@dataclass(frozen=True)
class _Slice:
    index: int
    picture: Picture
    """Held because Qt does not copy it: what is written into it is drawn."""
    image: QImage
    layer: Image | Labels

    @cached_property
    def table(self) -> np.ndarray:
        """The colours of the classes: as long as they stay, so does what is known of the slice."""
        return class_table(self.layer)


class Ground:
    """The picture of one view. `forget` it when another part or another slice is to be seen."""

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._layers: Sequence[Image | Labels] = ()
        self._slices: dict[Layer, _Slice] = {}
        self._drawn: QPixmap | None = None

    def take(self, layers: Sequence[Image | Labels], stale: set[Layer]) -> None:
        """Draw these layers, lowest first; what is known of their slices is kept unless they are `stale`."""
        self._slices = {layer: known for layer, known in self._slices.items() if layer in layers and layer not in stale}
        self._layers = layers
        self._drawn = None

    def forget(self) -> None:
        """Draw all of it the next time; the slices are kept."""
        self._drawn = None

    def pixmap(self, frame: Frame, point: Point, size: QSize, ratio: float) -> QPixmap:
        """Return the picture of what lies in a frame of the slice that holds a point.

        Parameters
        ----------
        size : QSize
            Of the view; the picture has `ratio` times as many pixels in each direction.
        """
        if self._drawn is None:
            self._drawn = QPixmap(size * ratio)
            self._drawn.setDevicePixelRatio(ratio)
            self._draw(frame, point, QRect(0, 0, size.width(), size.height()))
        return self._drawn

    def painted(self, where: Mapping[Layer, Box], frame: Frame, point: Point) -> QRect:
        """Look up again what was painted, and draw it; returns which part of the view looks different now."""
        changed = QRect()
        for layer, box in where.items():
            known, index = self._slices.get(layer), slice_index(layer, self._plane.normal, point)
            if known is None or known.index != index or self._drawn is None:
                self._slices.pop(layer, None)  # it is looked up when it is to be seen
            elif box[self._plane.normal].start <= known.index < box[self._plane.normal].stop:
                changed |= self._look_up_again(layer, known, box, frame)
        if not changed.isEmpty():
            self._draw(frame, point, changed)
        return changed

    def _look_up_again(self, layer: Layer, known: _Slice, box: Box, frame: Frame) -> QRect:
        """Write the new colours of a box into the known picture; return where in the view there are others than before."""
        plane = self._plane
        cut = plane_slice(layer.data, plane, known.index)
        if not isinstance(layer, Labels) or layer.contour > 0 or layer.show_selected_label or cut.dtype != np.uint8:
            part = (slice(0, cut.shape[0]), slice(0, cut.shape[1]))  # a voxel changes the colour of others
            colors = picture_of(layer, plane, known.index)
        else:
            rows, columns = box[plane.vertical], box[plane.horizontal]
            high = cut.shape[0]
            part = (slice(high - rows.stop, high - rows.start) if plane.upwards else rows, columns)
            colors = look_up(known.table, cut[part])
        before, colors = known.picture.view(np.uint32)[part][..., 0], colors.view(np.uint32)[..., 0]
        differs = before != colors
        if not differs.any():
            return QRect()
        before[...] = colors
        rows_hit, columns_hit = np.flatnonzero(differs.any(axis=1)), np.flatnonzero(differs.any(axis=0))
        place = self._place(layer, frame)
        wide, high_px = place.width() / cut.shape[1], place.height() / cut.shape[0]
        left, top = part[1].start + columns_hit[0], part[0].start + rows_hit[0]
        right, bottom = part[1].start + columns_hit[-1] + 1, part[0].start + rows_hit[-1] + 1
        corner = place.topLeft() + QPointF(wide * left, high_px * top)
        inside = QRectF(corner, place.topLeft() + QPointF(wide * right, high_px * bottom)).toAlignedRect()
        return inside.adjusted(-RIM_PIXELS, -RIM_PIXELS, RIM_PIXELS, RIM_PIXELS)

    def _draw(self, frame: Frame, point: Point, part: QRect) -> None:
        assert self._drawn is not None
        painter = QPainter(self._drawn)
        painter.setClipRect(part)
        painter.fillRect(part, Qt.GlobalColor.black)
        for layer in self._layers:
            self._draw_layer(painter, layer, frame, point)
        painter.end()

    def _draw_layer(self, painter: QPainter, layer: Image | Labels, frame: Frame, point: Point) -> None:
        index = slice_index(layer, self._plane.normal, point)
        if index is None:
            return
        known = self._slices.get(layer)
        if known is None or known.index != index:
            picture = picture_of(layer, self._plane, index)
            rows, columns = picture.shape[:2]
            image = QImage(picture.data, columns, rows, 4 * columns, QImage.Format.Format_ARGB32_Premultiplied)
            known = self._slices[layer] = _Slice(index, picture, image, layer)
        place = self._place(layer, frame)
        shrinks = place.width() * painter.device().devicePixelRatioF() < known.image.width()
        smooth = isinstance(layer, Image) and (shrinks or str(layer.interpolation2d) != "nearest")
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.setOpacity(layer.opacity)
        added = str(layer.blending) == "additive"
        mode = QPainter.CompositionMode.CompositionMode_Plus if added else QPainter.CompositionMode.CompositionMode_SourceOver
        painter.setCompositionMode(mode)
        painter.drawImage(place, known.image)

    @staticmethod
    def _place(layer: Layer, frame: Frame) -> QRectF:
        one, other = (QPointF(*frame.to_screen(corner)) for corner in extent_mm(layer))
        return QRectF(one, other).normalized()
