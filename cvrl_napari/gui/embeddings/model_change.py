"""What the chosen model sees otherwise than another one, and where their masks differ: a layer. No widgets."""

from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.engine.feature_colors import change_between
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.jobs import Job
from cvrl_napari.gui.embeddings.overlays import Overlays
from cvrl_napari.gui.embeddings.similarity import HOTTEST
from cvrl_napari.gui.session import Session

LAYER = "What the models see differently"
LIMITS = (0.1, 1.0)
"""What differs less is not drawn; 1 is nothing in common."""
APART = 1.0
"""Where the masks of the two differ, however alike the features are: brightest."""
NOT_YET = "Nothing earlier is known of this scan yet: while the model learns, press Refresh or tick 'follow'."


class ModelChange(QObject):
    """Compares with `other` while there is one; follows the case on view, the level and newer features.

    The other model's features of the case on view are computed when they are not there. `other` may be the chosen model itself:
    then with what it saw before it learned more.

    Signals
    -------
    noticed : str
        What is seen, or why nothing is; empty takes it back.
    """

    noticed = Signal(str)

    def __init__(self, session: Session, computed: Computed, overlays: Overlays, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._computed, self._overlays = session, computed, overlays
        self._background = Background(self)
        self._asked = 0
        self._tried: tuple[str, Path] | None = None
        self.other: Path | None = None
        look = {"colormap": HOTTEST, "interpolation2d": "linear"}
        overlays.plan(LAYER, np.float32(0), contrast_limits=LIMITS, **look)
        self.job = Job(self)
        self.job.succeeded.connect(self.show)
        self.job.failed.connect(lambda sentence, hint, _: self.noticed.emit(f"{sentence} {hint}".strip()))
        computed.changed.connect(self.show)
        session.case_opened.connect(self.show)
        session.study_changed.connect(self._on_study_changed)

    def compare(self, other: Path | None) -> None:
        """Compare with another model, or no longer."""
        self.job.cancel()
        self.other, self._tried = other, None
        self.noticed.emit("")
        self.show()

    def show(self, _case: object = None) -> None:
        """Draw what differs on the scan on view, in the background."""
        self._asked += 1
        study, other, case = self._session.study, self.other, self._session.case
        after = self._computed.loaded.get(case)
        if study is None or other is None or after is None:
            self._overlays.hide(LAYER)
            if other is not None and case and after is None:
                self.noticed.emit(f"The features of {case} by the chosen model are not computed yet: press Compute.")
            return
        scan = self._session.layers.scan
        cell_ml = float(np.prod(after.scale)) * scan.voxel_ml if scan is not None else 0.0
        number, former, is_itself = self._asked, self._computed.former.get(case), other == self._computed.model
        if is_itself and former is None:
            self._refuse(number, NOT_YET)
            return

        def make() -> tuple[np.ndarray, str] | None:
            before = former if is_itself else load_embeddings(study, other, case, after.level)
            if before is None:
                return None
            if before.features.shape != after.features.shape:
                raise ValueError("The two models differ in voxel size or width: choose one trained with the same settings.")
            change = change_between(before, after)
            share = 100 * float((change > LIMITS[0]).mean())
            apart = before.predicted != after.predicted
            change[apart] = APART
            return change, words(share, float(apart.sum()) * cell_ml)

        def add(made: tuple[np.ndarray, str] | None) -> None:
            if number != self._asked or self._session.case != case:
                return
            if made is None:
                self._compute(case, other)
                return
            change, sentence = made
            self._overlays.show(LAYER, change, after.scale)
            self.noticed.emit(sentence)

        self._background.run(make, add, lambda error: self._refuse(number, str(error)))

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self.job.cancel()
        self._background.close()

    def _refuse(self, number: int, sentence: str) -> None:
        if number == self._asked:
            self._overlays.hide(LAYER)
            self.noticed.emit(sentence)

    def _compute(self, case: str, other: Path) -> None:
        """Compute the other model's features, once: what failed is not tried for ever."""
        self._overlays.hide(LAYER)
        study = self._session.study
        if study is None or self._tried == (case, other):
            return
        self._tried = (case, other)
        where = ["embed", "--study", str(study.folder), "--case", case, "--cache", "--json", "--", str(other)]
        self.job.start("Computing the other model's features", where)

    def _on_study_changed(self) -> None:
        study = self._session.study
        if self.other is not None and (study is None or not self.other.is_relative_to(study.folder)):
            self.compare(None)


def words(share: float, apart_ml: float) -> str:
    """Say how much of a scan two models see differently, `share` in %, and by how much their masks differ."""
    masks = f"Their masks differ in {apart_ml:,.1f} ml, drawn brightest." if apart_ml else "Their masks are the same."
    return f"The two models see {share:.1f} % of the scan differently: the warmer, the more. {masks}"
