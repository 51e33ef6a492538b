"""What a person decided the values of label files made elsewhere to become in this study. No Qt."""

from dataclasses import dataclass

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
