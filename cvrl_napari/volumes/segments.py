"""What a label value stands for, as files of masks keep it."""

from typing import NamedTuple


class Segment(NamedTuple):
    """A structure in a mask: the value of its voxels (1 to 254), its name, its color as '#rrggbb'."""

    value: int
    name: str
    color: str
