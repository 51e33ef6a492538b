"""Predicting scans beside the viewer, in a child process."""

from pathlib import Path

from qtpy.QtCore import QObject

from cvrl_napari.engine.events import Event, PredictionSaved, RunFailed
from cvrl_napari.gui.child import Child, words_for_exit
from cvrl_napari.gui.child_worker import ChildWorker


class PredictionWorker(ChildWorker):
    """Runs `cvrl predict` on cases of a study.

    Signals
    -------
    event_received : object
        Every event, a record of `engine.events`, in order.
    ended : object
        A list of `PredictionSaved` (one a scan) or `RunFailed`, exactly once after `start()`, whatever happens.
    """

    def __init__(self, model: Path, study: Path, cases: list[str], output: Path, parent: QObject | None = None) -> None:
        where = ["--study", str(study), "--output", str(output), "--json", "--"]
        super().__init__(Child(["predict", *where, str(model), *cases]), parent)
        self._saved: list[PredictionSaved] = []
        self._canceled = False

    def cancel(self) -> None:
        """End the child now; masks already written stay. `ended` brings a `RunFailed` that says so."""
        self._canceled = True
        self._child.kill()

    def _ask_to_end(self) -> None:
        self.cancel()

    def _outcome_of_event(self, event: Event) -> RunFailed | None:
        if isinstance(event, PredictionSaved):
            self._saved.append(event)
        return event if isinstance(event, RunFailed) else None

    def _outcome_of_exit(self, code: int | None, tail: str) -> list[PredictionSaved] | RunFailed:
        kept = f"{len(self._saved)} masks were written before and are kept." if self._saved else "The mask on view stays."
        if self._canceled:
            return RunFailed(message="The prediction was canceled.", hint=kept)
        if code != 0:
            return RunFailed(message=f"Prediction stopped unexpectedly: {words_for_exit(code, tail)}.", hint=kept)
        return self._saved
