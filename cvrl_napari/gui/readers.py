"""Scans and masks as napari layers, where they lie in space. No Qt, no torch; the file libraries come when a file is read."""

import re
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvrl_napari.volumes.naming import DICOM_SUFFIXES, SUFFIXES, format_suffix, scan_name

if TYPE_CHECKING:
    from cvrl_napari.volumes.volume import Volume

LayerData = tuple[Any, dict[str, Any], str]
NOTHING: list[Any] = [(None,)]
"""What a reader returns when there is no layer to make, and nothing went wrong."""
FILES_LOOKED_AT = 8
"""How many files of a folder are looked at to tell whether it is a DICOM series."""
MASK_NAME = re.compile(r"(^|[-_. ])(seg|segmentation|label|labels|labelmap|mask|masks)($|[-_. ])", re.IGNORECASE)


def get_reader(path: str | list[str]) -> Callable[[str], list[LayerData]] | None:
    """Return the function that reads this path, None when it is no scan: a stack of files, a folder of other things."""
    if not isinstance(path, str):
        return None
    place = Path(path)
    if place.is_dir():
        return read_layers if _is_series(place) else None
    return read_layers if format_suffix(place) in (*SUFFIXES, *DICOM_SUFFIXES) else None


def read_layers(path: str) -> list[LayerData]:
    """Read a scan as an image layer, a mask as a labels layer.

    Raises
    ------
    VolumeError
        If the file cannot be read.
    """
    from cvrl_napari.gui.grey_limits import grey_limits
    from cvrl_napari.gui.placement import PART_KEY, placement, provenance

    place = Path(path)
    opened = _read_asking(place)
    if opened is None:
        return NOTHING
    volume, choices = opened
    if volume.notice:
        from napari.utils.notifications import show_info

        show_info(volume.notice)
    name = scan_name(place) + (f" (volume {choices[PART_KEY] + 1})" if PART_KEY in choices else "")
    about = {"name": name, "metadata": provenance(volume, place.resolve()) | choices, **placement(volume)}
    if _is_mask(place, volume):
        return [(volume.array, about, "labels")]
    array = volume.array.astype(volume.array.dtype.newbyteorder("="), copy=False)  # a big-endian texture cannot be drawn
    return [(array, {**about, "colormap": "gray", "contrast_limits": grey_limits(array)}, "image")]


def _read_asking(path: Path) -> "tuple[Volume, dict[str, Any]] | None":
    """Read a file, asking what only a person can say; returns the volume and what was chosen, None when asked in vain.

    Where nobody can be asked (a script, another thread) the error that names the choice is raised.
    """
    from cvrl_napari.gui.placement import PART_KEY, RESAMPLED_KEY
    from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError
    from cvrl_napari.volumes.reading import read

    try:
        return read(path), {}
    except (SeveralVolumesError, UnevenSlicesError) as error:
        if "qtpy" not in sys.modules:
            raise
        from cvrl_napari.gui import reading_questions

        if not reading_questions.can_ask():
            raise
        if isinstance(error, SeveralVolumesError):
            part = reading_questions.choose_part(error)
            return None if part is None else (read(path, part=part), {PART_KEY: part})
        return (read(path, resample=True), {RESAMPLED_KEY: True}) if reading_questions.agree_to_resample(error) else None


def _is_mask(path: Path, volume: "Volume") -> bool:
    """A mask says so in its name or its folder's, as label files do, and holds whole numbers."""
    named = MASK_NAME.search(scan_name(path)) is not None or path.parent.name.lower() in ("labels", "predictions")
    return named and volume.array.dtype.kind in "iu"


def _is_series(folder: Path) -> bool:
    from cvrl_napari.volumes.dicom_series import is_dicom

    files = (file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    try:
        return any(is_dicom(file) for file in islice(files, FILES_LOOKED_AT))
    except OSError:
        return False
