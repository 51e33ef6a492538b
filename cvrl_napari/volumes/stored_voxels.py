"""Voxels as files store them: plain, zipped or as text, in the header's own file or beside it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from cvrl_napari.volumes.axis_order import Array
from cvrl_napari.volumes.checks import check_promise, choose_part, damaged
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.inflating import InflateError, inflate

Encoding = Literal["raw", "zipped", "text"]

_BYTES_AFTER = 1 << 24  # what may follow the voxels; more is a bomb or a header that is wrong
_LARGEST_SKIP = 1 << 28  # half a second of unzipping
_TEXT_BYTES = 1 << 16
_LONGEST_NUMBER = 64


@dataclass(frozen=True, eq=False)
class StoredVoxels:
    """Where a header says that its voxels are. Nothing is opened before `load`.

    Parameters
    ----------
    path
        The file of the header; named in errors.
    files
        What holds the voxels, one after another.
    dtype
        Type and byte order of a voxel.
    shape
        Voxels along the file's index axes (i, j, k), the first one fastest.
    offset
        Bytes before the voxels in each file, before it is unzipped.
    skip
        Bytes before the voxels in what is unzipped.
    channels
        Values that lie together at every voxel.
    volumes
        How many times all of that follows one another: time points.
    encoding
        'zipped' is gzip or zlib, 'text' is numbers with spaces between them.
    """

    path: Path
    files: tuple[Path, ...]
    dtype: np.dtype
    shape: tuple[int, int, int]
    offset: int = 0
    skip: int = 0
    channels: int = 1
    volumes: int = 1
    encoding: Encoding = "raw"

    @property
    def total_bytes(self) -> int:
        """Bytes of all voxels in memory."""
        return self._volume_bytes * self.volumes

    @property
    def _volume_bytes(self) -> int:
        return math.prod(self.shape) * self.channels * self.dtype.itemsize

    def load(self, part: int | None) -> Array:
        """Return one volume (i, j, k); a plain file is mapped into memory, read-only, where its voxels are aligned.

        Parameters
        ----------
        part
            Which channel or time point, counted from 0; may be None where there is one.

        Raises
        ------
        SeveralVolumesError, VolumeError
            If none of several was chosen, there is none of that number, or the file is cut off or damaged.
        OSError
            If a file cannot be opened.
        """
        volume, channel = divmod(choose_part(self.path, self.channels * self.volumes, part), self.channels)
        on_disk = sum(max(0, file.stat().st_size - self.offset) for file in self.files)
        for promised in (self.total_bytes, self.skip + self.total_bytes):
            check_promise(self.path, promised, on_disk, compressed=self.encoding != "raw")
        if self.encoding != "raw" and self.skip > _LARGEST_SKIP:
            raise damaged(self.path, f"its voxels cannot start at byte {self.skip:,}")
        if self.encoding == "raw" and len(self.files) == 1:
            return self._mapped(volume, channel)
        try:
            values = self._streamed(self._pieces(), self.skip + volume * self._volume_bytes)
        except VolumeError:
            raise
        except (InflateError, ValueError, OverflowError) as error:
            raise damaged(self.path, str(error)) from error
        voxels: Array = values.reshape((self.channels, *self.shape), order="F")[channel]
        return voxels if self.channels == 1 else voxels.copy(order="F")

    def _mapped(self, volume: int, channel: int) -> Array:
        start = self.offset + self.skip + volume * self._volume_bytes
        voxels = np.memmap(self.files[0], self.dtype, "r", start, (self.channels, *self.shape), order="F")[channel]
        return voxels if self.channels == 1 and voxels.flags.aligned else np.array(voxels, order="F")

    def _streamed(self, pieces: Iterator[bytes], start: int) -> Array:
        """Return one volume of all channels, from byte `start` of a stream that is followed to its end, checksum and all."""
        # It grows with what truly comes: a header that lies takes no memory.
        voxels, position, end = bytearray(), 0, start + self._volume_bytes
        for piece in pieces:
            if position < end and position + len(piece) > start:
                voxels += memoryview(piece)[max(0, start - position) : end - position]
            position += len(piece)
            if position > self.skip + self.total_bytes + _BYTES_AFTER:
                raise damaged(self.path, "it goes on long after its last voxel")
        if position < end:
            raise InflateError(f"{position:,} bytes of {end:,}")
        return np.frombuffer(voxels, self.dtype)

    def _pieces(self) -> Iterator[bytes]:
        for path in self.files:
            with path.open("rb") as file:
                file.seek(self.offset)
                if self.encoding == "zipped":
                    yield from inflate(file)
                elif self.encoding == "text":
                    yield from _numbers(file, self.dtype)
                else:
                    left = self.total_bytes // len(self.files)
                    while left and (piece := file.read(min(left, 1 << 20))):
                        left -= len(piece)
                        yield piece


def _numbers(file: BinaryIO, dtype: np.dtype) -> Iterator[bytes]:
    """Yield the bytes of numbers written as text, a piece at a time."""
    read = float if dtype.kind == "f" else int
    rest = b""
    while text := file.read(_TEXT_BYTES):
        # The last number may go on in the next piece.
        whole, _, rest = (rest + text).replace(b"\n", b" ").rpartition(b" ")
        if len(rest) > _LONGEST_NUMBER:
            raise ValueError("its text holds no numbers")
        yield np.array([read(number) for number in whole.split()], dtype).tobytes()
    yield np.array([read(number) for number in rest.split()], dtype).tobytes()
