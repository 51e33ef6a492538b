"""Which scans of a folder make a study, in which order, and which of them are held out."""

from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.cli.options import split_names
from cvrl_napari.study.case import Case, Image, name_cases
from cvrl_napari.study.channels import group_channels, volumes_as_channels
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.matching import split_labels_from_scans
from cvrl_napari.study.study import Study
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


def images_from(
    scans: Sequence[Path], *, channels: str = "", part: str = "", resample: bool = False
) -> list[tuple[Image, ...]]:
    """Return the images of each scan as the options say.

    Parameters
    ----------
    channels : str
        Endings of names, separated by commas; see `group_channels`.
    part : str
        Number of the volume to take from files of several, 'all' for all of them as channels; empty for files of one.
    resample : bool
        Whether uneven slices may be resampled.

    Raises
    ------
    StudyError
        If the options do not fit the scans.
    VolumeError
        If a scan of several volumes cannot be read.
    """
    if part == "all":
        if channels:
            raise StudyError("--channels and --part all both say what the channels are: give one of them.")
        return [tuple(_resampled(image, resample) for image in volumes_as_channels(scan)) for scan in scans]
    if part and not part.isdecimal():
        raise StudyError(f"--part {part} is no volume: give its number, from 0, or 'all'.")
    groups = group_channels(scans, split_names(channels)) if channels else [(scan,) for scan in scans]
    number = int(part) if part else None
    return [tuple(Image(scan=scan, part=number, resample=resample) for scan in group) for group in groups]


def _resampled(image: Image, resample: bool) -> Image:
    return image.model_copy(update={"resample": resample})


def cases_of(folder: Path, ids: Sequence[Path]) -> list[Case]:
    """Return cases of a study by their ids.

    Raises
    ------
    StudyError
        If there is no study, or no case of that id.
    """
    study = Study.open(folder, read_only=True)
    return [study.case(str(one)) for one in ids]
