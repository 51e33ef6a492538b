"""Predicting scans beside the viewer, in a child process."""

from pathlib import Path

from qtpy.QtCore import QObject, QThread, Signal


class PredictionWorker(QThread):
    """Runs `cvrl predict` on scans in a child process.

    Signals
    -------
    event_received : object
        Every event, a record of `engine.events`.
    ended : object
        A list of `PredictionSaved` (one a scan) or `RunFailed`, exactly once, whatever happens.
    """

    event_received = Signal(object)
    ended = Signal(object)

    def __init__(self, model: Path, scans: list[Path], output: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        raise NotImplementedError

    def cancel(self) -> None:
        """End the child now; masks already written stay. `ended` brings a `RunFailed` that says so."""
        raise NotImplementedError

    def details(self) -> str:
        """Return the last lines the child wrote to standard error."""
        raise NotImplementedError

    def shut_down(self, timeout_s: float = 3.0) -> None:
        """Cancel and wait; when this returns neither thread nor child is left. For quit."""
        raise NotImplementedError
