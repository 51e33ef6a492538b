"""Write NRRD. ITK reads it well, but its writer takes a full disk for success when only the last kilobytes did not fit."""

import gzip
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.axis_order import Affine, Array

_TYPES = {
    "i1": "int8", "u1": "uint8", "i2": "int16", "u2": "uint16", "i4": "int32", "u4": "uint32", "i8": "int64", "u8": "uint64",
    "f4": "float", "f8": "double",
}  # fmt: skip


def write_nrrd(path: Path, array: Array, affine: Affine, fields: Mapping[str, str]) -> None:
    """Write voxels as a gzipped NRRD file; the same voxels give the same bytes.

    Parameters
    ----------
    array
        Voxels in file order (i, j, k).
    affine : array of shape (4, 4)
        Index (i, j, k, 1) to RAS mm; kept to the last bit.
    fields
        Further fields of the header, each on one line.

    Raises
    ------
    OSError
        If the disk is full or the file cannot be written.
    """
    lps = np.diag((-1.0, -1.0, 1.0, 1.0)) @ affine
    header = (
        "NRRD0004",
        f"type: {_TYPES[array.dtype.str[1:]]}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(map(str, array.shape))}",
        f"space directions: {' '.join(_vector(lps[:3, column]) for column in range(3))}",
        "kinds: domain domain domain",
        f"endian: {sys.byteorder}",
        "encoding: gzip",
        f"space origin: {_vector(lps[:3, 3])}",
        *(f"{key}:={value}".replace("\\", "\\\\") for key, value in fields.items()),
    )
    with path.open("wb") as file:
        file.write("\n".join((*header, "", "")).encode())
        with gzip.GzipFile("", "wb", 1, file, mtime=0) as stream:
            for slab in np.moveaxis(array, 2, 0):
                stream.write(slab.tobytes(order="F"))


def _vector(numbers: Array) -> str:
    # repr gives the shortest text that reads back as the same float64.
    return f"({','.join(repr(float(number)) for number in numbers)})"
