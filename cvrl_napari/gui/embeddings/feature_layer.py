"""The features of the scan on view as colors: a layer that keeps its colors from one update to the next. No widgets."""

from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject

from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.feature_colors import ColorBasis, color_map, fit_colors
from cvrl_napari.gui.background import Background
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.overlays import Overlays
from cvrl_napari.gui.session import Session

LAYER = "Features as colors"
OPACITY = 0.7


class FeatureLayer(QObject):
    """On or off; follows the case on view and newer features."""

    def __init__(self, session: Session, computed: Computed, overlays: Overlays, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._computed, self._overlays = session, computed, overlays
        self._background = Background(self)
        self._asked = 0
        self._before: tuple[ColorBasis, CaseEmbeddings, Path | None] | None = None
        self.is_on = False
        overlays.plan(LAYER, np.zeros(3, np.uint8), rgb=True, opacity=OPACITY)
        computed.changed.connect(self.show)
        session.case_opened.connect(self.show)

    def switch(self, on: bool) -> None:
        """Show or hide the colors."""
        self.is_on = on
        self.show()

    def show(self, _case: object = None) -> None:
        """Color the scan on view, if its features are computed, in the background."""
        embeddings = self._computed.loaded.get(self._session.case)
        if not self.is_on or embeddings is None:
            self._overlays.hide(LAYER)
            return
        self._asked += 1
        number, case, before, model = self._asked, self._session.case, self._before, self._computed.model

        def make() -> tuple[ColorBasis, np.ndarray]:
            basis = _basis(embeddings, before, same_model=before is not None and before[2] == model)
            return basis, color_map(embeddings, basis)

        def add(made: tuple[ColorBasis, np.ndarray]) -> None:
            if number == self._asked and self.is_on and self._session.case == case:
                self._before = (made[0], embeddings, model)
                self._overlays.show(LAYER, made[1], embeddings.scale)

        self._background.run(make, add, lambda error: self._computed.failed.emit(str(error), "", repr(error)))

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self._background.close()


def _basis(
    embeddings: CaseEmbeddings, before: tuple[ColorBasis, CaseEmbeddings, Path | None] | None, *, same_model: bool
) -> ColorBasis:
    """Fit the colors to a case; another case of the model keeps them, newer features of the case are turned onto them."""
    if before is None:
        return fit_colors([embeddings])
    basis, former, _ = before
    channels = embeddings.features.shape[-1]
    if former.case == embeddings.case and former.level == embeddings.level and len(basis.axes) == channels:
        return fit_colors([embeddings], like=(basis, [former]))
    if same_model and former.level == embeddings.level and len(basis.axes) == channels:
        return basis
    return fit_colors([embeddings])
