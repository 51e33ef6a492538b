"""The .mat file that SPM99 and SPM2 put beside an ANALYZE image to say where it lies: MATLAB's oldest format (level 4).

SciPy reads such files too, but takes whatever memory a damaged one asks for.
"""

import struct
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.axis_order import Affine
from cvrl_napari.volumes.errors import VolumeError

_HEADER = struct.Struct("<5i")  # type, rows, columns, whether complex, length of the name
_BIG_ENDIAN = 1000  # added to the type
_MATRIX = 4 * 4 * 8
_LARGEST = 1 << 16


def read_spm_affine(path: Path) -> Affine:
    """Return SPM's affine: index (i, j, k, 1), counted from 0, to RAS mm.

    Of its two matrices `mat` counts, which knows left from right; `M` alone has left and right exchanged.

    Raises
    ------
    VolumeError
        If the file is no such file.
    OSError
        If it cannot be opened.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST)
    matrices: dict[str, Affine] = {}
    while len(content) >= _HEADER.size:
        kind, *sizes = _HEADER.unpack_from(content)
        order = "<"
        if not 0 <= kind < _BIG_ENDIAN:
            kind, *sizes = struct.unpack_from(">5i", content)
            order = ">"
        name_end = _HEADER.size + sizes[3]
        if kind % _BIG_ENDIAN or sizes[:3] != [4, 4, 0] or not 0 < sizes[3] <= 64 or len(content) < name_end + _MATRIX:
            break
        name = content[_HEADER.size : name_end].rstrip(b"\0").decode("ascii", "replace")
        matrices[name] = np.frombuffer(content, order + "f8", 16, name_end).reshape((4, 4), order="F").astype(np.float64)
        content = content[name_end + _MATRIX :]
    if "mat" in matrices:
        affine = matrices["mat"]
    elif "M" in matrices:
        affine = np.diag((-1.0, 1.0, 1.0, 1.0)) @ matrices["M"]
    else:
        raise VolumeError(f"{path} should say where the scan beside it lies and is no SPM file: copy it again or move it away.")
    affine[:3, 3] += affine[:3, :3].sum(axis=1)  # MATLAB counts from 1
    return affine
