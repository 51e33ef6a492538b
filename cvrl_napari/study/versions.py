"""Earlier versions of label files: kept beside them when they are replaced, thinned by age, at most five a case."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from cvrl_napari.study.labels import Labels, check_values, read_label_file
from cvrl_napari.study.renumbering import renumbering_since
from cvrl_napari.study.storage import keep_as, label_path
from cvrl_napari.volumes.volume import Volume

AGES = tuple(timedelta(seconds=seconds) for seconds in (0, 60, 600, 3_600, 86_400))
"""One version is kept for each: replaced less than a minute ago, less than ten, an hour, a day, and longer ago."""
_STAMP = "%Y%m%dT%H%M%S%fZ"


class Version(NamedTuple):
    """A label file as it was: when it was saved, and when a newer one took its place (both UTC)."""

    path: Path
    saved_at: datetime
    replaced_at: datetime


def keep_version(folder: Path, case_id: str) -> None:
    """Keep the present label file of a case, which is about to be replaced; nothing happens when there is none.

    A version that cannot be kept does not stop what is newer from being saved.
    """
    current = label_path(folder, case_id)
    if not current.exists():
        return
    now = datetime.now(UTC)
    kept = _place(folder, case_id) / f"{now.strftime(_STAMP)}.nii.gz"
    with suppress(OSError):
        newest = next(iter(versions(folder, case_id)), None)
        if newest is not None and newest.path.samefile(current):  # what was to replace it could not be saved
            return
        kept.parent.mkdir(parents=True, exist_ok=True)
        keep_as(current, kept)
        known = {version.replaced_at: version.path for version in versions(folder, case_id)}
        for time in known.keys() - thinned(known, now):
            known[time].unlink(missing_ok=True)


def versions(folder: Path, case_id: str) -> tuple[Version, ...]:
    """Return the earlier versions of a case's labels, newest first."""
    found = []
    for path in _place(folder, case_id).glob("*.nii.gz"):
        with suppress(ValueError, OSError):  # not one of ours, or just thinned out
            replaced = datetime.strptime(path.name.removesuffix(".nii.gz"), _STAMP).replace(tzinfo=UTC)
            found.append(Version(path, datetime.fromtimestamp(path.stat().st_mtime, UTC), replaced))
    return tuple(sorted(found, key=lambda version: version.replaced_at, reverse=True))


def read_version(folder: Path, version: Version, scan: Volume, class_count: int) -> Labels:
    """Read an earlier version in the class numbers of today; voxels of a class that was deleted are not painted.

    Raises
    ------
    StudyError
        If it lies on another grid than the scan or holds values that are no classes.
    VolumeError
        If the file cannot be read.
    """
    table = renumbering_since(folder, version.replaced_at)
    labels = read_label_file(version.path, scan)
    return check_values(table[check_values(labels, 254, str(version.path))], class_count, str(version.path))


def thinned(times: Iterable[datetime], now: datetime) -> set[datetime]:
    """Return which of the times to keep: the oldest of each range of `AGES`, of the last, open one the newest.

    The oldest of a range is the next to enter the range after it, so that however often something is kept there is always
    something of each age.
    """
    ranges = [[time for time in times if low <= now - time < high] for low, high in pairwise((*AGES, timedelta.max))]
    ranges[0] += [time for time in times if time > now]  # the clock was set back
    return {choose(one) for one, choose in zip(ranges, (min, min, min, min, max), strict=True) if one}


def _place(folder: Path, case_id: str) -> Path:
    return folder / "labels" / ".backups" / case_id
