"""The pixels of slices as one array, several slices at a time."""

import os
import zlib
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from cvrl_napari.volumes.axis_order import Array
from cvrl_napari.volumes.checks import check_promise
from cvrl_napari.volumes.dicom_codecs import decode_frames
from cvrl_napari.volumes.dicom_header import read_deflated
from cvrl_napari.volumes.dicom_slice import Slice, Stored
from cvrl_napari.volumes.errors import VolumeError

THREADS = min(8, os.cpu_count() or 1)
_INTEGERS = (np.int16, np.uint16, np.int32)


def read_pixels(slices: Sequence[Slice], threads: int = THREADS) -> Array:
    """Read and rescale the pixels of slices of one size.

    Whole numbers stay integers if every slope and intercept is whole: in the type they are stored as, or in the smallest
    that holds them. Otherwise the grey values are float32. No more than twice the array's memory is taken.

    Returns
    -------
    array of shape (slices, rows, columns)

    Raises
    ------
    VolumeError
        If a file is cut off, damaged or promises more pixels than it can hold.
    """
    for stored in {id(one.stored): one.stored for one in slices}.values():
        check_promise(
            stored.file, stored.frames * stored.frame_bytes, stored.file.stat().st_size, compressed=_is_compressed(stored)
        )
    pixels = np.empty((len(slices), *slices[0].size), np.result_type(*{one.stored.dtype for one in slices}))
    packed = [index for index, one in enumerate(slices) if UID(one.stored.syntax).is_encapsulated]
    decode_frames([slices[index] for index in packed], [pixels[index] for index in packed], threads)
    plain = sorted({*range(len(slices))} - {*packed})

    def read(index: int) -> None:
        pixels[index] = _read_plain(slices[index])

    _each(read, plain, threads)
    return _rescaled(pixels, slices, threads)


def _is_compressed(stored: Stored) -> bool:
    return UID(stored.syntax).is_encapsulated or stored.syntax == DeflatedExplicitVRLittleEndian


def _each(function: Callable[[int], None], indices: Iterable[int], threads: int) -> None:
    if threads == 1:
        for index in indices:
            function(index)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(function, indices):
            pass  # raises what was raised


def _read_plain(one: Slice) -> Array:
    """Return the stored pixels (rows, columns) of a slice that is not compressed; all the work is done outside the GIL."""
    stored = one.stored
    start = stored.start + one.frame * stored.frame_bytes
    if stored.syntax == DeflatedExplicitVRLittleEndian:
        try:
            content = read_deflated(stored.file, start, stored.frame_bytes)
        except zlib.error:
            content = b""
    else:
        with stored.file.open("rb", buffering=0) as file:
            file.seek(start)
            content = file.read(stored.frame_bytes)
    if len(content) < stored.frame_bytes:
        raise VolumeError(f"{stored.file} has pixels that cannot be read: copy or export the series again.")
    dtype = stored.dtype.newbyteorder("<" if UID(stored.syntax).is_little_endian else ">")
    pixels: Array = np.frombuffer(content, dtype).reshape(one.size)
    above, unused = stored.bits_allocated - 1 - stored.high_bit, stored.bits_allocated - stored.bits_stored
    # Old files keep overlays in the bits that are not used.
    return (pixels.astype(stored.dtype) << above) >> unused if pixels.dtype.kind in "iu" and unused else pixels


def _rescaled(pixels: Array, slices: Sequence[Slice], threads: int) -> Array:
    factors = np.array([(one.slope, one.intercept) for one in slices])
    if (factors == (1.0, 0.0)).all():
        return pixels
    ends = np.empty((len(slices), 2), np.float64)  # the lowest and the highest grey value of each slice

    def look(index: int) -> None:
        slope, intercept = factors[index]
        ends[index] = np.array((pixels[index].min(), pixels[index].max()), np.float64) * slope + intercept

    _each(look, range(len(slices)), threads)
    target = _grey_type(pixels.dtype, ends, bool((factors == np.rint(factors)).all()))
    # Of the same width, they are written over what was stored.
    grey = pixels.view(target) if target.itemsize == pixels.dtype.itemsize else np.empty(pixels.shape, target)

    def rescale(index: int) -> None:
        slope, intercept = factors[index]
        if slope == 1 and target.kind in "iu":
            np.add(pixels[index], int(intercept), out=grey[index], dtype=np.int32, casting="unsafe")
        else:
            grey[index] = (pixels[index] * slope + intercept).astype(target)

    _each(rescale, range(len(slices)), threads)
    return grey


def _grey_type(stored: np.dtype[Any], ends: Array, is_whole: bool) -> np.dtype[Any]:
    if is_whole and stored.kind in "iu":
        lowest, highest = ends.min(), ends.max()
        for dtype in (stored, *map(np.dtype, _INTEGERS)):
            limits = np.iinfo(dtype)
            if limits.min <= lowest and highest <= limits.max:
                return dtype
    return np.dtype(np.float32)
