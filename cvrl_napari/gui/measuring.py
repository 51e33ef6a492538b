"""The millilitres of what is painted on each case, counted in the background."""

import numpy as np
from qtpy.QtCore import QObject, Signal

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.masks import volumes_ml
from cvrl_napari.study.storage import label_path
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read


class Measuring(QObject):
    """Volumes by case and class id. Only the label files are read: they lie on their scans' grids.

    Signals
    -------
    measured : str
        `volumes` of this case are new.
    failed : object
        A label file could not be read.
    """

    measured = Signal(str)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.volumes: dict[str, dict[int, float]] = {}
        self._background = Background(self)

    def forget(self) -> None:
        """Another study comes."""
        self.volumes = {}

    def measure(self, study: Study, case_id: str) -> None:
        """Count a case's labels; `measured` tells when that is done."""

        def count() -> dict[int, float]:
            path = label_path(study.folder, case_id)
            if not path.is_file():
                return {}
            labels = read(path)
            return volumes_ml(labels.array.astype(np.uint8), labels.voxel_ml, study.classes)

        def keep(volumes: dict[int, float]) -> None:
            self.volumes[case_id] = volumes
            self.measured.emit(case_id)

        self._background.run(count, keep, self.failed.emit)

    def close(self) -> None:
        """Count no more."""
        self._background.close()
