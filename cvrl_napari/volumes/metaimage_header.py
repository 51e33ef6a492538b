"""The text at the start of a MetaImage file, or of the .mhd beside its voxels."""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cvrl_napari.volumes.axis_order import Affine
from cvrl_napari.volumes.checks import damaged
from cvrl_napari.volumes.errors import VolumeError

_LARGEST_HEADER = 1 << 23  # a segmentation's holds some lines for each of hundreds of segments
_MOST_AXES = 9
_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4", "MET_DOUBLE": "f8",
}  # fmt: skip


@dataclass(frozen=True)
class MetaHeader:
    """The fields of a header, and the lines after `ElementDataFile = LIST`."""

    path: Path
    fields: dict[str, str]
    listed: tuple[str, ...] = ()

    def flag(self, name: str, default: str = "False") -> bool:
        """Return a field that is True or False."""
        return self.fields.get(name, default)[:1] in ("T", "t", "1")

    def number(self, name: str, default: int) -> int:
        """Return a field that is one whole number.

        Raises
        ------
        VolumeError
            If it is anything else.
        """
        numbers = self._floats(name)
        if not numbers:
            return default
        if len(numbers) != 1 or not numbers[0].is_integer() or abs(numbers[0]) >= 2**53:
            raise self._invalid(name)
        return int(numbers[0])

    @property
    def sizes(self) -> tuple[int, ...]:
        """Voxels along each axis, the fastest first."""
        sizes = self._floats("DimSize")
        axes = self.number("NDims", 0)
        if not 0 < axes == len(sizes) <= _MOST_AXES or not all(size.is_integer() and 1 <= size < 2**53 for size in sizes):
            raise self._invalid("DimSize")
        return tuple(int(size) for size in sizes)

    @property
    def dtype(self) -> np.dtype:
        """Type and byte order of a voxel."""
        code = _TYPES.get(self.fields.get("ElementType", ""))
        if code is None:
            raise damaged(self.path, "its voxels are of no known type")
        is_big = self.flag("BinaryDataByteOrderMSB") or self.flag("ElementByteOrderMSB")
        return np.dtype((">" if is_big else "<") + code)

    def affine(self) -> Affine:
        """Return the affine from (i, j, k, 1) to RAS mm.

        Raises
        ------
        VolumeError
            If directions, spacing or origin are no numbers, or not as many as there are axes.
        """
        axes = len(self.sizes)
        spacing = self._first_of(("ElementSpacing", "ElementSize"), axes, np.ones(axes))
        origin = self._first_of(("Offset", "Position", "Origin"), axes, np.zeros(axes))
        # A row is the direction of an axis.
        turn = self._first_of(("TransformMatrix", "Rotation", "Orientation"), axes * axes, np.eye(axes)).reshape(axes, axes)
        affine = np.eye(4)
        affine[:3, :3] = turn[:3, :3].T * spacing[:3]
        affine[:3, 3] = origin[:3]
        affine[:2] *= -1  # from LPS to RAS
        return affine

    def _first_of(self, names: tuple[str, ...], count: int, default: np.ndarray) -> np.ndarray:
        name = next((name for name in names if name in self.fields), None)
        if name is None:
            return default
        numbers = self._floats(name)
        if len(numbers) != count:
            raise self._invalid(name)
        return np.array(numbers)

    def _floats(self, name: str) -> list[float]:
        try:
            return [float(word) for word in self.fields.get(name, "").split()]
        except ValueError as error:
            raise self._invalid(name) from error

    def _invalid(self, name: str) -> VolumeError:
        return damaged(self.path, f"its header has no valid {name!r}")


def read_meta_header(path: Path, file: BinaryIO) -> MetaHeader:
    """Read the header, which ends with the field that says where the voxels are; `file` then stands behind it.

    Raises
    ------
    VolumeError
        If it is no MetaImage header, or has a field twice.
    """
    fields: dict[str, str] = {}
    left = _LARGEST_HEADER
    while "ElementDataFile" not in fields:
        line = file.readline(left)
        left -= len(line)
        text = line.decode("utf-8", "replace").strip()
        if line and not text:
            continue
        name, sign, value = text.partition("=" if "=" in text else ":")
        name = name.strip()
        if not sign or left <= 0:
            raise VolumeError(f"{path} is cut off, damaged or no MHA file: copy or export it again.")
        if name in fields:
            raise damaged(path, f"its header has {name!r:.100} twice")
        fields[name] = value.strip()
    listed = []
    if fields["ElementDataFile"].upper().startswith("LIST"):
        while (line := file.readline(left)) and left > 0:
            left -= len(line)
            listed.append(line.decode("utf-8", "replace").strip())
    return MetaHeader(path, fields, tuple(filter(None, listed)))
