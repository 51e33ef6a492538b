"""Training beside the viewer: a thread that starts the engine as a child process and turns its events into Qt signals."""

from pathlib import Path

from qtpy.QtCore import QObject, QThread, Signal

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import Command


class TrainingWorker(QThread):
    """Runs `cvrl train` on a study folder in a child process.

    Signals
    -------
    event_received : object
        Every event of the run, a record of `engine.events`.
    ended : object
        `RunDone` or `RunFailed`, exactly once, whatever happens.
    """

    event_received = Signal(object)
    ended = Signal(object)

    def __init__(
        self, study_folder: Path, request: TrainRequest, *, resume: Path | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        raise NotImplementedError

    def send(self, command: Command) -> None:
        """Tell the run something; never blocks, silently dropped when the run is over."""
        raise NotImplementedError

    def pause(self) -> None:
        """Ask the run to wait after the present step."""
        raise NotImplementedError

    def resume(self) -> None:
        """Let a paused run go on."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask the run to save and end after the present step; `ended` tells when it has."""
        raise NotImplementedError

    def details(self) -> str:
        """Return the last lines the child wrote to standard error, for 'Details' below a failure."""
        raise NotImplementedError

    def shut_down(self, timeout_s: float = 3.0) -> None:
        """Ask, wait, then kill the child; when this returns neither thread nor child is left. For quit."""
        raise NotImplementedError
