"""The DICOM series below a folder, for a person to choose from. Who the patient is never comes up."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cvrl_napari.volumes.dicom_parts import count_parts
from cvrl_napari.volumes.dicom_pixels import read_pixels
from cvrl_napari.volumes.dicom_series import dicom_files, group_slices
from cvrl_napari.volumes.dicom_slice import Slice
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.finding import folders_below

THUMBNAIL_PIXELS = 128

_SCANNED = ("CT", "MR", "PT")
_FEW_SLICES = 3
_SCOUT_WORDS = re.compile(r"\b(scout|locali[sz]er|topogram|surview|survey|scanogram|loc)\b", re.IGNORECASE)
_NOT_TAKEN = ("SCREEN SAVE", "SCREENSAVE", "LOCALIZER")
_PERCENTILES = (1.0, 99.0)


@dataclass(frozen=True)
class Series:
    """A stack of slices that belong together.

    Parameters
    ----------
    path
        What `read` takes for it: a folder when nothing else is in there, or else its first file.
    study, series
        Identifiers that say what belongs together; they are for the memory only, not to be written anywhere.
    modality
        'CT', 'MR', 'PT' or what else the header says.
    number
        Of the series, as the scanner counted.
    description
        As somebody typed it: it may be empty, and it may hold anything.
    size
        Columns, rows, slices of one part.
    spacing
        The same order, mm.
    parts
        How many volumes there are: time points, echoes.
    is_scout
        Whether it was made to plan others, or is a saved screen.
    preselected
        Whether it is the one of its study that a person most likely wants.
    """

    path: Path
    study: str = field(repr=False)
    series: str = field(repr=False)
    modality: str
    number: int | None
    description: str
    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    parts: int
    is_scout: bool
    preselected: bool
    middle: Slice = field(repr=False, compare=False)

    @property
    def name(self) -> str:
        """What a person knows it by: number and description."""
        number = "" if self.number is None else str(self.number)
        return " ".join(filter(None, (number, self.description))) or "no description"


def list_series(folder: Path, is_wanted: Callable[[], bool] = lambda: True) -> list[Series]:
    """Return the DICOM series below a folder, study by study, each with the most slices first; no pixel is read.

    Of each study one is preselected: the one with the most slices among those of CT, MR and PET that are neither scouts nor
    saved screens, or else among all of them.

    Parameters
    ----------
    is_wanted
        Asked before each folder is looked into; once it says no, what was found so far is returned.

    Raises
    ------
    VolumeError
        If the folder cannot be looked into.
    """
    found: list[Series] = []
    try:
        for parent in folders_below(Path(folder)):
            if not is_wanted():
                break
            found += [_series(path, stack) for path, stack in stacks_in(parent)]
    except OSError as error:
        raise VolumeError(f"Cannot look into {error.filename or folder} ({error.strerror}): check its permissions.") from error
    first = {one.study: number for number, one in reversed(list(enumerate(found)))}
    found.sort(key=lambda one: (first[one.study], _likelihood(one), str(one.path)))
    best = {one.study: number for number, one in reversed(list(enumerate(found)))}
    return [replace(one, preselected=best[one.study] == number) for number, one in enumerate(found)]


def needs_choice(series: Sequence[Series]) -> bool:
    """Say whether a person should choose: two or more series, scouts aside, share a study or a folder."""
    scans = [one for one in series if not one.is_scout]
    studies = {one.study for one in scans}
    folders = {one.path if one.path.is_dir() else one.path.parent for one in scans}
    return len(scans) > min(len(studies), len(folders))


def stacks_in(folder: Path) -> Iterator[tuple[Path, list[Slice]]]:
    """Give the stacks of slices in one folder, each with the path that `read` takes for it."""
    stacks = group_slices(dicom_files(folder))
    is_alone = len(stacks) == 1 and not any(path.is_dir() for path in folder.iterdir())
    for stack in stacks:
        yield (folder if is_alone else min(one.file for one in stack)), stack


def thumbnail(series: Series) -> npt.NDArray[np.uint8]:
    """Return the middle slice as a small picture (h, w) of at most 128 pixels, in its true proportions.

    Raises
    ------
    VolumeError
        If its pixels cannot be read.
    """
    one = series.middle
    grey = read_pixels([one], threads=1)[0].astype(np.float32)
    low, high = np.percentile(grey, _PERCENTILES)
    mm = np.array(one.size) * (np.linalg.norm(one.row_step), np.linalg.norm(one.column_step))
    height, width = np.maximum(1, np.rint(mm / mm.max() * min(THUMBNAIL_PIXELS, max(one.size)))).astype(int)
    rows, columns = _samples(one.size[0], height), _samples(one.size[1], width)
    picture = np.clip((grey[np.ix_(rows, columns)] - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.asarray(np.rint(picture), dtype=np.uint8)


def _samples(size: int, count: int) -> npt.NDArray[np.intp]:
    return ((np.arange(count) + 0.5) * size / count).astype(np.intp)


def _series(path: Path, stack: list[Slice]) -> Series:
    first, about = stack[0], stack[0].about
    parts = count_parts(stack)
    ordered = sorted(stack, key=lambda one: (float(one.position @ first.normal), one.order))
    heights = sorted({round(float(one.position @ first.normal), 3) for one in stack})
    gap = float(np.median(np.diff(heights))) if len(heights) > 1 else first.thickness or 0.0
    rows, columns = first.size
    return Series(
        path=path,
        study=about.study or str(path),
        series=about.series,
        modality=about.modality,
        number=about.number,
        description=" ".join(about.description.split()),
        size=(columns, rows, len(heights)),
        spacing=(float(np.linalg.norm(first.column_step)), float(np.linalg.norm(first.row_step)), gap),
        parts=parts,
        is_scout=_is_scout(first, len(heights)),
        preselected=False,
        middle=ordered[len(ordered) // 2],
    )


def _is_scout(first: Slice, slices: int) -> bool:
    kinds = {kind.upper() for kind in first.about.image_type}
    return slices < _FEW_SLICES or bool(kinds & {*_NOT_TAKEN}) or bool(_SCOUT_WORDS.search(first.about.description))


def _likelihood(series: Series) -> tuple[bool, bool, int]:
    """Sort what a person most likely wants to the front."""
    return series.is_scout, series.modality not in _SCANNED, -series.size[2]
