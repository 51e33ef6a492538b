"""The header of one DICOM file: what is needed of it, and where its pixels begin. No pixel is read, and no name of a person."""

import io
import os
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.errors import BytesLengthException
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

PIXEL_KEYWORDS = ("FloatPixelData", "DoubleFloatPixelData", "PixelData")
BAD_HEADER = (
    AttributeError, KeyError, IndexError, ValueError, TypeError, OverflowError, NotImplementedError, EOFError, RecursionError,
    BytesLengthException, struct.error, zlib.error,
)  # fmt: skip
"""What pydicom raises on damaged headers."""

_MARK_AT, _MARK = 128, b"DICM"
_PIXEL_TAGS = {Tag(keyword): keyword for keyword in PIXEL_KEYWORDS}
_UNDEFINED = 0xFFFFFFFF
_INFLATED_HEADER = 1 << 24  # bytes of a deflated file that may lie before its pixels


@dataclass(frozen=True, eq=False)
class Header:
    """What one file says of itself.

    Parameters
    ----------
    values
        The elements that were asked for, by keyword, as pydicom gives them.
    syntax
        How the file is encoded.
    pixel_keyword
        Which kind of pixels it holds, '' for none.
    pixels_at, pixels_bytes
        Where they begin and how many they are; -1 when their end is marked, as that of compressed frames is. In a deflated
        file they count from the beginning of what is deflated, once that is inflated.
    """

    values: dict[str, Any]
    syntax: UID
    pixel_keyword: str
    pixels_at: int
    pixels_bytes: int


def is_dicom(path: Path) -> bool:
    """Say whether a file carries the mark of DICOM, whatever its name is."""
    with path.open("rb") as file:
        return file.read(_MARK_AT + len(_MARK))[_MARK_AT:] == _MARK


def read_header(path: Path, keywords: Mapping[int, str], optional: Collection[str] = ()) -> Header:
    """Read the elements `keywords` (tag to keyword) of a file, as far as it has them.

    Parameters
    ----------
    optional
        Keywords of those that are left out when they are damaged.

    Raises
    ------
    BAD_HEADER
        If the file is damaged or no DICOM file; looking into a damaged sequence may raise them later as well.
    OSError
        If it cannot be read.
    """
    with _ClampedFile(path) as file:
        if file.read(_MARK_AT + len(_MARK))[_MARK_AT:] != _MARK:
            raise ValueError("the mark of DICOM is missing")
        syntax = _read_syntax(file)
        data: BinaryIO = file
        if syntax == DeflatedExplicitVRLittleEndian:
            data = io.BytesIO(zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), _INFLATED_HEADER))
        found: list[tuple[str, int, int]] = []

        def at_pixels(tag: BaseTag, _vr: str | None, length: int) -> bool:
            if tag in _PIXEL_TAGS:
                found.append((_PIXEL_TAGS[tag], data.tell(), -1 if length == _UNDEFINED else length))
            return tag in _PIXEL_TAGS

        dataset = read_dataset(
            data, syntax.is_implicit_VR, syntax.is_little_endian, stop_when=at_pixels, specific_tags=list(keywords)
        )
    return Header(_values(dataset, keywords, optional), syntax, *(found[-1] if found else ("", 0, 0)))


def _values(dataset: pydicom.Dataset, keywords: Mapping[int, str], optional: Collection[str]) -> dict[str, Any]:
    values = {}
    for tag in dataset.keys() & keywords.keys():
        keyword = keywords[tag]
        try:
            values[keyword] = dataset[tag].value
        except BAD_HEADER:
            if keyword not in optional:
                raise
    return values


def read_deflated(path: Path, start: int, count: int) -> bytes:
    """Return `count` bytes from `start` on of what a deflated file holds behind its first group; no more is inflated.

    Raises
    ------
    zlib.error, OSError
        If the file is damaged or cannot be read.
    """
    with _ClampedFile(path) as file:
        file.seek(_MARK_AT + len(_MARK))
        _read_syntax(file)
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(file.read(), start + count)[start:]


def _read_syntax(file: BinaryIO) -> UID:
    """Read the first group, which is encoded alike in all files, and stop behind it."""
    meta = read_dataset(file, False, True, stop_when=lambda tag, _vr, _length: tag.group != 2)
    syntax = UID(str(meta.get("TransferSyntaxUID") or ExplicitVRLittleEndian))
    if not syntax.is_transfer_syntax:
        raise ValueError("the encoding is not one of DICOM")
    return syntax


class _ClampedFile(io.BufferedReader):
    """A file that takes no memory for bytes it does not have: damaged headers ask for gigabytes."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path), 1 << 14)
        self._bytes = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(self._bytes - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))
