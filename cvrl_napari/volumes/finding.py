"""The scans below a folder."""

import os
from collections.abc import Iterator
from pathlib import Path

from cvrl_napari.volumes.dicom_series import dicom_files, group_slices
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.naming import SUFFIXES, format_suffix


def find_scans(folder: Path) -> list[Path]:
    """Return the scans below a folder, sorted by path, without opening more than the headers of DICOM files.

    A folder with one DICOM series stands for the series; of several in one folder each is named by its first file, and
    single slices beside them (scouts) are left out. Hidden files and folders and what archives leave behind are skipped.

    Raises
    ------
    VolumeError
        If the folder is missing or may not be read.
    """
    folder = Path(folder)
    try:
        if not folder.is_dir():
            raise VolumeError(f"{folder} is not a folder: choose the folder that holds the scans.")
        return sorted(scan for one in folders_below(folder) for scan in _scans_in(one))
    except OSError as error:
        raise VolumeError(f"Cannot look into {error.filename or folder} ({error.strerror}): check its permissions.") from error


def find_files(folder: Path) -> list[Path]:
    """Return the scans below a folder that lie in files of their own, DICOM aside, sorted by path.

    Raises
    ------
    OSError
        If the folder may not be read.
    """
    return sorted(path for one in folders_below(folder) for path in _files_in(one))


def folders_below(folder: Path) -> Iterator[Path]:
    """Give a folder and those below it, sorted; hidden ones and what archives leave behind are skipped."""
    for parent, names, _ in os.walk(folder):
        names[:] = sorted(name for name in names if name[0] != "." and name != "__MACOSX")
        yield Path(parent)


def _files_in(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        # An .img is found by its .hdr.
        if path.name[0] != "." and format_suffix(path) in SUFFIXES and path.suffix.lower() != ".img" and path.is_file():
            yield path


def _scans_in(folder: Path) -> Iterator[Path]:
    yield from _files_in(folder)
    stacks = group_slices(path for path in dicom_files(folder) if format_suffix(path) not in SUFFIXES)
    series = [stack for stack in stacks if len(stack) > 1] or stacks
    if len(series) == 1:
        yield folder
    else:
        yield from (min(one.file for one in stack) for stack in series)
