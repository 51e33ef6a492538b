"""Finding scans again after they were moved or renamed."""

from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.study.case import Case, content_hash
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.storage import absolute_scan
from cvrl_napari.volumes.finding import find_scans


def relinked(cases: Sequence[Case], folder: Path) -> dict[str, Case]:
    """Return the cases of which an image is missing but found below `folder` by its content, with its new path, by id.

    Files of the old name are looked at first; whatever they are called, only the same content counts.

    Raises
    ------
    StudyError
        If a file below `folder` cannot be read.
    VolumeError
        If `folder` is none.
    """
    # In study order, an entry for each image of each case: of two with the same content each finds a file of its own.
    missing = [(image.hash, image.scan) for case in cases for image in case.images if not image.scan.exists()]
    candidates = [absolute_scan(path) for path in find_scans(folder)] if missing else []
    names = {scan.name for _, scan in missing}
    candidates.sort(key=lambda path: path.name not in names)
    found: dict[Path, Path] = {}
    for path in candidates:
        if len(found) == len(missing):
            break
        try:
            content = content_hash(path)
        except OSError as error:
            raise StudyError(f"{path} cannot be read ({error.strerror}): check that it may be read, and try again.") from error
        old = next((scan for known, scan in missing if known == content and scan not in found), None)
        if old:
            found[old] = path
    return {case.id: _moved(case, found) for case in cases if any(image.scan in found for image in case.images)}


def _moved(case: Case, found: dict[Path, Path]) -> Case:
    channels = tuple(one.model_copy(update={"scan": found.get(one.scan, one.scan)}) for one in case.channels)
    return case.model_copy(update={"scan": found.get(case.scan, case.scan), "channels": channels})
