"""Files that are either the old one or the new one, never half of one."""

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cvrl_napari.volumes.naming import scan_name


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well, what was written there takes its place at once.

    The temporary name is hidden and ends like `path` ('.nii.gz'), because image libraries choose a format by it. If the
    block raises, the temporary file is removed and the old file is as it was. A link is followed, not replaced; an
    existing file keeps its permissions.

    Raises
    ------
    OSError
        If the folder is missing or not writable, or the disk is full.
    """
    target = Path(os.path.realpath(path))
    stem = scan_name(target)
    temporary = target.with_name(f".{stem[:100]}.{secrets.token_hex(4)}{target.name[len(stem) :]}")
    # Opened here, not by tempfile: that would make a file no colleague can read in a shared folder.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        _flush(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _flush_folder(target.parent)


def _flush(path: Path) -> None:
    with path.open("r+b") as file:  # Windows refuses to flush a file opened for reading
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # folders cannot be opened there
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
