"""From a voxel of any case to that voxel on the screen; and where it lies, in words. No widgets."""

import napari
import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.placement import placement
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.world_position import place_words


class Travel(QObject):
    """Opens cases at voxels, and knows how their scans lie in the patient.

    Signals
    -------
    refused : str
        Why a voxel cannot be gone to.
    arrived : str
        This case is on view at the wanted voxel.
    placed : str
        It is known now how the scan of this case lies: ask `words` again.
    """

    refused = Signal(str)
    arrived = Signal(str)
    placed = Signal(str)

    def __init__(self, viewer: napari.Viewer, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self._background = Background(self)
        self._bound_for: tuple[str, np.ndarray] | None = None
        self._affines: dict[str, np.ndarray | None] = {}
        session.case_opened.connect(self._on_case_opened)
        session.study_changed.connect(self._affines.clear)

    def go(self, case: str, voxel: np.ndarray) -> None:
        """Show a voxel (z, y, x) of a case in the middle of the view; another case is opened first."""
        study = self._session.study
        if study is None or case not in {one.id for one in study.cases}:
            self.refused.emit(f"{case} is no longer in the study: press Compute to leave it out.")
            return
        self._bound_for = (case, np.asarray(voxel))
        if case == self._session.case:
            self._arrive()
        else:
            self._session.open_case(case)

    def words(self, case: str, voxel: np.ndarray) -> str:
        """Say where a voxel lies in its patient, in mm; its index until the scan has been looked at, in the background."""
        scan = self._session.layers.scan
        if case == self._session.case and scan is not None:
            self._affines[case] = scan.affine
        affine = self._affines.get(case)
        if affine is None:
            self._look_up(case)
            return "voxel " + ", ".join(str(int(index)) for index in voxel)
        right, anterior, superior = (float(value) for value in affine[:3, :3] @ voxel + affine[:3, 3])
        return place_words((right, anterior, superior))

    def close(self) -> None:
        """Nothing of it runs afterwards."""
        self._background.close()

    def _look_up(self, case: str) -> None:
        study = self._session.study
        if study is None or case in self._affines or case not in {one.id for one in study.cases}:
            return
        self._affines[case] = None  # asked for

        def keep(affine: np.ndarray) -> None:
            self._affines[case] = affine
            self.placed.emit(case)

        self._background.run(lambda: study.read_scan(case).affine, keep, lambda _: None)

    def _on_case_opened(self, case: str) -> None:
        if self._bound_for is not None and self._bound_for[0] == case:
            self._arrive()
        self._bound_for = None

    def _arrive(self) -> None:
        scan = self._session.layers.scan
        if self._bound_for is None or scan is None:
            return
        (case, voxel), self._bound_for = self._bound_for, None
        place = placement(scan)
        point = np.array(place["translate"]) + voxel * np.array(place["scale"])
        self._viewer.dims.set_point(range(3), point)
        if self._viewer.dims.ndisplay == 2:
            camera_of(self._viewer).center = tuple(point[list(self._viewer.dims.order)])
        self.arrived.emit(case)
