"""Scans and masks as napari layers, where they lie in space. No Qt, no torch; the file libraries come when a file is read."""

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cvrl_napari.volumes.naming import DICOM_SUFFIXES, SUFFIXES, format_suffix, scan_name

if TYPE_CHECKING:
    from cvrl_napari.volumes.volume import Volume

LayerData = tuple[Any, dict[str, Any], str]
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
    from cvrl_napari.gui.placement import SOURCE_KEY, placement
    from cvrl_napari.volumes.reading import read

    place = Path(path)
    volume = read(place)
    about = {"name": scan_name(place), "metadata": {SOURCE_KEY: str(place.resolve())}, **placement(volume)}
    if _is_mask(place, volume):
        return [(volume.array, about, "labels")]
    return [(volume.array, {**about, "colormap": "gray"}, "image")]


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
