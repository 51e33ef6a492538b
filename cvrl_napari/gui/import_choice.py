"""What the values of label files made elsewhere become in this study: what is suggested, what is chosen. No Qt."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cvrl_napari.study.classes import StructureClass
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.volumes.naming import scan_name

IGNORED = 0
"""Stands for: this value is left out."""


@dataclass(frozen=True)
class ImportChoice:
    """What the person decided.

    Attributes
    ----------
    mapping : dict
        (number of the file, value in it) -> class id, 255 for painted background, `IGNORED`.
    new_classes : tuple of str
        Names of classes to be added first; their ids go on from those of the study.
    resample : bool
        Whether files on another grid are brought to the scan's.
    complete : bool
        Whether what is not painted then counts as background.
    """

    mapping: dict[tuple[int, int], int]
    new_classes: tuple[str, ...]
    resample: bool
    complete: bool


def suggest_class(
    path: Path, value: int, values: Sequence[int], names: Mapping[int, str], classes: Sequence[StructureClass], *, alone: bool
) -> int:
    """Suggest the class of a value, 255 for painted background, or `IGNORED` when nothing speaks for one.

    Parameters
    ----------
    path, values, names
        The file; its values other than 0; what it calls them, where it does.
    alone
        Whether it is the only file: several files are taken to hold a structure each, named after it.
    """
    ids = {_plain(one.name): one.id for one in classes}
    if value in names:
        return ids.get(_plain(names[value]), IGNORED)
    if len(values) == 1:
        in_name = [class_id for name, class_id in ids.items() if name in _plain(scan_name(path))]
        if len(in_name) == 1:
            return in_name[0]
        if len(classes) == 1 and alone:
            return classes[0].id
    if not alone:
        return IGNORED
    if value == BACKGROUND and len(values) > 1:
        return BACKGROUND  # as in the label files of this program
    return value if value in ids.values() else IGNORED


def _plain(name: str) -> str:
    """'Left_Atrium' and 'left atrium' are one name."""
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()
