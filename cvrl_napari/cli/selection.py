"""Which scans of a folder make a study, in which order, and which of them are held out."""

from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.cli.options import split_names
from cvrl_napari.study.case import name_cases
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.matching import split_labels_from_scans
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.naming import scan_name


def choose_scans(folder: Path, list_file: Path | None) -> list[Path]:
    """Return the scans of a folder: all of them sorted by path, or those that a list names, in its order.

    Raises
    ------
    VolumeError
        If the folder is missing.
    StudyError
        If the folder has no scans, or the list is unreadable, empty, or names a scan that is not there.
    """
    found = find_scans(folder)
    scans, _labels = split_labels_from_scans(found, found)
    if not scans:
        raise StudyError(f"There are no scans in {folder}: it should hold NIfTI, NRRD, MHA or DICOM files.")
    if list_file is None:
        return scans
    by_name = dict(zip(name_cases(scans), scans, strict=True))
    names = [scan_name(Path(line)) for line in _lines(list_file)]
    for name in names:
        if name not in by_name:
            raise StudyError(f"The list {list_file} names the scan '{name}', which is not in {folder}: correct the list.")
    return [by_name[name] for name in names]


def _lines(list_file: Path) -> list[str]:
    try:
        text = list_file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"The list {list_file} cannot be read ({error}): write a scan's name a line.") from None
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise StudyError(f"The list {list_file} is empty: write a scan's name a line.")
    return lines


def choose_held_out(scans: Sequence[Path], text: str) -> tuple[str, ...]:
    """Return the ids of the cases to hold out: the last N scans for a number, else the names separated by commas.

    Raises
    ------
    StudyError
        If a number leaves nothing to learn from, or a name is not among the scans.
    """
    ids = name_cases(scans)
    asked = split_names(text)
    if len(asked) == 1 and asked[0].isdecimal() and asked[0] not in ids:
        count = int(asked[0])
        if count >= len(ids):
            raise StudyError(f"--held-out {count} leaves none of the {len(ids)} scans to learn from: hold out fewer.")
        return tuple(ids[len(ids) - count :])
    for name in asked:
        if name not in ids:
            raise StudyError(f"--held-out names the case '{name}', which is not among the scans: correct the name.")
    return asked
