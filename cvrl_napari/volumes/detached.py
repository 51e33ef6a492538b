"""The files beside a detached header (.nhdr, .mhd) that it names for its voxels."""

import math
import re
from collections.abc import Sequence
from pathlib import Path, PureWindowsPath

from cvrl_napari.volumes.checks import damaged
from cvrl_napari.volumes.errors import VolumeError

_MOST_FILES = 100_000


def beside(header: Path, name: str) -> Path:
    """Return the file that a header names, which must lie in the header's folder or below it.

    A header may come from anywhere: it must not make this program open /etc/passwd. Links within the folder are
    followed: whoever keeps the folder has put them there.

    Raises
    ------
    VolumeError
        If the name leads out of the folder or there is no such file.
    """
    # PureWindowsPath sees drives and backslashes too, on every system.
    parts = PureWindowsPath(name)
    if not name or "\0" in name or parts.anchor or ".." in parts.parts:
        raise VolumeError(f"{header} names a file outside its own folder for its voxels ({name!r:.200}): keep both together.")
    path = header.parent.joinpath(*parts.parts)
    try:
        is_file = path.is_file()
    except OSError:  # a name longer than any file's
        is_file = False
    if not is_file:
        raise VolumeError(f"{header} is a header whose voxels are in {path.name!r:.200}, which is missing: copy that file too.")
    return path


def numbered(header: Path, pattern: str, first: int, last: int, step: int) -> list[Path]:
    """Return the files of a pattern such as 'slice%03d.raw'.

    Raises
    ------
    VolumeError
        If the pattern is none or names files that are not there.
    """
    field = re.findall(r"%0?(\d{0,2})d", pattern)
    if len(field) != 1 or pattern.count("%") != 1 or step == 0 or abs(last - first) // abs(step) >= _MOST_FILES:
        raise damaged(header, f"the pattern {pattern!r:.100} names no files")
    return named(header, [pattern % number for number in range(first, last + int(math.copysign(1, step)), step)])


def named(header: Path, names: Sequence[str]) -> list[Path]:
    """Return the files of a list of names.

    Raises
    ------
    VolumeError
        If there are none, or one is missing or outside the header's folder.
    """
    if not 0 < len(names) <= _MOST_FILES:
        raise damaged(header, f"it names {len(names)} files for its voxels")
    return [beside(header, name) for name in names]
