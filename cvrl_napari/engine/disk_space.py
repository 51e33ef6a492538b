"""Whether there is space to write: known from the error, or tried out."""

import errno
import os
import shutil
from pathlib import Path

from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.errors import VolumeError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no space, quota used up, file larger than allowed


def is_disk_full(error: BaseException | None) -> bool:
    """Whether there was no space to write, also where that was put into a sentence already."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, StudyError | VolumeError) and is_disk_full(error.__cause__)


def has_space(folder: Path, size: int) -> bool:
    """Whether a file of so many bytes can be made in `folder`; quotas count too, where the system makes room ahead."""
    attempt = folder / ".space"
    try:
        if shutil.disk_usage(folder).free < size:
            return False
        with attempt.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, size)
            return True
    except OSError:
        return False
    finally:
        attempt.unlink(missing_ok=True)
