"""From the scan to the scatter: choosing the points of a class, of the map of similar voxels, or of what the canvas shows."""

from collections.abc import Callable

import napari
import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.engine.embedding_sample import Sample
from cvrl_napari.gui.case_view import nearest_voxel
from cvrl_napari.gui.embeddings.cloud import Cloud
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.selection import Selection
from cvrl_napari.gui.embeddings.similarity import Similarity
from cvrl_napari.gui.session import Session
from cvrl_napari.study.labels import BACKGROUND

NONE_DRAWN = "None of the points that are drawn lies there: draw more points."


class FromScan(QObject):
    """Chooses points in `selection`; those of a class in all cases, those of a place in the case on view.

    Signals
    -------
    noticed : str
        Why none is chosen.
    """

    noticed = Signal(str)

    def __init__(
        self,
        viewer: napari.Viewer,
        session: Session,
        computed: Computed,
        cloud: Cloud,
        selection: Selection,
        similarity: Similarity,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session, self._computed = viewer, session, computed
        self._cloud, self._selection, self._similarity = cloud, selection, similarity

    @property
    def has_map(self) -> bool:
        """Whether a map of similar voxels can be chosen from."""
        return self._similarity.has_map

    def painted(self, class_id: int) -> None:
        """Choose the points that are painted with a class; 255 is painted background."""
        self._choose(lambda sample: sample.painted == class_id)

    def predicted(self, class_id: int) -> None:
        """Choose the points where the model sees a class."""
        self._choose(lambda sample: sample.predicted == (0 if class_id == BACKGROUND else class_id))

    def similar(self) -> None:
        """Choose the points that the map of similar voxels shows."""
        if self.has_map:
            self._choose(lambda sample: self._here(sample, self._similarity.shows))

    def on_canvas(self) -> None:
        """Choose the points of the slice on view that are within the canvas; in 3D those of the whole scan."""
        self._choose(lambda sample: self._here(sample, self._seen))

    def _choose(self, which: Callable[[Sample], np.ndarray]) -> None:
        sample = self._cloud.sample
        if sample is None:
            return
        chosen = which(sample)
        self._selection.choose(chosen)
        self.noticed.emit("" if chosen.any() else NONE_DRAWN)

    def _here(self, sample: Sample, meant: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return which points are of the case on view and have voxels (M, 3) that are meant, bool (N,)."""
        case = self._session.case
        mine = np.flatnonzero(sample.case_of == (sample.cases.index(case) if case in sample.cases else -1))
        chosen = np.zeros(len(sample), bool)
        chosen[mine[meant(sample.voxels[mine])]] = True
        return chosen

    def _seen(self, voxels: np.ndarray) -> np.ndarray:
        """Return which voxels (M, 3) of the case on view are seen, bool (M,): those whose cell meets the slice."""
        shown, embeddings = self._session.layers.shown, self._computed.loaded.get(self._session.case)
        seen = np.ones(len(voxels), bool)
        dims = self._viewer.dims
        if shown is None or embeddings is None or dims.ndisplay != 2 or dims.ndim != 3:
            return seen
        low, high = shown.image.corner_pixels
        across = dims.order[0]
        for axis in dims.order[1:]:
            seen &= (voxels[:, axis] >= low[axis]) & (voxels[:, axis] <= high[axis])
        plane = embeddings.cell_of(np.array(nearest_voxel(shown.image, dims.point)))[across]
        seen &= embeddings.cell_of(voxels)[:, across] == plane
        return seen
