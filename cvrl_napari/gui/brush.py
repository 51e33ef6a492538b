"""What brush, outline and fill bucket paint on the labels: only some grey values, or the mask.

The brush paints the voxels that napari's own would, through `data_setitem`, which napari undoes stroke by stroke. That is also
many times faster on a large scan (`tests/benchmarks/bench_painting.py`).
"""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels

from cvrl_napari.editing.accepting import accepted
from cvrl_napari.editing.brushes import Indices, inside_outline, under_brush
from cvrl_napari.editing.edit import Edit
from cvrl_napari.editing.filling import filled


class OnView(Protocol):
    """What the brush has to know of the case on view: its grey values and its mask, both (z, y, x)."""

    def scan_array(self) -> np.ndarray:
        """Return the grey values."""
        ...

    def mask_array(self) -> np.ndarray:
        """Return the mask, uint8."""
        ...


_RULES: "WeakKeyDictionary[Labels, Brush]" = WeakKeyDictionary()


def paint_voxels(layer: Labels, where: Indices, new_label: int) -> None:
    """Paint voxels of any labels layer by the rules of its brush, if it has some: for views beside napari's canvas."""
    rules = _RULES.get(layer)
    if rules is None or rules.is_free(new_label):
        layer.data_setitem(where, new_label)
    else:
        rules.write(layer, where, new_label)


def fill_from(layer: Labels, start: Sequence[float], axes: Sequence[int], new_label: int) -> None:
    """Fill from a voxel (z, y, x) of any labels layer along some axes by the rules of its brush, if it has some."""
    voxel = [round(float(value)) for value in start]
    inside = all(0 <= index < size for index, size in zip(voxel, layer.data.shape, strict=True))
    if not inside or layer.data[tuple(voxel)] == new_label:
        return
    rules = _RULES.get(layer)
    if rules is not None and rules.fill_apart is not None and len(axes) == layer.ndim:
        rules.fill_apart(rules.planned_fill(layer, voxel, new_label))
        return
    limits = {} if rules is None or rules.is_free(new_label) else rules.limits
    where = filled(layer.data, voxel, axes, contiguous=layer.contiguous, **limits)
    if layer.preserve_labels and new_label:
        where = _only(where, layer.data[where] == 0)
    if where[0].size:
        paint_voxels(layer, where, new_label)


class Brush:
    """Rules for what is painted. The eraser is free of them.

    Attributes
    ----------
    grey_range : tuple of two floats, or None
        Only voxels whose grey value lies between these, both included, are painted.
    brings_mask : bool
        What is painted over becomes what the mask says, whatever the class in hand.
    fill_apart : callable, or None
        Takes what `planned_fill` returns, calls it in a thread and makes the change; without it a fill in 3D holds the GUI up.
    """

    def __init__(self, on_view: OnView) -> None:
        self._on_view = on_view
        self.grey_range: tuple[float, float] | None = None
        self.brings_mask = False
        self.fill_apart: Callable[[Callable[[], Edit]], None] | None = None

    def take(self, layer: Labels, axes: Callable[[int], Sequence[int]]) -> None:
        """Let a labels layer paint by these rules.

        Parameters
        ----------
        axes : callable
            Returns the axes painted along, ascending, when the brush has so many dimensions.
        """
        paint_polygon, fill = layer.paint_polygon, layer.fill

        @wraps(layer.paint)
        def ruled_paint(coord: Sequence[float], new_label: int, refresh: bool = True) -> None:
            where = under_brush(coord, layer.brush_size, axes(layer.n_edit_dimensions), layer.data.shape, layer.scale)
            self.write(layer, where, new_label, refresh=refresh)

        @wraps(paint_polygon)
        def ruled_polygon(points: Sequence[Sequence[float]], new_label: int) -> None:
            if self.is_free(new_label):
                paint_polygon(points, new_label)
            else:
                first, second = axes(2)
                self.write(layer, inside_outline(points, (first, second), layer.data.shape), new_label)

        @wraps(fill)
        def ruled_fill(coord: Sequence[float], new_label: int, refresh: bool = True) -> None:
            if self.is_free(new_label) and (self.fill_apart is None or layer.n_edit_dimensions < layer.ndim):
                fill(coord, new_label, refresh)
            else:
                fill_from(layer, coord, axes(layer.n_edit_dimensions), new_label)

        layer.paint, layer.paint_polygon, layer.fill = ruled_paint, ruled_polygon, ruled_fill
        _RULES[layer] = self

    def is_free(self, new_label: int) -> bool:
        """Say whether no rule holds for painting this label."""
        return new_label == 0 or (self.grey_range is None and not self.brings_mask)

    @property
    def limits(self) -> dict[str, Any]:
        """What `filled` has to know of the grey range; empty when there is none."""
        return {} if self.grey_range is None else {"greys": self._on_view.scan_array(), "grey_range": self.grey_range}

    def planned_fill(self, layer: Labels, voxel: Sequence[int], new_label: int) -> Callable[[], Edit]:
        """Return a function that works out a fill in 3D as the rules say now; it touches neither the layer nor Qt."""
        labels, contiguous, preserves = layer.data.copy(), layer.contiguous, layer.preserve_labels and new_label
        rules = not self.is_free(new_label)
        limits = self.limits if rules else {}
        mask = self._on_view.mask_array().copy() if rules and self.brings_mask else None

        def fill() -> Edit:
            where = filled(labels, voxel, range(labels.ndim), contiguous=contiguous, **limits)
            if preserves:
                where = _only(where, labels[where] == 0)
            before = labels[where]
            after = np.full(before.shape, new_label, np.uint8) if mask is None else accepted(before, mask[where])
            return Edit(where, before, after).changing()

        return fill

    def write(self, layer: Labels, where: Indices, new_label: int, *, refresh: bool = True) -> None:
        """Paint these voxels as the rules say; `new_label` is the class in hand."""
        rules = not self.is_free(new_label)
        if rules and self.grey_range is not None:
            low, high = self.grey_range
            greys = self._on_view.scan_array()[where]
            where = _only(where, (greys >= low) & (greys <= high))
        if layer.preserve_labels:
            where = _only(where, layer.data[where] == (0 if new_label else layer.selected_label))
        if rules and self.brings_mask:
            value = accepted(layer.data[where], self._on_view.mask_array()[where])
        else:
            value = np.full(len(where[0]), new_label, np.uint8)
        layer.data_setitem(where, value, refresh)


def _only(where: Indices, kept: np.ndarray) -> Indices:
    return tuple(axis[kept] for axis in where)
