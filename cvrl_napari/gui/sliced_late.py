"""Several changes to layers, for which napari slices them and reckons its sliders when all are made."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from napari.components import ViewerModel
from napari.layers import Layer
from napari.utils.events import EventEmitter


@contextmanager
def sliced_late(layers: Sequence[Layer]) -> Iterator[None]:
    """Let napari slice these layers for what is changed in them when all is done, and for each slider that moves meanwhile.

    Else it does so for each change: of the data, of the scale, of the place. That is half of what another case takes. Where
    napari has no way to wait any more, it does so again.
    """
    with ExitStack() as waiting:
        for layer in layers:
            if hasattr(layer, "_block_refresh"):
                waiting.enter_context(layer._block_refresh())
        yield
    for layer in layers:
        layer.refresh()


@contextmanager
def placed_late(layers: Sequence[Layer]) -> Iterator[None]:
    """Let the viewer see where these layers lie when all is done: it sets its sliders for each change of each layer else."""
    with ExitStack() as waiting:
        for layer in layers:
            events = layer.events
            for emitter in (events.data, events.scale, events.translate, events.units):
                for callback in _of_viewer(emitter):
                    waiting.enter_context(emitter.blocker(callback))
        yield
    layers[-1].translate = layers[-1].translate  # tells it


def _of_viewer(emitter: EventEmitter) -> list[Callable[..., Any]]:
    """Return what a viewer does when this is emitted."""
    bound = [callback for callback in emitter.callbacks if isinstance(callback, tuple)]
    return [getattr(owner(), name) for owner, name in bound if isinstance(owner(), ViewerModel)]
