"""Cases taken off the list: their labels are kept, and come back when the same scan is added again."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cvrl_napari.study.case import Case
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.renumbering import renumbering_since
from cvrl_napari.study.storage import label_path, reason, save_volume, write_or_explain
from cvrl_napari.volumes.reading import read


class _Removed(BaseModel):
    at: datetime
    case: Case


def set_aside(folder: Path, case: Case) -> None:
    """Move labels and prediction of a case to `removed` folders: the next case of its name must not inherit them.

    Raises
    ------
    StudyError
        If they cannot be moved.
    """
    now = datetime.now(UTC)
    for path in (label_path(folder, case.id), folder / "predictions" / f"{case.id}.nii.gz"):
        kept = path.parent / "removed" / f"{case.id}.{now:%Y%m%dT%H%M%S%f}.nii.gz"
        if path.exists():
            try:
                kept.parent.mkdir(exist_ok=True)
                path.replace(kept)
            except OSError as error:
                raise StudyError(f"{path} could not be moved to {kept}, {reason(error)}.") from error
            if path.parent.name == "labels":
                about = _Removed(at=now, case=case)
                write_or_explain(_about(kept), about.model_dump_json(indent=1).encode())


def bring_back(folder: Path, case: Case) -> Case:
    """Give a new case the labels, state, note and mark that its scan, known by its content, had when it was last removed.

    Returns
    -------
    Case
        The case as it is now; the same when its scan was never removed with labels.
    """
    found: list[tuple[_Removed, Path]] = []
    for path in (folder / "labels" / "removed").glob("*.json"):
        try:
            about = _Removed.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):  # nothing of ours
            continue
        labels = path.with_name(path.name.removesuffix(".json") + ".nii.gz")
        how = (about.case.hash, about.case.part, about.case.resample)
        if labels.is_file() and case.hash and how == (case.hash, case.part, case.resample):
            found.append((about, labels))
    if not found:
        return case
    about, labels = max(found, key=lambda one: one[0].at)
    volume = read(labels)
    array = renumbering_since(folder, about.at)[volume.array.astype("uint8")]
    if not array.any():
        return case
    save_volume(label_path(folder, case.id), volume.with_array(array))
    kept = ("state", "accepted_at", "held_out", "needs_look", "note")
    return case.model_copy(update={name: getattr(about.case, name) for name in kept})


def _about(labels: Path) -> Path:
    return labels.with_name(labels.name.removesuffix(".nii.gz") + ".json")
