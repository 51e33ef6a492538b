"""Keys of the dock on the viewer: digits take up the brush with a class; further keys come from the panels.

napari's own tools answer to the same digits on the selected layer, and a layer's keys come before the viewer's: so the keys
are bound on each layer of the study too, and all are unbound when the dock closes.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import napari
from napari.layers import Layer

from cvrl_napari.gui.session import Session
from cvrl_napari.study.labels import BACKGROUND

Action = Callable[[], None]


class Shortcuts:
    """Bind on creation and on every new layer; `close` unbinds."""

    def __init__(self, viewer: napari.Viewer, session: Session, further: Mapping[str, Action] | None = None) -> None:
        self._viewer = viewer
        self._actions: dict[str, Action] = {str(key): partial(session.paint_with, key) for key in range(1, 10)}
        self._actions["0"] = partial(session.paint_with, BACKGROUND)
        self._actions |= further or {}
        self._bind(viewer)
        for layer in viewer.layers:
            self._bind(layer)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Give the keys back to napari."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        for provider in (self._viewer, *self._viewer.layers):
            for key in self._actions:
                provider.bind_key(key, None)

    def _on_inserted(self, event: Any) -> None:
        self._bind(event.value)

    def _bind(self, provider: napari.Viewer | Layer) -> None:
        for key, action in self._actions.items():
            provider.bind_key(key, lambda _, action=action: action(), overwrite=True)
