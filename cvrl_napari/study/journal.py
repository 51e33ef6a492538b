"""What was painted since the labels were last saved: a small file a case, put back when the study is opened after a crash.

It holds the voxels that differ from the label file and the hash of that file. Whoever writes the labels makes it stale, and
what is stale is never put back; so it can only ever add what was painted last.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import Labels
from cvrl_napari.study.storage import atomic_write, label_path
from cvrl_napari.volumes.errors import VolumeError

if TYPE_CHECKING:
    from cvrl_napari.study.study import Study

MOST_VOXELS = 1 << 20
"""More than this is not noted, but left to the next save: writing it would take as long."""
_MOST_BYTES = 32 * MOST_VOXELS
_DAMAGED = (OSError, SafetensorError, KeyError, ValueError, IndexError)


class Journal:
    """Notes the painting of one case at a time; all of it in one thread, that which saves the labels."""

    def __init__(self, study: "Study") -> None:
        self._study = study
        self._case, self._hash, self._saved = "", b"", np.zeros((0, 0, 0), np.uint8)

    def saved(self, case: str, labels: Labels) -> None:
        """These labels have just been saved: what differs from them from now on is noted. The array is kept, not copied."""
        self._case, self._hash, self._saved = case, _hash(label_path(self._study.folder, case)), labels
        _path(self._study.folder, case).unlink(missing_ok=True)

    def note(self, case: str, labels: Labels) -> None:
        """Write down in which voxels the labels, uint8 (z, y, x), differ from the saved ones.

        Raises
        ------
        OSError
            If that cannot be written.
        StudyError, VolumeError
            If the saved labels cannot be read.
        """
        if case != self._case or self._hash != _hash(label_path(self._study.folder, case)):
            found = self._study.read_labels(case)
            self.saved(case, np.zeros(labels.shape, np.uint8) if found is None else found)
        at = np.flatnonzero(labels != self._saved)
        if 0 < at.size <= MOST_VOXELS:
            number = np.uint32 if labels.size <= 1 << 32 else np.uint64
            note = {"hash": np.frombuffer(self._hash, np.uint8), "shape": np.array(labels.shape), "at": at.astype(number)}
            atomic_write(_path(self._study.folder, case), save(note | {"values": labels.flat[at].astype(np.uint8)}))


def put_back(study: "Study") -> None:
    """Put what was noted and never saved into the labels of an open study, with the time of the note; drop what is stale.

    A note that cannot be put back now, since the scan is away or the disk is full, stays for the next time.
    """
    for path in sorted((study.folder / "journal").glob("*.safetensors")):
        with suppress(StudyError, VolumeError):
            _put_back(study, path)


def _put_back(study: "Study", path: Path) -> None:
    case = next((case.id for case in study.cases if case.id == path.stem), None)
    noted = None if case is None else _read(path, label_path(study.folder, case))
    if case is not None and noted is not None:
        shape, at, values = noted
        labels = study.read_labels(case)
        labels = np.zeros(shape, np.uint8) if labels is None else labels.copy()
        if labels.shape == shape:
            labels.reshape(-1)[at] = values
            when = path.stat().st_mtime
            study.write_labels(case, labels)
            os.utime(label_path(study.folder, case), (when, when))
    path.unlink(missing_ok=True)


def _read(path: Path, labels: Path) -> tuple[tuple[int, ...], np.ndarray, Labels] | None:
    """Return shape, voxels and values of a note on these labels; None if it is stale or damaged."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        note = load(path.read_bytes())
        shape = tuple(int(side) for side in note["shape"])
        at, values = note["at"], note["values"]
        is_whole = at.dtype.kind == "u" and values.dtype == np.uint8 and at.shape == values.shape and at.ndim == 1
        fits = len(shape) == 3 and min(shape) > 0 and at.size > 0 and int(at.max()) < np.prod(shape, dtype=object)
    except _DAMAGED:
        return None
    return (shape, at, values) if is_whole and fits and note["hash"].tobytes() == _hash(labels) else None


def _hash(path: Path) -> bytes:
    """Return the SHA-256 of a file; of none if there is none."""
    with suppress(FileNotFoundError):
        return hashlib.sha256(path.read_bytes()).digest()
    return b"\0" * 32


def _path(folder: Path, case: str) -> Path:
    return folder / "journal" / f"{case}.safetensors"
