"""Which images are channels of one case: files of one stem with different endings, or the volumes of one file."""

import re
from collections.abc import Sequence
from pathlib import Path

from cvrl_napari.study.case import Image
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.errors import SeveralVolumesError
from cvrl_napari.volumes.naming import scan_name
from cvrl_napari.volumes.reading import read

MOST_CHANNELS = 16


def group_channels(scans: Sequence[Path], endings: Sequence[str]) -> list[tuple[Path, ...]]:
    """Group scans by their names: with the endings ('t1', 't2') a case is made of `sub-01_t1.nii.gz` and `sub-01_t2.nii.gz`.

    An ending stands at the end of a name, after `_`, `-`, `.` or a blank, or is the whole name of a file in the folder of its
    case; upper and lower case do not matter. Scans that end in none of them are left out.

    Returns
    -------
    list of tuples
        In the order of their first images; the channels in the order of `endings`.

    Raises
    ------
    StudyError
        If no scan has one of the endings, a case lacks a channel, or two scans claim the same one.
    """
    patterns = [re.compile(rf"(^|[-_. ]){re.escape(ending)}$", re.IGNORECASE) for ending in endings]
    cases: dict[tuple[Path, str], dict[int, Path]] = {}
    for scan in scans:
        name = scan_name(scan)
        for number, pattern in enumerate(patterns):
            found = pattern.search(name)
            if found:
                channels = cases.setdefault((scan.parent, name[: found.start()].casefold()), {})
                if number in channels:
                    raise StudyError(f"{scan} and {channels[number]} are both '{endings[number]}' of one case: remove one.")
                channels[number] = scan
                break
    if not cases:
        raise StudyError(
            f"No scan is named like a channel ({', '.join(endings)}): name them such as 'case_{endings[0]}.nii.gz'."
        )
    for channels in cases.values():
        missing = [ending for number, ending in enumerate(endings) if number not in channels]
        if missing:
            first = next(iter(channels.values()))
            raise StudyError(f"There is no '{missing[0]}' beside {first}: add it, or take this case out of the folder.")
    return [tuple(channels[number] for number in range(len(endings))) for channels in cases.values()]


def volumes_as_channels(scan: Path) -> tuple[Image, ...]:
    """Return the volumes of one file as the channels of a case; a file of a single volume is one channel.

    Raises
    ------
    StudyError
        If there are more volumes than a network takes.
    VolumeError
        If it cannot be read.
    """
    try:
        read(scan)
    except SeveralVolumesError as several:
        return channels_of(several)
    return (Image(scan=scan),)


def channels_of(several: SeveralVolumesError) -> tuple[Image, ...]:
    """Return the volumes of the file that an error speaks of, as the channels of a case.

    Raises
    ------
    StudyError
        If they are more than a network takes.
    """
    if several.count > MOST_CHANNELS:
        raise StudyError(
            f"{several.path} holds {several.count} volumes, more than {MOST_CHANNELS} channels: choose one of them."
        )
    return tuple(Image(scan=several.path, part=part) for part in range(several.count))
