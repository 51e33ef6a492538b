"""The text at the start of a NRRD file, or of the .nhdr beside its voxels, and what it says of axes and place."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cvrl_napari.volumes.axis_order import Affine
from cvrl_napari.volumes.checks import damaged
from cvrl_napari.volumes.errors import VolumeError

_LARGEST_HEADER = 1 << 23  # a segmentation's holds some lines for each of hundreds of segments
_MOST_AXES = 16
_TO_RAS = {
    "right-anterior-superior": (1, 1, 1), "ras": (1, 1, 1),
    "left-anterior-superior": (-1, 1, 1), "las": (-1, 1, 1),
    "left-posterior-superior": (-1, -1, 1), "lps": (-1, -1, 1),
}  # fmt: skip
_SPACE_AXES = {"domain", "space"}
_NO_GREY_VALUES = {
    **dict.fromkeys(("rgb-color", "rgba-color", "hsv-color", "xyz-color", "3-color", "4-color"), "colors"),
    "complex": "complex numbers",
    "quaternion": "rotations",
}


@dataclass(frozen=True)
class NrrdHeader:
    """The fields of a header, names in small letters, and the lines after `data file: LIST`."""

    path: Path
    fields: dict[str, str]
    listed: tuple[str, ...] = ()

    def numbers(self, name: str) -> list[int]:
        """Return the whole numbers of a field.

        Raises
        ------
        VolumeError
            If the field is missing or holds anything else.
        """
        try:
            return [int(word) for word in self.fields[name].split()]
        except (KeyError, ValueError) as error:
            raise damaged(self.path, f"its header has no valid {name!r}") from error

    def vectors(self, name: str) -> list[tuple[float, ...] | None] | None:
        """Return the vectors of a field, None for 'none'; None where there is no such field.

        Raises
        ------
        VolumeError
            If the field holds anything else.
        """
        if name not in self.fields:
            return None
        words = re.findall(r"\([^()]*\)|\S+", self.fields[name])
        try:
            return [
                None if word.lower() == "none" else tuple(float(number) for number in word.strip("()").split(","))
                for word in words
            ]
        except ValueError as error:
            raise damaged(self.path, f"its header has no valid {name!r}") from error

    @property
    def sizes(self) -> list[int]:
        """Number of values along each axis, the fastest first."""
        sizes = self.numbers("sizes")
        if not 0 < len(sizes) <= _MOST_AXES or self.numbers("dimension") != [len(sizes)] or min(sizes) < 1:
            raise damaged(self.path, "its header has no valid 'sizes'")
        return sizes

    def space_axes(self) -> list[int]:
        """Return which axes run through space: at most three, one after another.

        Raises
        ------
        VolumeError
            If the other axes are colors, complex numbers or matrices, or lie between those of space.
        """
        sizes = self.sizes
        kinds = self._per_axis("kinds", self.fields.get("kinds", "").lower().split())
        directions = self._per_axis("space directions", self.vectors("space directions") or [])
        if any(directions):
            axes = [axis for axis, vector in enumerate(directions) if vector is not None]
        elif any(kind in _SPACE_AXES for kind in kinds):
            axes = [axis for axis, kind in enumerate(kinds) if kind in _SPACE_AXES]
        else:
            axes = list(range(len(sizes)))
        axes = axes[:3]
        for axis, kind in enumerate(kinds):
            if axis in axes or kind is None:
                continue
            reason = "tensors" if "matrix" in kind else _NO_GREY_VALUES.get(kind)
            if kind == "vector" and self.fields.get("type", "").lower() in _BYTE and sizes[axis] in (3, 4):
                reason = "colors"
            if reason:
                raise VolumeError(f"{self.path} holds {reason}, not grey values: export it as one grey value a voxel.")
        if axes != list(range(axes[0], axes[0] + len(axes))):
            raise VolumeError(f"{self.path} has its channels between its axes of space: save it with them first or last.")
        return axes

    def affine(self) -> tuple[Affine, str]:
        """Return the affine from (i, j, k, 1) to RAS mm, and a notice if the header does not say which way is left.

        Raises
        ------
        VolumeError
            If directions, spacings or origin are no numbers.
        """
        axes = self.space_axes()
        space = re.sub(r"-time$", "", self.fields.get("space", "").lower())
        space = space[:3] if space in ("rast", "last", "lpst") else space
        affine = np.eye(4)
        directions = self._per_axis("space directions", self.vectors("space directions") or [])
        origin = (self.vectors("space origin") or [None])[0]
        if any(directions):
            columns = [np.array(directions[axis], dtype=np.float64)[:3] for axis in axes]
            if any(column.size != 3 for column in columns):
                raise VolumeError(f"{self.path} is not an image in three dimensions of space: choose a 3D scan.")
            affine[:3, :3] = np.transpose(columns)
        else:
            spacings = self._per_axis("spacings", self._floats("spacings"))
            steps = np.array([spacings[axis] or 1.0 for axis in axes])
            affine[:3, :3] = np.diag(steps)
            mins = self._per_axis("axis mins", self._floats("axis mins"))
            if origin is None and all(mins[axis] is not None for axis in axes):
                is_node = "node" in self.fields.get("centerings", self.fields.get("centers", "")).lower()
                affine[:3, 3] = np.array([mins[axis] for axis in axes]) + (0 if is_node else steps / 2)
        if origin is not None:
            affine[:3, 3] = np.array([*origin, 0, 0, 0])[:3]
        # Without a known space ITK takes the numbers as they are, which are then DICOM's.
        signs = _TO_RAS.get(space, _TO_RAS["lps"])
        notice = ""
        if space not in _TO_RAS:
            notice = f"{self.path.name} does not say which way is left: it was taken to run to left, posterior and superior."
        affine[:3] *= np.reshape(signs, (3, 1))
        return affine, notice

    def _floats(self, name: str) -> list[float | None]:
        try:
            numbers = [float(word) for word in self.fields.get(name, "").split()]
        except ValueError as error:
            raise damaged(self.path, f"its header has no valid {name!r}") from error
        return [None if np.isnan(number) else number for number in numbers]

    def _per_axis(self, name: str, values: list[Any]) -> list[Any]:
        if values and len(values) != len(self.sizes):
            raise damaged(self.path, f"its header has {len(values)} {name!r} for {len(self.sizes)} axes")
        return values or [None] * len(self.sizes)


_BYTE = {"uchar", "unsigned char", "uint8", "uint8_t"}


def read_nrrd_header(path: Path, file: BinaryIO) -> NrrdHeader:
    """Read the header; `file` then stands at the voxels.

    Raises
    ------
    VolumeError
        If it is no NRRD header, or has a field twice.
    """
    if not re.fullmatch(rb"NRRD000[1-9]\r?\n", file.readline(16)):
        raise VolumeError(f"{path} is cut off, damaged or no NRRD file: copy or export it again.")
    fields: dict[str, str] = {}
    listed: list[str] = []
    left = _LARGEST_HEADER
    while line := file.readline(left):
        left -= len(line)
        if left <= 0:
            raise damaged(path, "its header has no end")
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            break
        if fields.get("data file", "").upper().startswith("LIST"):
            listed.append(text.strip())
            continue
        name, colon, value = text.partition(":")
        if text[0] == "#" or not colon or value[:1] == "=":  # a comment, or a key of somebody's own
            continue
        name = {"datafile": "data file", "lineskip": "line skip", "byteskip": "byte skip"}.get(name.lower(), name.lower())
        if name in fields:
            raise damaged(path, f"its header has {name!r:.100} twice")
        fields[name] = value.strip()
    return NrrdHeader(path, fields, tuple(listed))
