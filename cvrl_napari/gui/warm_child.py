"""A child that has loaded torch and the engine and waits for its order: Train is then followed by training, not by loading."""

import json
from collections.abc import Sequence
from contextlib import suppress

from cvrl_napari.gui.child import Child


class WarmChild:
    """Keeps at most one child waiting. It uses no processor while it waits, and ends when the viewer does."""

    def __init__(self) -> None:
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child that waits; None while there is none."""
        return self._child.pid if self._child else None

    def get_ready(self) -> None:
        """Start a child, unless one is there already. That it cannot be started is for the run to find out and to say."""
        if self._child is None:
            self._child = Child(["wait"])
            with suppress(OSError):
                self._child.start()

    def ask(self, arguments: Sequence[str]) -> Child | None:
        """Give the child an order that it answers with one line and then waits on; whoever asks calls `answer` of it.

        None when there is no child, or it has died.
        """
        if self._child is None or not self._child.is_running:
            return None
        self._child.ask(json.dumps(list(arguments)))
        return self._child

    def take(self) -> Child | None:
        """Hand the child over; None when there is none or it has died."""
        child, self._child = self._child, None
        if child is None or child.is_running:
            return child
        _bury(child)
        return None

    def close(self) -> None:
        """End the child; it has nothing to save."""
        child, self._child = self._child, None
        if child is not None:
            _bury(child)


def _bury(child: Child) -> None:
    child.kill()
    if child.pid is not None:
        child.finish(patience_s=1.0)
