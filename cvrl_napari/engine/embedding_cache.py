"""The features of whole scans on disk, memory-mapped: computed by `embed_cases`, looked at by the viewer. No torch in here.

They lie in <study>/cache/embeddings/<hash of the model>/<case>.cells/ with a record of the scan they are of. The folder
may be deleted at any time. Files that are cut short, or of another model or scan, count as not there.
"""

import contextlib
import functools
import hashlib
import os
import shutil
import zipfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from cvrl_napari.config import Triple
from cvrl_napari.engine.half import as_float32
from cvrl_napari.engine.projected_features import ProjectedFeatures, RowProjector
from cvrl_napari.study.case import Case
from cvrl_napari.study.storage import write_or_explain
from cvrl_napari.study.study import Study

Level = Literal["low", "high"]
LEVELS: tuple[Level, ...] = ("low", "high")
LIMIT_BYTES = 4 * 10**9
"""What the embeddings of a study may take on the disk, unless somebody says otherwise."""
RECORD = "record.json"
VERSION = 2
"""Counts up when the same model and scan would give other features: older files are then no longer taken."""


@dataclass(frozen=True, eq=False)
class CaseEmbeddings:
    """The features of one scan at one level, on that level's grid of cells.

    Attributes
    ----------
    case : str
    level : 'low' or 'high'
        The last decoder map, or the bottleneck.
    features : memmap of shape (Z, Y, X, C), float16
        The student's features, not of unit length; the low level smoothed by a voxel (`dense_features`).
    projected : array-like of shape (Z, Y, X, P), or None
        The projector's output, computed for the cells it is indexed by; None for a model without projectors.
    scale : tuple of float
        Voxels of the scan for one cell, (z, y, x).
    scan_shape : tuple of int
        Voxels of the scan's canonical grid, (z, y, x).
    predicted : memmap of shape (Z, Y, X), uint8
        Class of each cell, 0 background.
    uncertainty : memmap of shape (Z, Y, X), float16
        Entropy of the class probabilities as a share of the largest possible one, 0 (sure) to 1.
    """

    case: str
    level: Level
    features: np.ndarray
    projected: ProjectedFeatures | None
    scale: tuple[float, float, float]
    scan_shape: Triple
    predicted: np.ndarray
    uncertainty: np.ndarray

    @property
    def source(self) -> str:
        """The file of the features: another one for every content of the model file; empty when they are in no file."""
        return str(getattr(self.features, "filename", ""))

    @property
    def shape(self) -> Triple:
        """Cells, (Z, Y, X)."""
        z, y, x = self.features.shape[:3]
        return z, y, x

    def cell_of(self, voxels: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the cells (N, 3) in which the middles of voxels (N, 3) of the scan lie; a single one (3,) gives (3,)."""
        cells = np.floor((np.asarray(voxels) + 0.5) / self.scale).astype(np.int64)
        return np.clip(cells, 0, np.array(self.shape) - 1)

    def voxel_of(self, cells: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
        """Return the voxels (N, 3) of the scan in which the middles of cells (N, 3) lie; a single one (3,) gives (3,)."""
        voxels = np.floor((np.asarray(cells) + 0.5) * self.scale).astype(np.int64)
        return np.clip(voxels, 0, np.array(self.scan_shape) - 1)

    @functools.cached_property
    def middle(self) -> NDArray[np.float32]:
        """Mean of the features of all cells, (C,), float32; computed once."""
        sums = [as_float32(plane).sum(axis=(0, 1), dtype=np.float64) for plane in self.features]
        mean: NDArray[np.float32] = (np.sum(sums, axis=0) / self.predicted.size).astype(np.float32)
        return mean

    @functools.cached_property
    def norms_from_middle(self) -> NDArray[np.float32]:
        """Length of each cell's features less their mean, (Z, Y, X), float32; computed once."""
        lengths = [np.linalg.norm(as_float32(plane) - self.middle, axis=-1) for plane in self.features]
        return np.stack(lengths).astype(np.float32)

    @functools.cached_property
    def norms(self) -> NDArray[np.float32]:
        """Length of each cell's features, (Z, Y, X), float32; computed once."""
        squares = (np.square(as_float32(plane)).sum(axis=-1) for plane in self.features)  # a plane at a time: memory
        lengths: NDArray[np.float32] = np.sqrt(np.stack(list(squares)))
        return lengths


class _LevelRecord(BaseModel):
    scale: tuple[float, float, float]
    has_projector: bool


class _Record(BaseModel):
    """What the arrays of a case were made from, and where they lie in the scan."""

    model_config = ConfigDict(frozen=True)

    version: int
    scan: str
    scan_shape: Triple
    levels: dict[Level, _LevelRecord]


class CaseFolder:
    """Where the embeddings of one case by one model lie."""

    def __init__(self, study: Study, model: Path, case_id: str) -> None:
        self._case = study.case(case_id)
        # The ending keeps a case called '..' inside the cache.
        self.path = embeddings_folder(study) / model_hash(model) / f"{case_id}.cells"

    def is_whole(self) -> bool:
        """Whether all levels are there, of this model and scan."""
        return all(self.load(level) is not None for level in LEVELS)

    def array(self, level: Level, what: str) -> Path:
        """Return the file of one array: 'features', 'predicted' or 'uncertainty'."""
        return self.path / f"{level}-{what}.npy"

    def begin(self) -> None:
        """Make the folder; what is in it counts as not there until `finish`."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / RECORD).unlink(missing_ok=True)

    def finish(
        self,
        scan_shape: Triple,
        scales: Mapping[Level, tuple[float, float, float]],
        projectors: Mapping[Level, RowProjector],
    ) -> None:
        """Say that all arrays are written.

        Raises
        ------
        StudyError
            If the record cannot be written.
        """
        for level, projector in projectors.items():
            write_or_explain(self._projector(level), functools.partial(_save_projector, projector))
        levels = {name: _LevelRecord(scale=scale, has_projector=name in projectors) for name, scale in scales.items()}
        record = _Record(version=VERSION, scan=_scan_key(self._case), scan_shape=scan_shape, levels=levels)
        write_or_explain(self.path / RECORD, record.model_dump_json().encode())

    def load(self, level: Level) -> CaseEmbeddings | None:
        """Map the arrays of a level, or return None where they are not there, or not those of this scan."""
        try:
            record = _Record.model_validate_json((self.path / RECORD).read_bytes())
            if record.version != VERSION or record.scan != _scan_key(self._case):
                return None
            about = record.levels[level]
            features, predicted, uncertainty = (
                np.load(self.array(level, what), mmap_mode="r") for what in ("features", "predicted", "uncertainty")
            )
            projector = _load_projector(self._projector(level)) if about.has_projector else None
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile):  # gone, cut short, or not ours
            return None
        if not _belong_together(features, predicted, uncertainty, projector):
            return None
        return CaseEmbeddings(
            case=self._case.id,
            level=level,
            features=features,
            projected=None if projector is None else ProjectedFeatures(features, projector),
            scale=about.scale,
            scan_shape=record.scan_shape,
            predicted=predicted,
            uncertainty=uncertainty,
        )

    def touch(self) -> None:
        """Note that the embeddings were used just now."""
        with contextlib.suppress(OSError):  # a study on a disk that may only be read
            os.utime(self.path / RECORD)

    def _projector(self, level: Level) -> Path:
        return self.path / f"{level}-projector.npz"


def load_embeddings(study: Study, model: Path, case_id: str, level: Level = "low") -> CaseEmbeddings | None:
    """Map the cached features of a case; takes milliseconds.

    Returns
    -------
    CaseEmbeddings or None
        None where they are not computed yet, or are those of another model or of another content of the scan.

    Raises
    ------
    StudyError
        If the study has no such case.
    """
    study.case(case_id)
    try:
        folder = CaseFolder(study, model, case_id)
    except OSError:  # no model
        return None
    if (found := folder.load(level)) is not None:
        folder.touch()
    return found


def is_of_another_model(study: Study, model: Path, case_id: str) -> bool:
    """Whether the cache has features of a case, but none by this model as it is now."""
    own, name = CaseFolder(study, model, case_id).path, f"{case_id}.cells"
    folders = embeddings_folder(study).glob("*/") if not (own / RECORD).is_file() else ()
    return any((folder / name / RECORD).is_file() for folder in folders)


def embeddings_folder(study: Study) -> Path:
    """Return the folder of all cached embeddings of a study."""
    return study.cache_folder / "embeddings"


def size_bytes(study: Study) -> int:
    """Return what the cached embeddings of a study take on the disk."""
    return sum(_size(folder) for folder in _case_folders(study))


def prune(study: Study, *, limit_bytes: int = LIMIT_BYTES, keep: Collection[Path] = ()) -> int:
    """Delete the embeddings that were not used for longest until the rest keeps within the limit.

    Parameters
    ----------
    keep : collection of Path
        Folders of cases (`CaseFolder.path`) that stay whatever they take.

    Returns
    -------
    int
        Bytes that are left.
    """
    sizes = {folder: _size(folder) for folder in _case_folders(study)}
    total = sum(sizes.values())
    for folder in sorted(sizes.keys() - set(keep), key=_last_used):
        if total <= limit_bytes:
            break
        shutil.rmtree(folder, ignore_errors=True)  # Windows keeps files that are still mapped
        total -= sizes[folder] - _size(folder)
        with contextlib.suppress(OSError):  # the model's folder, when it was the last in it
            folder.parent.rmdir()
    return total


def model_hash(model: Path) -> str:
    """Return a name for the content of a model file.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    status = model.stat()
    return _hash_of(model, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _hash_of(model: Path, _time: int, _size: int) -> str:
    with model.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=12)).hexdigest()


