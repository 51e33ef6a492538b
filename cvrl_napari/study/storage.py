"""The file study.json: read with care, written whole or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from cvrl_napari.study.case import Case, Image
from cvrl_napari.study.classes import StructureClass, check_classes
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.storage import atomic_path
from cvrl_napari.volumes.volume import Volume
from cvrl_napari.volumes.writing import write

FILE_NAME = "study.json"
SCHEMA = 2
"""2: cases have notes and are marked for a second look. 1 is read as it is, and written as 2."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no space, quota used up, file larger than allowed


class StudyFile(BaseModel):
    """What study.json holds. A change that an older program would misread gets a new `schema_version`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1, 2] = 2
    classes: tuple[StructureClass, ...]
    cases: tuple[Case, ...]


def read_study_file(folder: Path) -> StudyFile:
    """Read and check `folder/study.json`; the scans' paths come back absolute. No scan is opened.

    Raises
    ------
    StudyError
        If the file is missing, cannot be read, is not what it should be, or was written by a newer version.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(path.read_bytes())
        record = _checked(content) if _version(content) <= SCHEMA else None
    except FileNotFoundError:
        raise StudyError(
            f"{folder} is not a study, it holds no {FILE_NAME}: choose a study folder, or make a new study."
        ) from None
    except OSError as error:
        raise StudyError(
            f"{path} cannot be read ({error.strerror}): check the disk and the permissions of the folder."
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise StudyError(
            f"{path} is damaged ({_first_problem(error)}): it was left as it is; "
            "put a backup in its place, or make a new study and keep the labels folder."
        ) from error
    if record is None:
        raise StudyError(f"{path} was written by a newer version of this program: update cvrl-napari to open it.")
    cases = tuple(
        case.model_copy(
            update={"scan": _absolute(case, folder)}
            | {"channels": tuple(one.model_copy(update={"scan": _absolute(one, folder)}) for one in case.channels)}
        )
        for case in record.cases
    )
    return record.model_copy(update={"cases": cases})


def write_study_file(folder: Path, record: StudyFile) -> None:
    """Write `folder/study.json` atomically, scans referred to as `portable_path` says.

    Raises
    ------
    StudyError
        If it cannot be written; the file on disk is then the old one.
    """
    write_or_explain(folder / FILE_NAME, study_file_bytes(folder, record))


def study_file_bytes(folder: Path, record: StudyFile) -> bytes:
    """Return what study.json of the study in `folder` is to hold."""
    content = record.model_dump(mode="json")
    for entry, case in zip(content["cases"], record.cases, strict=True):
        entry["scan"] = portable_path(case.scan, folder)
        for channel, image in zip(entry["channels"], case.channels, strict=True):
            channel["scan"] = portable_path(image.scan, folder)
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()


def _absolute(image: Image, folder: Path) -> Path:
    return Path(os.path.normpath(folder / image.scan))


def portable_path(scan: Path, folder: Path) -> str:
    """Return a scan's path as it is kept on disk, with forward slashes.

    Relative to the study folder when the scan lies below it or beside it (both may then be moved together), otherwise
    absolute.
    """
    beside = folder.parent
    if scan.is_relative_to(folder) or (scan.is_relative_to(beside) and beside != Path(beside.anchor)):
        return Path(os.path.relpath(scan, folder)).as_posix()
    return scan.as_posix()


def absolute_scan(path: Path) -> Path:
    """Return a scan's absolute path with links in its folder resolved, but not its own name if that is a link."""
    return path.parent.resolve() / path.name


def atomic_write(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """Replace `path` by `content` as one indivisible act; whatever goes wrong, the old file stays whole.

    Parameters
    ----------
    path : Path
        The file to be replaced or made; its folder is made when missing.
    content : bytes or callable
        The bytes, or a function that writes the temporary file whose path it is given (with the suffixes of `path`).

    Raises
    ------
    OSError
        If the disk is full or nothing may be written there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        if isinstance(content, bytes):
            temporary.write_bytes(content)
        else:
            content(temporary)


def write_or_explain(path: Path, content: bytes | Callable[[Path], None]) -> None:
    """`atomic_write`, with a sentence in the place of an OSError.

    Raises
    ------
    StudyError
        If the file could not be written; what it held before is untouched.
    """
    try:
        atomic_write(path, content)
    except OSError as error:
        raise StudyError(f"{path} could not be saved, {reason(error)}; what was saved before is untouched.") from error


def keep_as(path: Path, kept: Path) -> None:
    """Give a file a second name: a study's files are replaced, never written into, so that takes no room and no time.

    Raises
    ------
    OSError
        If that cannot be; where there are no such links, also if there is no room for a copy.
    """
    try:
        os.link(path, kept)
    except OSError:  # a file system without links
        shutil.copy2(path, kept)


def label_path(folder: Path, case_id: str) -> Path:
    """Return where the labels of a case lie."""
    return folder / "labels" / f"{case_id}.nii.gz"


def save_volume(path: Path, volume: Volume) -> None:
    """Write a volume below the study, atomically.

    Raises
    ------
    StudyError
        If it cannot be written; what the file held before is untouched.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, volume)
    except OSError as error:
        raise StudyError(f"{path} could not be saved, {reason(error)}; what was saved before is untouched.") from error
    except VolumeError as error:
        raise StudyError(str(error)) from error


def reason(error: OSError) -> str:
    """Say in words why something could not be written, and what to do."""
    if error.errno in _FULL:
        return "the disk is full: free some space and save again"
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return "nothing may be written there: ask for write permission or choose another folder"
    return f"{error.strerror or error}: check the disk and the folder"


def _version(content: dict[str, Any]) -> int:
    version = content["schema_version"]
    if not isinstance(version, int):
        raise ValueError("schema_version is no whole number")
    return version


def _checked(content: dict[str, Any]) -> StudyFile:
    record = StudyFile.model_validate(content)
    check_classes(record.classes)
    if len({case.id.casefold() for case in record.cases}) < len(record.cases):
        raise ValueError("two cases have the same id")
    return record


def _first_problem(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    if isinstance(error, KeyError):
        return f"no {error}"
    return str(error).splitlines()[0][:120]
