"""What every scan must be, whatever the format of its file: three axes, finite voxels, a place in space."""

import math
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.volume import is_affine

_LARGEST_DEFLATE_RATIO = 1032  # zlib cannot shrink more than this
_SLACK_BYTES = 1 << 16


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
        raise VolumeError(
            f"{path} is cut off or damaged (its header promises {promised:,} bytes of voxels, the file has {on_disk:,}):"
            " copy or export it again."
        )


def check_shape(path: Path, shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the three axes of a scan's shape; further axes of one voxel are dropped.

    Raises
    ------
    VolumeError
        If the image is flat, empty or has several volumes.
    """
    if len(shape) < 3 or min(shape) < 1:
        raise VolumeError(f"{path} is an image of {len(shape)} axes {shape}, not a 3D scan: choose the file of a whole scan.")
    volumes = math.prod(shape[3:])
    if volumes != 1:
        raise VolumeError(f"{path} holds {volumes} volumes (time points or channels): save one of them as a 3D file.")
    return shape[0], shape[1], shape[2]


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

    Raises
    ------
    VolumeError
        If a voxel is not a number or infinite.
    """
    if array.dtype.kind in "iu":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    with np.errstate(over="ignore"):  # told as values that are not finite
        values = array.astype(np.float32, copy=False)
    # Slab by slab along the slowest axis in memory: no boolean copy of a whole scan.
    slowest = int(np.argmax(values.strides))
    bad = sum(int(slab.size - np.isfinite(slab).sum()) for slab in np.moveaxis(values, slowest, 0))
    if bad:
        raise VolumeError(f"{path} has {bad:,} voxels that are not finite (NaN or infinite): replace them and save it again.")
    return values