def _scan_key(case: Case) -> str:
    """Name the content of a case's images; time and size catch a file changed behind the study's back. Raises OSError."""
    parts = [part for image in case.images for part in image.content()]
    return hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()


def _belong_together(
    features: np.ndarray, predicted: np.ndarray, uncertainty: np.ndarray, projector: RowProjector | None
) -> bool:
    cells = features.shape[:3]
    kinds = features.dtype.str, predicted.dtype.str, uncertainty.dtype.str
    return (
        features.ndim == 4
        and features.size > 0
        and predicted.shape == uncertainty.shape == cells
        and kinds == ("<f2", "|u1", "<f2")
        and (projector is None or (projector.fits_together and projector.output.shape[1] == features.shape[3]))
    )


def _save_projector(projector: RowProjector, path: Path) -> None:
    with path.open("wb") as file:  # given a path, numpy would add a suffix to its name
        np.savez(file, allow_pickle=False, **projector._asdict())


def _load_projector(path: Path) -> RowProjector:
    with path.open("rb") as file, np.load(file) as arrays:
        return RowProjector(*(arrays[name].astype(np.float32) for name in RowProjector._fields))


def _case_folders(study: Study) -> list[Path]:
    return [path for path in embeddings_folder(study).glob("*/*.cells") if path.is_dir()]


def _size(folder: Path) -> int:
    total = 0
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):  # deleted meanwhile
            total += path.stat().st_size
    return total


def _last_used(folder: Path) -> float:
    try:
        return (folder / RECORD).stat().st_mtime
    except OSError:  # begun and never finished
        return 0.0
