"""How the representation of a run does over its training, beside that of another run. No widgets."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.embedding_cache import Level
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import Diagnosed
from cvrl_napari.engine.health import Health, read_correlation, read_health
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.session import Session

OTHER_SPACE = (
    "{} was measured where the contrast works, behind its projector, and {} has none there: these are different spaces, "
    "so compare how the curves go, not how high they lie."
)


class Reading(NamedTuple):
    """What was read of two runs: curves, the correlation (C, C) of the first, why there are none."""

    health: Health | None
    other: Health | None
    correlation: np.ndarray | None
    sentence: str


class HealthReading(QObject):
    """Follows the chosen model's run, and the run under way.

    Signals
    -------
    changed
        `reading` is new.
    """

    changed = Signal()

    def __init__(self, session: Session, computed: Computed, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._computed = session, computed
        self._background = Background(self)
        self._asked = 0
        self._shown: tuple[Path | None, Path | None, Level] | None = None
        self.other: Path | None = None
        self.reading = Reading(None, None, None, "")
        computed.state_changed.connect(self._on_state)
        session.training.event_received.connect(self._on_run_event)

    def runs(self) -> list[Path]:
        """Return the runs of the study that the shown one can be compared with."""
        return [run for run in self._computed.runs() if run != self._run()]

    def compare(self, other: Path | None) -> None:
        """Draw another run beside, or none."""
        self.other = other
        self.read()

    def read(self) -> None:
        """Read the runs in the background; `changed` tells when that is done."""
        run, other, level = self._run(), self.other, self._computed.level
        self._shown = (run, other, level)
        self._asked += 1
        number = self._asked

        def show(reading: Reading) -> None:
            if number == self._asked:
                self.reading = reading
                self.changed.emit()

        self._background.run(lambda: _read(run, other, level), show, self._on_error)

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self._background.close()

    def _run(self) -> Path | None:
        """Return the run under way if it is followed or there is no other, else that of the chosen model."""
        model, training = self._computed.model, self._session.training
        if training.is_active and training.run is not None and (model is None or self._computed.follows):
            return training.run
        return model.parent if model is not None else None

    def _on_state(self) -> None:
        if (self._run(), self.other, self._computed.level) != self._shown:
            self.read()

    def _on_run_event(self, event: object) -> None:
        if isinstance(event, Diagnosed):
            self.read()

    def _on_error(self, error: Exception) -> None:
        self.reading = Reading(None, None, None, str(error))
        self.changed.emit()


def _read(run: Path | None, other: Path | None, level: Level) -> Reading:
    if run is None:
        return Reading(None, None, None, "There is no run yet: press Train in the CVRL dock.")
    try:
        health = read_health(run)
    except EngineError as error:
        return Reading(None, None, None, str(error))
    beside = None
    if other is not None:
        try:
            beside = read_health(other)
        except EngineError as error:
            return Reading(health, None, read_correlation(run, level), str(error))
    sentence = health.sentence(level)
    if beside is not None and beside.levels[level].is_projected != health.levels[level].is_projected:
        runs = ("This run", "the other") if health.levels[level].is_projected else ("The other run", "this one")
        sentence = f"{sentence} {OTHER_SPACE.format(*runs)}"
    return Reading(health, beside, read_correlation(run, level), sentence)
