"""Scans made ready for the network once: resampled, in standard deviations of the scan, float16, memory-mapped.

The cache may be deleted whenever nothing trains. A prepared file is named after everything it was made from (content of the
scan, spacing, version of this module), so that a stale one is never taken.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cvrl_napari.config import Spacing, Triple
from cvrl_napari.data.resample import network_shape, resample, resample_labels
from cvrl_napari.study.storage import label_path, write_or_explain
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.regridding import linear_on_grid
from cvrl_napari.volumes.volume import Volume

VERSION = 2
"""Counts up when the same scan would be prepared differently: older files in the cache are then no longer taken."""

_SLAB_VOXELS = 8_000_000


def standardize(array: np.ndarray, shape: Triple) -> Tensor:
    """Resample a scan (z, y, x) to `shape` and express it in standard deviations of the whole scan.

    Returns
    -------
    Tensor of shape (1, *shape), float32
        Mean 0 and standard deviation 1 over the scan as it was before resampling; zeros for a scan of one grey value.
    """
    mean = array.mean(dtype=np.float64)
    variance = sum(float(np.square(slab - mean).sum()) for slab in _slabs(array)) / array.size
    deviation = np.sqrt(variance)
    planes = [
        resample(torch.from_numpy((slab - mean).astype(np.float32))[None], (len(slab), shape[1], shape[2]))
        for slab in _slabs(array)
    ]
    image = resample(torch.cat(planes, dim=1), shape)
    # Rounding alone makes the deviation of a large constant differ from zero.
    return image / float(deviation) if deviation > 1e-6 * abs(mean) else torch.zeros_like(image)


def standardize_all(images: Iterable[Volume], shape: Triple) -> Tensor:
    """Return the images of a case, brought to the grid of the first one, as the channels (C, *shape) of the network."""
    images = iter(images)
    scan = next(images)
    channels = [standardize(scan.array, shape)]
    channels += [standardize(linear_on_grid(image, scan), shape) for image in images]  # one at a time: each may be large
    return torch.cat(channels)


def _slabs(array: np.ndarray) -> Iterator[np.ndarray]:
    thickness = max(1, _SLAB_VOXELS // (array.shape[1] * array.shape[2]))
    for start in range(0, len(array), thickness):
        yield array[start : start + thickness].astype(np.float64)


class PreparedCase:
    """One case on the network's grid; the image and the labels stay on disk.

    They are mapped anew each time they are asked for: a map that stays keeps a file open, and what was read from it in memory,
    which a study of a thousand scans has neither enough of.

    Attributes
    ----------
    case_id : str
    image : memmap of shape (C, z, y, x), float16
        In standard deviations of the scan.
    target : memmap of shape (z, y, x), uint8, or None
        0 background, 1..K classes, 255 (IGNORE) where not known; None while the case has no labels.
    target_file : Path or None
        Of the target; another one when the labels have changed.
    shape : tuple of int
        Voxels of the network's grid, (z, y, x).
    scan_shape, scan_spacing :
        Voxels and voxel size (mm) of the scan's own canonical grid, (z, y, x).
    spacing :
        Voxel size of `image` in mm, (z, y, x): the wanted one, adjusted so that whole voxels span the scan.
    """

    def __init__(self, case_id: str, folder: Path, scan_shape: Triple, scan_spacing: Spacing) -> None:
        self.case_id = case_id
        self.target_file: Path | None = None
        self.scan_shape = scan_shape
        self.scan_spacing = scan_spacing
        self._folder = folder
        z, y, x = self.image.shape[1:]
        self.shape: Triple = (z, y, x)

    @property
    def image(self) -> np.ndarray:
        """The image, mapped."""
        mapped: np.ndarray = np.load(self._folder / f"{self.case_id}.npy", mmap_mode="r")
        return mapped

    @property
    def target(self) -> np.ndarray | None:
        """The labels, mapped."""
        return None if self.target_file is None else np.load(self.target_file, mmap_mode="r")

    @property
    def spacing(self) -> Spacing:
        """Voxel size of the network's grid, mm, (z, y, x)."""
        z, y, x = (n * mm / m for n, mm, m in zip(self.scan_shape, self.scan_spacing, self.shape, strict=True))
        return z, y, x

    def reload_target(self, study: Study) -> None:
        """Take the case's labels as they are on disk now, brought to the network's grid.

        Raises
        ------
        StudyError, VolumeError
            If the labels cannot be read.
        """
        if not study.case(self.case_id).is_labeled:
            self.target_file = None
            return
        path = self._target_path(study)
        while not path.is_file():
            labels = resample_labels(study.training_target(self.case_id), self.shape)
            # Somebody may be painting: what was read is kept under this name only if the name still holds.
            before, path = path, self._target_path(study)
            if path == before:
                _save(path, labels)
        if self.target_file is not None and self.target_file != path:
            with contextlib.suppress(PermissionError):  # Windows keeps a file that is still mapped
                self.target_file.unlink(missing_ok=True)
        self.target_file = path

    def _target_path(self, study: Study) -> Path:
        """Name what the target depends on."""
        file = label_path(study.folder, self.case_id)
        painted = file.read_bytes() if file.exists() else b""
        digest = hashlib.blake2b(painted + study.case(self.case_id).state.encode(), digest_size=8).hexdigest()
        return self._folder / f"{self.case_id}.target-{digest}.npy"


def prepare(study: Study, case_id: str, *, spacing: Spacing) -> PreparedCase:
    """Make a case ready for training, or take it from the study's cache where it was made before.

    Parameters
    ----------
    spacing : tuple of float
        Voxel size the network works at, mm, (z, y, x). Axes of the scan within 5 % of it keep their voxels.

    Raises
    ------
    VolumeError, StudyError
        If the scan or its labels cannot be read, or the cache cannot be written.
    """
    folder = study.cache_folder / _key(study, case_id, spacing)
    record = folder / f"{case_id}.json"
    if not record.is_file():  # written last: where it is, the image is whole
        volume = study.read_scan(case_id)
        others = (study.read_channel(case_id, number) for number in range(1, len(study.case(case_id).images)))
        shape = network_shape(volume.array.shape, volume.spacing, spacing)
        folder.mkdir(parents=True, exist_ok=True)
        _save(folder / f"{case_id}.npy", standardize_all(chain([volume], others), shape).half().numpy())
        geometry = {"scan_shape": volume.array.shape, "scan_spacing": [float(mm) for mm in volume.spacing]}
        write_or_explain(record, json.dumps(geometry).encode())
    geometry = json.loads(record.read_bytes())
    case = PreparedCase(case_id, folder, tuple(geometry["scan_shape"]), tuple(geometry["scan_spacing"]))
    case.reload_target(study)
    return case


def _key(study: Study, case_id: str, spacing: Spacing) -> str:
    """Name what the prepared image depends on."""
    parts: list[object] = [VERSION, *(f"{mm:.6g}" for mm in spacing)]
    for number, image in enumerate(study.case(case_id).images):
        if not image.scan.exists():
            study.read_channel(case_id, number)  # says in a sentence what is missing
        parts += image.content()
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _save(path: Path, array: np.ndarray) -> None:
    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:  # given a path, numpy would add a suffix to its name
            np.save(file, array)

    write_or_explain(path, write)
