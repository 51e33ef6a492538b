"""Which scans of a folder make a study, in which order, and which of them are held out."""

from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.cli.options import split_names
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.finding import find_scans
from cvrl_napari.volumes.naming import scan_name


def choose_scans(folder: Path, list_file: Path | None) -> list[Path]:
    """Return the scans of a folder: all of them by name, or those that a list names, in its order.

    Raises
    ------
    StudyError
        If the folder has no scans, or the list is unreadable, empty, or names a scan that is not there.
    """
    if not folder.is_dir():
        raise StudyError(f"There is no folder '{folder}': give the folder of the scans with --scans.")
    found = find_scans(folder)
    if not found:
        raise StudyError(f"There are no scans in '{folder}': it should hold NIfTI, NRRD, MHA or DICOM files.")
    if list_file is None:
        return found
    by_name = {scan_name(path): path for path in found}
    names = _read_names(list_file)
    for name in names:
        if scan_name(Path(name)) not in by_name:
            raise StudyError(f"The list '{list_file}' names the scan '{name}', which is not in '{folder}': correct the list.")
    return [by_name[scan_name(Path(name))] for name in names]


def _read_names(list_file: Path) -> list[str]:
    try:
        lines = list_file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise StudyError(f"The list '{list_file}' cannot be read ({error}): write a scan's name a line.") from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise StudyError(f"The list '{list_file}' is empty: write a scan's name a line.")
    return names


def choose_held_out(scans: Sequence[Path], text: str) -> tuple[str, ...]:
    """Return the names of the cases to hold out: the last N scans for a number, else the names separated by commas.

    Raises
    ------
    StudyError
        If a number leaves nothing to learn from, or a name is not among the scans.
    """
    names = [scan_name(path) for path in scans]
    if text.strip().isdecimal() and text.strip() not in names:
        count = int(text)
        if count >= len(names):
            raise StudyError(f"--held-out {count} leaves none of the {len(names)} scans to learn from: hold out fewer.")
        return tuple(names[len(names) - count :])
    asked = split_names(text)
    for name in asked:
        if name not in names:
            raise StudyError(f"--held-out names the case '{name}', which is not among the scans: correct the name.")
    return asked
