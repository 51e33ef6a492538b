"""One slice of a DICOM series: where it lies, where its pixels are, what they mean."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Stored:
    """How the pixels of one file lie in it; `start` and `count` are those of `Header`."""

    file: Path
    syntax: str
    keyword: str
    start: int
    count: int
    frames: int
    rows: int
    columns: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of a stored pixel, in the machine's byte order."""
        if self.keyword != "PixelData":
            return np.dtype(np.float32 if self.keyword == "FloatPixelData" else np.float64)
        return np.dtype(f"{'i' if self.is_signed else 'u'}{self.bits_allocated // 8}")

    @property
    def frame_bytes(self) -> int:
        """Bytes of one frame when it is not compressed."""
        return self.rows * self.columns * self.dtype.itemsize


@dataclass(frozen=True)
class About:
    """What a series says of itself. Nothing of a person is in it, except what somebody typed into the description."""

    study: str
    series: str
    modality: str
    number: int | None
    description: str
    image_type: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Slice:
    """One frame of one file. Vectors are DICOM's: mm, towards Left, Posterior, Superior.

    Parameters
    ----------
    stored, frame
        Where its pixels are.
    about
        The series it belongs to.
    instance
        The file's own identifier, the same for a copy under another name.
    number
        The number a viewer shows for it; a frame's counts from 1.
    order
        Sorts the images that share a position: temporal position, acquisition, trigger, echo, b-value, number.
    position : array of shape (3,)
        Centre of the first pixel.
    column_step, row_step : array of shape (3,)
        From a pixel to the next one in its row, and to the same one in the next row.
    thickness
        Distance to the next slice as far as the header knows it, mm.
    slope, intercept
        A stored pixel times `slope` plus `intercept` is its grey value; greys that are stored upside down are turned by it.
    is_turned
        Whether they were.
    """

    stored: Stored
    frame: int
    about: About
    instance: str
    number: int | None
    order: tuple[float, ...]
    position: Vector
    column_step: Vector
    row_step: Vector
    thickness: float | None
    slope: float
    intercept: float
    is_turned: bool = False

    @property
    def file(self) -> Path:
        """The file it is in."""
        return self.stored.file

    @property
    def series(self) -> str:
        """Identifier of its series."""
        return self.about.series

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.stored.rows, self.stored.columns

    @property
    def normal(self) -> Vector:
        """Unit vector across the slice."""
        normal: Vector = np.cross(self.column_step, self.row_step)
        return normal / np.linalg.norm(normal)

    @property
    def name(self) -> str:
        """What a person finds it by: 'image 12', or the file's name when it has no number."""
        return self.file.name if self.number is None else f"image {self.number}"

    def fits(self, other: "Slice") -> bool:
        """Say whether both are of one series, one size and parallel; a series may bring its scouts along."""
        return (
            (self.series, self.size) == (other.series, other.size)
            and bool((abs(self.column_step - other.column_step) < 1e-3).all())
            and bool((abs(self.row_step - other.row_step) < 1e-3).all())
        )
