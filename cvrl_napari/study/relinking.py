"""Finding scans again after they were moved or renamed."""

from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.study.case import Case, content_hash
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.storage import absolute_scan
from cvrl_napari.volumes.finding import find_scans


def relinked(cases: Sequence[Case], folder: Path) -> dict[str, Case]:
    """Return the cases whose scan is missing but found below `folder` by its content, with its new path, by id.

    Files of the old name are looked at first; whatever they are called, only the same content counts.

    Raises
    ------
    StudyError
        If a file below `folder` cannot be read.
    VolumeError
        If `folder` is none.
    """
    missing = [case for case in cases if not case.scan.exists()]
    candidates = [absolute_scan(path) for path in find_scans(folder)] if missing else []
    names = {case.scan.name for case in missing}
    candidates.sort(key=lambda path: path.name not in names)
    found: dict[str, Case] = {}
    for path in candidates:
        if len(found) == len(missing):
            break
        try:
            content = content_hash(path)
        except OSError as error:
            raise StudyError(f"{path} cannot be read ({error.strerror}): check that it may be read, and try again.") from error
        case = next((case for case in missing if case.hash == content and case.id not in found), None)
        if case:
            found[case.id] = case.model_copy(update={"scan": path})
    return found
