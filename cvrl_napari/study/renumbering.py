"""Deleting and reordering classes: every label file and study.json change as one act, whatever happens in between.

What is to come is written beside the study first (`labels/.renumbering`), then declared valid by one small file, then moved
into place. A process that dies before the declaration has changed nothing; one that dies later is finished by whoever opens
the study next. What the label files and study.json were before stays in `labels/removed/classes.<time>`.
"""

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pydantic import BaseModel, TypeAdapter, ValidationError

from cvrl_napari.study.case import Case
from cvrl_napari.study.classes import StructureClass, check_classes
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import BACKGROUND, Labels
from cvrl_napari.study.storage import (
    FILE_NAME,
    StudyFile,
    atomic_write,
    keep_as,
    label_path,
    reason,
    save_volume,
    study_file_bytes,
)
from cvrl_napari.volumes.reading import read

_KINDS = ("labels", "predictions")
_VALID = "valid.json"


class Renumbering(BaseModel):
    """At `at`, label value `n` became `values[n]`; 0 where the class was deleted. Values not named stayed."""

    at: datetime
    values: dict[int, int]

    def table(self) -> Labels:
        """Return the new value by old value, uint8 of shape (256,)."""
        table = np.arange(256, dtype=np.uint8)
        for old, new in self.values.items():
            table[old] = new
        return table


_Log = TypeAdapter(list[Renumbering])


def count_voxels(folder: Path, cases: Sequence[Case], class_id: int) -> dict[str, int]:
    """Return how many voxels are painted with a class, by case, cases without any left out.

    Raises
    ------
    VolumeError
        If a label file cannot be read.
    """
    paths = {case.id: label_path(folder, case.id) for case in cases}
    counts = {case: int((read(path).array == class_id).sum()) for case, path in paths.items() if path.is_file()}
    return {case: count for case, count in counts.items() if count}


def renumber(folder: Path, record: StudyFile, order: Sequence[int]) -> StudyFile:
    """Give the classes the order of `order`, their present ids; those not in it are deleted, their voxels not painted.

    Masks predicted so far follow. A case of which voxels were deleted is no longer accepted, one that is left with
    nothing is unlabeled.

    Raises
    ------
    StudyError
        If `order` is not some of the ids, each once, or something cannot be saved; nothing has changed then.
    VolumeError
        If a label file cannot be read; nothing has changed then.
    """
    old = {one.id: one for one in record.classes}
    if not order or len(set(order)) < len(order) or not set(order) <= old.keys():
        raise StudyError("A study needs at least one class, each once: choose from those it has.")
    new = {class_id: place for place, class_id in enumerate(order, start=1)}
    change = Renumbering(at=datetime.now(UTC), values={class_id: new.get(class_id, 0) for class_id in old})
    classes = check_classes([StructureClass(**{**old[one].model_dump(), "id": new[one]}) for one in order])
    staging = _staging(folder)
    try:
        shutil.rmtree(staging, ignore_errors=True)
        cases = tuple(_stage(folder, case, change.values) for case in record.cases)
        renumbered = StudyFile(classes=classes, cases=cases)
        _keep_aside(folder, change.at)
        atomic_write(staging / FILE_NAME, study_file_bytes(folder, renumbered))
        atomic_write(staging / _VALID, change.model_dump_json().encode())
    except OSError as error:
        raise StudyError(f"The classes could not be changed, {reason(error)}; everything is as it was.") from error
    finish_renumbering(folder)
    return renumbered


def finish_renumbering(folder: Path) -> None:
    """Move into place what a renumbering has declared valid; take away what was left before that.

    Raises
    ------
    StudyError
        If something cannot be moved; opening the study again tries again.
    """
    staging = _staging(folder)
    if not staging.is_dir():
        return
    valid = staging / _VALID
    try:
        if valid.is_file():
            for kind in _KINDS:
                for path in sorted((staging / kind).glob("*.nii.gz")):
                    path.replace(folder / kind / path.name)
            change = Renumbering.model_validate_json(valid.read_bytes())
            known = renumberings(folder)
            if change not in known:
                atomic_write(_log(folder), _Log.dump_json([*known, change]))
            if (staging / FILE_NAME).is_file():
                (staging / FILE_NAME).replace(folder / FILE_NAME)
            valid.unlink()
        shutil.rmtree(staging)
    except (OSError, ValidationError) as error:
        why = reason(error) if isinstance(error, OSError) else "its record is damaged"
        raise StudyError(f"A change of the classes could not be finished in {staging}, {why}.") from error


def is_unfinished(folder: Path) -> bool:
    """Whether a renumbering was declared valid and not everything could be moved into place yet."""
    return (_staging(folder) / _VALID).is_file()


def renumberings(folder: Path) -> list[Renumbering]:
    """Return all renumberings of a study, oldest first."""
    try:
        return _Log.validate_json(_log(folder).read_bytes())
    except (OSError, ValidationError):
        return []


def renumbering_since(folder: Path, time: datetime) -> Labels:
    """Return today's value by the value of that time (with its zone), uint8 of shape (256,)."""
    table = np.arange(256, dtype=np.uint8)
    for change in renumberings(folder):
        if change.at > time:
            table = change.table()[table]
    return table


def is_older_than_classes(path: Path, folder: Path) -> bool:
    """Whether a file (a model, a checkpoint) was written before the classes last got other numbers."""
    changes = renumberings(folder)
    return bool(changes) and datetime.fromtimestamp(path.stat().st_mtime, UTC) < changes[-1].at


def _stage(folder: Path, case: Case, values: Mapping[int, int]) -> Case:
    """Write labels and prediction of a case as they will be, where they change; returns the case as it will be."""
    table = Renumbering(at=datetime.now(UTC), values=dict(values)).table()
    for kind in _KINDS:
        path = folder / kind / f"{case.id}.nii.gz"
        if not path.is_file():
            continue
        volume = read(path)
        before = volume.array.astype(np.uint8)
        after = table[before]
        if np.array_equal(before, after):
            continue
        save_volume(_staging(folder) / kind / path.name, volume.with_array(after))
        lost = ((after == 0) & (before > 0) & (before < BACKGROUND)).any()
        if kind == "labels" and lost and case.is_labeled:
            state = "unlabeled" if not after.any() else "complete" if case.state == "accepted" else case.state
            case = case.model_copy(update={"state": state, "accepted_at": None})
    return case


def _keep_aside(folder: Path, time: datetime) -> None:
    place = folder / "labels" / "removed" / f"classes.{time:%Y%m%dT%H%M%S%f}"
    place.mkdir(parents=True)
    staged = (_staging(folder) / "labels").glob("*.nii.gz")
    for path in (folder / FILE_NAME, *(folder / "labels" / one.name for one in staged)):
        keep_as(path, place / path.name)


def _staging(folder: Path) -> Path:
    return folder / "labels" / ".renumbering"


def _log(folder: Path) -> Path:
    return folder / "labels" / "renumberings.json"
