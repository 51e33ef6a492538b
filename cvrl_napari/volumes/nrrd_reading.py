"""Read NRRD, attached (.nrrd) and detached (.nhdr). Its text decides what memory is taken, so it is not left to ITK."""

import math
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cvrl_napari.volumes.checks import check_affine, check_shape, damaged, finite_float32
from cvrl_napari.volumes.detached import beside, named, numbered
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.nrrd_header import NrrdHeader, read_nrrd_header
from cvrl_napari.volumes.stored_voxels import Encoding, StoredVoxels
from cvrl_napari.volumes.volume import Source, Volume, from_file_order

_TYPES = {
    name: code
    for code, names in {
        "i1": "signed char|int8|int8_t",
        "u1": "uchar|unsigned char|uint8|uint8_t",
        "i2": "short|short int|signed short|signed short int|int16|int16_t",
        "u2": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
        "i4": "int|signed int|int32|int32_t",
        "u4": "uint|unsigned int|uint32|uint32_t",
        "i8": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
        "u8": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
        "f4": "float",
        "f8": "double",
    }.items()
    for name in names.split("|")
}
_ENCODINGS: dict[str, Encoding] = {
    "raw": "raw", "gz": "zipped", "gzip": "zipped", "txt": "text", "text": "text", "ascii": "text",
}  # fmt: skip


def read_nrrd(path: Path, part: int | None = None) -> Volume:
    """Read a .nrrd or .nhdr file, of any of its spaces; plain voxels stay on disk and are mapped into memory.

    Parameters
    ----------
    path
        The file with the header.
    part
        Which channel or time point of several, counted from 0.

    Raises
    ------
    SeveralVolumesError
        If it has several channels or time points and none was chosen.
    VolumeError
        If it is of another format, is cut off or damaged, holds no grey values, is no three-dimensional scan, has no
        place in space, or names files outside its own folder.
    """
    with path.open("rb") as file:
        header = read_nrrd_header(path, file)
        sizes, axes = header.sizes, header.space_axes()
        shape, _ = check_shape(path, tuple(sizes[axis] for axis in axes))
        affine, notice = header.affine()
        check_affine(path, affine)
        channels, volumes = math.prod(sizes[: axes[0]]), math.prod(sizes[axes[-1] + 1 :])
        stored = _stored(header, file, shape, channels, volumes)
    return from_file_order(finite_float32(path, stored.load(part)), Source(path, "nrrd", shape, affine), notice)


def _stored(header: NrrdHeader, attached: BinaryIO, shape: tuple[int, int, int], channels: int, volumes: int) -> StoredVoxels:
    fields, path = header.fields, header.path
    encoding = _ENCODINGS.get(fields.get("encoding", "").lower())
    if encoding is None:
        raise VolumeError(f"{path} has its voxels in an encoding this program does not know: save it as raw or gzip.")
    dtype = np.dtype(_dtype(header, is_text=encoding == "text"))
    files = _files(header)
    total = math.prod(shape) * channels * volumes * dtype.itemsize
    lines, skip = _skip(header, "line skip"), _skip(header, "byte skip", -1)
    start = attached.tell() if files is None else 0
    files = files or [path]
    if lines:
        start = _after_lines(files[0], start, lines)
    if skip == -1:  # the voxels are what the file ends with
        if encoding != "raw" or len(files) > 1:
            raise damaged(path, "a byte skip of -1 is for raw voxels in one file")
        start, skip = max(start, files[0].stat().st_size - total), 0
    elif encoding == "raw":
        start, skip = start + skip, 0
    return StoredVoxels(path, tuple(files), dtype, shape, start, skip, channels, volumes, encoding)


def _dtype(header: NrrdHeader, *, is_text: bool) -> str:
    code = _TYPES.get(" ".join(header.fields.get("type", "").lower().split()))
    if code is None:
        raise damaged(header.path, "its voxels are of no known type")
    order = {"little": "<", "big": ">"}.get(header.fields.get("endian", "").lower())
    if order is None:
        if code[1] != "1" and not is_text:
            raise damaged(header.path, "its header does not say in which order the bytes are")
        order = "="
    return order + code


def _files(header: NrrdHeader) -> list[Path] | None:
    name = header.fields.get("data file")
    if name is None:
        return None
    words = name.split()
    if words and words[0].upper() == "LIST":
        return named(header.path, header.listed)
    if len(words) >= 4 and "%" in words[0]:
        try:
            first, last, step = (int(word) for word in words[1:4])
        except ValueError as error:
            raise damaged(header.path, "the pattern of its files has no numbers") from error
        return numbered(header.path, words[0], first, last, step)
    return [beside(header.path, name)]


def _skip(header: NrrdHeader, name: str, least: int = 0) -> int:
    if name not in header.fields:
        return 0
    numbers = header.numbers(name)
    if len(numbers) != 1 or not least <= numbers[0] < 2**62:
        raise damaged(header.path, f"its header has no valid {name!r}")
    return numbers[0]


def _after_lines(path: Path, start: int, lines: int) -> int:
    with path.open("rb") as file:
        file.seek(start)
        while lines and (line := file.readline(1 << 16)):
            lines -= line.endswith(b"\n")
        return file.tell()
