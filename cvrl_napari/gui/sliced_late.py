"""Several changes to layers, for which napari slices them when all are made."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from napari.layers import Layer


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
