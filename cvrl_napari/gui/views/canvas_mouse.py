"""What napari's own canvas learns: Ctrl and the right button for contrast, the ruler, and the crosshair of the views.

napari asks the viewer's callbacks first and the layer's afterwards, whatever the first ones did: so a tool is laid down for
as long as a drag of ours takes.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import napari
from napari.layers import Labels

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.contrast import Contrast
from cvrl_napari.gui.views.canvas_crosshair import CanvasCrosshair
from cvrl_napari.gui.views.crosshair import Crosshair
from cvrl_napari.gui.views.planes import Point
from cvrl_napari.gui.views.ruler import Ruler
from cvrl_napari.gui.views.undisturbed import undisturbed

LEFT, RIGHT = 1, 2
CLICK_PIXELS = 4


class CanvasMouse:
    """Listens to the canvas while the case is on view in two dimensions; `close` gives the mouse back."""

    def __init__(self, viewer: napari.Viewer, contrast: Contrast, ruler: Ruler) -> None:
        self._viewer, self._contrast, self._ruler = viewer, contrast, ruler
        self.crosshair: Crosshair | None = None
        """Moved by Shift and by clicks while there is one: as long as the linked views are open."""
        self.lines: CanvasCrosshair | None = None
        """Its lines on the canvas; not drawn during a stroke."""
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.mouse_move_callbacks.append(self._on_move)

    def close(self) -> None:
        """Listen no more."""
        self._viewer.mouse_drag_callbacks.remove(self._on_drag)
        self._viewer.mouse_move_callbacks.remove(self._on_move)

    def _on_drag(self, viewer: napari.Viewer, event: Any) -> Generator[None, None, None] | None:
        if event.button == RIGHT and "Control" in event.modifiers:
            return self._change_contrast(event)
        if event.button == RIGHT and not event.modifiers and isinstance(viewer.layers.selection.active, Labels):
            return self._encircle(viewer.layers.selection.active, event)
        if event.button != LEFT or viewer.dims.ndisplay != 2:
            return None
        if self.crosshair is not None and "Shift" in event.modifiers:
            return self._lead_crosshair(self.crosshair, event)
        if self._ruler.is_on:
            return self._measure(event)
        active = viewer.layers.selection.active
        if self.crosshair is not None and (active is None or str(active.mode) == "pan_zoom"):
            return self._click(self.crosshair, event)
        return self._paint(event)

    def _on_move(self, viewer: napari.Viewer, event: Any) -> None:
        if viewer.dims.ndisplay != 2:
            return
        if self.crosshair is not None and "Shift" in event.modifiers:
            self.crosshair.move(_point(event))
        elif self._ruler.is_on:
            self._ruler.move(_point(event))

    def _change_contrast(self, event: Any) -> Generator[None, None, None]:
        with _tool_laid_down(self._viewer):
            x, y = event.pos
            yield
            while event.type == "mouse_move":
                self._contrast.drag(event.pos[0] - x, event.pos[1] - y)
                x, y = event.pos
                yield

    def _lead_crosshair(self, crosshair: Crosshair, event: Any) -> Generator[None, None, None]:
        with _tool_laid_down(self._viewer):
            crosshair.move(_point(event))
            yield
            while event.type == "mouse_move":
                crosshair.move(_point(event))
                yield

    def _click(self, crosshair: Crosshair, event: Any) -> Generator[None, None, None]:
        pressed = event.pos
        point = _point(event)
        yield
        while event.type == "mouse_move":
            yield
        if _way(pressed, event.pos) <= CLICK_PIXELS:
            crosshair.move(point)

    def _paint(self, event: Any) -> Generator[None, None, None]:
        """Leave the drag to the tool in hand, and keep everything else out of its way."""
        with undisturbed(), nullcontext() if self.lines is None else self.lines.out_of_the_way():
            yield
            while event.type == "mouse_move":
                yield

    def _encircle(self, layer: Labels, event: Any) -> Generator[None, None, None]:
        """Let a drag with the right button draw the outline that napari begins at the press, and close it at the release.

        napari itself draws on only while no button is down, and fills once the mouse has come back to where it began.
        """
        began = event.position
        with undisturbed(), nullcontext() if self.lines is None else self.lines.out_of_the_way():
            yield
            while event.type == "mouse_move":
                _lead_outline(layer, event, event.position)
                yield
            _lead_outline(layer, event, began)

    def _measure(self, event: Any) -> Generator[None, None, None]:
        camera = camera_of(self._viewer)
        pans, camera.mouse_pan = camera.mouse_pan, False
        try:
            pressed = event.pos
            self._ruler.press(_point(event))
            yield
            while event.type == "mouse_move":
                self._ruler.move(_point(event))
                yield
            self._ruler.release(_point(event), clicked=_way(pressed, event.pos) <= CLICK_PIXELS)
        finally:
            camera.mouse_pan = pans


def _lead_outline(layer: Labels, event: Any, position: Any) -> None:
    """Tell a layer that the mouse, no button down, is at a place of the display."""
    told = SimpleNamespace(
        type="mouse_move",
        position=position,
        pos=event.pos,
        view_direction=event.view_direction,
        dims_displayed=event.dims_displayed,
        modifiers=(),
        button=None,
    )
    for listener in tuple(layer.mouse_move_callbacks):
        listener(layer, told)


def _point(event: Any) -> Point:
    z, y, x = (float(value) for value in event.position[-3:])
    return z, y, x


def _way(start: Any, end: Any) -> float:
    return float(abs(end[0] - start[0]) + abs(end[1] - start[1]))


@contextmanager
def _tool_laid_down(viewer: napari.Viewer) -> Iterator[None]:
    """Let the selected layer do nothing with the mouse meanwhile, nor the camera."""
    active = viewer.layers.selection.active
    mode = None if active is None else active.mode
    camera = camera_of(viewer)
    if active is not None:
        active.mode = "pan_zoom"
    pans, camera.mouse_pan = camera.mouse_pan, False
    try:
        yield
    finally:
        camera.mouse_pan = pans
        if active is not None and active in viewer.layers:
            active.mode = mode
