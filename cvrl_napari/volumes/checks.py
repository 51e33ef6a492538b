"""What every scan must be, whatever the format of its file: three axes, finite voxels, a place in space."""

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.volume import is_affine

_LARGEST_DEFLATE_RATIO = 1032  # zlib cannot shrink more than this
_SLACK_BYTES = 1 << 16


def damaged(path: Path, what: str) -> VolumeError:
    """Return the error for a file that is not as its format says; `what` is a few words in brackets."""
    return VolumeError(f"{path} is cut off or damaged ({what}): copy or export it again.")


def check_promise(path: Path, promised: int, on_disk: int, *, compressed: bool) -> None:
    """Refuse a header that promises more voxels than its file can hold, before memory is taken for them.

    Parameters
    ----------
    path
        Named in the error.
    promised, on_disk
        Bytes of voxels by the header; bytes of the file.
    compressed
        Whether the file may be smaller than its voxels.

    Raises
    ------
    VolumeError
        If the file is cut off or its header damaged.
    """
    if promised > (on_disk * _LARGEST_DEFLATE_RATIO + _SLACK_BYTES if compressed else on_disk):
        raise damaged(path, f"its header promises {promised:,} bytes of voxels, the file has {on_disk:,}")


def check_shape(path: Path, shape: tuple[int, ...]) -> tuple[tuple[int, int, int], int]:
    """Return the three axes of a scan's shape, and how many volumes the further axes make.

    Raises
    ------
    VolumeError
        If the image is empty, has less than three axes, or one voxel along two of them: values on a surface or over time.
    """
    sizes = tuple(int(size) for size in shape)
    if sizes and min(sizes) < 1:
        raise damaged(path, f"its header promises {' x '.join(map(str, sizes))} voxels")
    if len(sizes) < 3:
        raise VolumeError(f"{path} is a flat image of {len(sizes)} axes, not a 3D scan: choose the file of a whole scan.")
    i, j, k = sizes[:3]
    thin = (i, j, k).count(1)
    if thin > 1:
        raise VolumeError(
            f"{path} has one voxel along {thin} of its axes ({i} x {j} x {k}), so it is a time series or holds values on a"
            " surface: choose a 3D scan."
        )
    return (i, j, k), math.prod(sizes[3:])


def choose_part(path: Path, count: int, part: int | None) -> int:
    """Return which of a file's volumes to load, counted from 0.

    Raises
    ------
    SeveralVolumesError
        If there are several and none was chosen.
    VolumeError
        If there is none of that number.
    """
    if part is None:
        if count > 1:
            raise SeveralVolumesError(path, count)
        return 0
    if not 0 <= part < count:
        raise VolumeError(f"{path} has no volume number {part} ({count} of them, counted from 0): choose another.")
    return part


def check_affine(path: Path, affine: Affine) -> Affine:
    """Return an affine that places voxels in space.

    Raises
    ------
    VolumeError
        If it does not: a spacing of zero, parallel axes, numbers that are not finite.
    """
    if not is_affine(affine):
        raise VolumeError(f"{path} does not say where its voxels lie (its spacing or axes are zero): export the scan again.")
    return affine


def finite_float32(path: Path, array: Array) -> Array:
    """Return integers as they are, in the machine's byte order, and any other numbers as finite float32.

    The voxels of native integers are not looked at, so that a mapped file stays on disk.

    Raises
    ------
    VolumeError
        If a voxel is not a number or infinite.
    """
    if array.dtype.kind in "iu":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore"):  # told as values that are not finite
        values = array.astype(np.float32, copy=False)
    bad = sum(int(slab.size - np.isfinite(slab).sum()) for slab in _slabs(values))
    if bad:
        raise VolumeError(f"{path} has {bad:,} voxels that are not finite (NaN or infinite): replace them and save it again.")
    return values


def scaled(array: Array, slope: float, inter: float) -> Array:
    """Return slope * array + inter as float32; the array itself where that changes nothing.

    Computed in float64 and slab by slab, so that large integers are not rounded first and memory is taken for the
    result alone.
    """
    if (slope, inter) == (1.0, 0.0):
        return array
    values = np.empty_like(array, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # told as values that are not finite
        for source, target in zip(_slabs(array), _slabs(values), strict=True):
            target[...] = source.astype(np.float64) * slope + inter
    return values


def _slabs(array: Array) -> Iterator[Array]:
    """Yield views along the axis that is slowest in memory: no copy of a whole scan is made for a check."""
    slowest = int(np.argmax(np.abs(array.strides)))
    yield from np.moveaxis(array, slowest, 0)
