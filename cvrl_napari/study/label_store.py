"""Scans and label files of cases: one lies where it lies, the other in the study's `labels` folder, both on one grid."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.study.case import Case
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import Labels, check_values, read_label_file
from cvrl_napari.study.storage import label_path, save_volume
from cvrl_napari.study.versions import keep_version
from cvrl_napari.volumes.volume import Volume


class LabelStore:
    """Reads and writes the labels of a study; `Study` decides what they mean."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Scans without their voxels: labels are written without reading the scan again.
        self._grids: dict[tuple[Path, int | None, bool], Volume] = {}

    def read_scan(self, case: Case) -> Volume:
        """Read the scan of a case; StudyError when it has gone, VolumeError when it cannot be read."""
        volume = self.read_channel(case, 0)
        self._grids[_place(case)] = volume.with_array(np.broadcast_to(np.uint8(0), volume.array.shape))
        return volume

    def read_channel(self, case: Case, number: int) -> Volume:
        """Read one image of a case, the scan itself being number 0; raises as `read_scan`."""
        image = case.images[number]
        if not image.scan.exists():
            raise StudyError(
                f"The scan of case '{case.id}' is no longer at {image.scan}: put it back, or show where the scans are now."
            )
        return image.read()

    def grid(self, case: Case) -> Volume:
        """Return the scan's grid as a volume of zeros that takes no memory; reads the scan the first time."""
        if _place(case) not in self._grids:
            self.read_scan(case)
        return self._grids[_place(case)]

    def read(self, case: Case, class_count: int) -> Labels | None:
        """Read the labels of a case; `Study.read_labels` says what is raised."""
        path = label_path(self._folder, case.id)
        if not path.exists():
            if case.is_labeled:
                raise StudyError(
                    f"The labels of case '{case.id}' are gone from {path}: put them back, or set the case to unlabeled."
                )
            return None
        return check_values(read_label_file(path, self.grid(case)), class_count, str(path))

    def read_or_zeros(self, case: Case, class_count: int) -> Labels:
        """Read the labels of a case, zeros when there are none."""
        labels = self.read(case, class_count)
        return np.zeros(self.grid(case).array.shape, dtype=np.uint8) if labels is None else labels

    def check(self, case: Case, array: NDArray[np.generic], class_count: int) -> Labels:
        """Return the array as uint8 if it fits the scan and the classes; StudyError otherwise."""
        shape = self.grid(case).array.shape
        if array.shape != shape:
            raise StudyError(
                f"Labels of shape {array.shape} do not fit the scan of case '{case.id}', {shape}: paint on that scan."
            )
        return check_values(array, class_count, f"The painting of case '{case.id}'")

    def write(self, case: Case, labels: Labels) -> None:
        """Save checked labels atomically; StudyError when they cannot be saved, the old ones are then untouched."""
        keep_version(self._folder, case.id)
        save_volume(label_path(self._folder, case.id), self.grid(case).with_array(labels))


def _place(case: Case) -> tuple[Path, int | None, bool]:
    return case.scan, case.part, case.resample
