"""Masks on disk: which is the newest of a case; volumes in ml. No Qt."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import count_values
from cvrl_napari.study.renumbering import is_older_than_classes
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.reading import read_labels


def prediction_path(study: Study, case_id: str) -> Path:
    """Return where the prediction of a case belongs."""
    return study.predictions_folder / f"{case_id}.nii.gz"


def newest_mask(study: Study, case_id: str) -> np.ndarray | None:
    """Return the newest preview or prediction of a case, uint8 (z, y, x) on the scan's canonical grid, or None.

    Raises
    ------
    VolumeError
        If the file is damaged.
    """
    found = study.runs_folder.glob(f"*/previews/{case_id}.npy")
    previews = [path for path in found if not is_older_than_classes(path, study.folder)]
    path = _newest([*previews, prediction_path(study, case_id)])
    return None if path is None else read_mask(path)


def read_mask(path: Path) -> np.ndarray:
    """Read a preview (.npy) or a prediction, uint8 (z, y, x).

    Raises
    ------
    VolumeError
        If the file is damaged.
    """
    if path.suffix != ".npy":
        return read_labels(path).array.astype(np.uint8)
    try:
        return np.asarray(np.load(path, allow_pickle=False), dtype=np.uint8)
    except (ValueError, OSError, EOFError) as error:
        raise VolumeError(f"The preview {path} cannot be read: train again or predict this scan to replace it.") from error


def volumes_ml(labels: np.ndarray, voxel_ml: float, classes: Sequence[StructureClass]) -> dict[int, float]:
    """Return the volume of each structure that occurs, in millilitres, by class id."""
    counts = count_values(labels, "labels")
    return {one.id: counts[one.id] * voxel_ml for one in classes if one.id in counts}


def _newest(paths: Iterable[Path]) -> Path | None:
    found = [path for path in paths if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime, default=None)
