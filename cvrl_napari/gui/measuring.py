"""The millilitres of what is painted on each case, counted in the background."""

from pathlib import Path

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.masks import volumes_ml
from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.storage import label_path
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read

AT_ONCE = 20
"""Cases counted between two moments at which others may have the processor, and the table shows what is new."""
PAUSE_MS = 300


class Measuring(QObject):
    """Volumes by case and class id. Only the label files are read: they lie on their scans' grids.

    Signals
    -------
    measured : str
        `volumes` of this case are new.
    all_measured
        `volumes` of some more cases of a study that was opened are new.
    failed : object
        A label file could not be read.
    """

    measured = Signal(str)
    all_measured = Signal()
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.volumes: dict[str, dict[int, float]] = {}
        self._waiting: list[str] = []
        self._study: Study | None = None
        self._background = Background(self)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._go_on)

    def forget(self) -> None:
        """Another study comes."""
        self._pause.stop()
        self.volumes, self._waiting, self._study = {}, [], None

    def measure(self, study: Study, case_id: str) -> None:
        """Count a case's labels; `measured` tells when that is done."""

        def keep(volumes: dict[int, float]) -> None:
            self.volumes[case_id] = volumes
            self.measured.emit(case_id)

        path, classes = label_path(study.folder, case_id), study.classes
        self._background.run(lambda: _count(path, classes), keep, self.failed.emit)

    def measure_all(self, study: Study) -> None:
        """Count the labels of all cases, a few at a time: whoever opens a study wants to see its first case first."""
        self.forget()
        self._study = study
        self._waiting = [case.id for case in study.cases if case.is_labeled]
        self._pause.start()

    def close(self) -> None:
        """Count no more."""
        self.forget()
        self._background.close()

    def _go_on(self) -> None:
        study = self._study
        if study is None or not self._waiting:
            return
        now, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
        paths, classes = {case: label_path(study.folder, case) for case in now}, study.classes

        def count() -> tuple[dict[str, dict[int, float]], list[Exception]]:
            found: dict[str, dict[int, float]] = {}
            errors: list[Exception] = []
            for case, path in paths.items():
                try:
                    found[case] = _count(path, classes)
                except (VolumeError, OSError) as error:
                    errors.append(error)
            return found, errors

        def keep(what: tuple[dict[str, dict[int, float]], list[Exception]]) -> None:
            if self._study is study:
                self.volumes |= what[0]
                self.all_measured.emit()
                for error in what[1]:
                    self.failed.emit(error)
                self._pause.start()

        self._background.run(count, keep, self.failed.emit)


def _count(path: Path, classes: tuple[StructureClass, ...]) -> dict[int, float]:
    if not path.is_file():
        return {}
    labels = read(path)
    return volumes_ml(labels.array.astype(np.uint8), labels.voxel_ml, classes)
