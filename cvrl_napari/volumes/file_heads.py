"""The first bytes of files that may be zipped, and the two files of a .hdr/.img pair."""

from pathlib import Path

from cvrl_napari.volumes.checks import damaged
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.inflating import GZIP_MAGIC, InflateError, inflate


def head(path: Path, size: int) -> bytes:
    """Return the first bytes of a file that may be zipped.

    Raises
    ------
    VolumeError
        If it is zipped and damaged.
    OSError
        If it cannot be opened.
    """
    if not is_zipped(path):
        with path.open("rb") as file:
            return file.read(size)
    first = b""
    try:
        with path.open("rb") as file:
            for piece in inflate(file):
                first += piece
                if len(first) >= size:
                    break
    except InflateError as error:
        if not first:
            raise damaged(path, str(error)) from error
    return first[:size]


def is_zipped(path: Path) -> bool:
    """Say whether a file with a header at its start is gzipped, whatever its name is."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def pair(path: Path) -> tuple[Path, Path]:
    """Return the header and the image of a pair, either of which may be given.

    Raises
    ------
    VolumeError
        If the other one is missing.
    """
    is_upper = path.suffix.isupper()
    found = [path.with_suffix(suffix.upper() if is_upper else suffix) for suffix in (".hdr", ".img")]
    for file in found:
        if not file.is_file():
            raise VolumeError(f"{path} is one file of a pair, and {file.name} is missing beside it: copy that file too.")
    return found[0], found[1]
