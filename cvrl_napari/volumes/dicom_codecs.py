"""Compressed DICOM frames, unpacked by child processes; `dicom_decoder` is the child's side and says why."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cvrl_napari.volumes.axis_order import Array
from cvrl_napari.volumes.dicom_slice import Slice
from cvrl_napari.volumes.errors import VolumeError

_DECODER = ("-m", "cvrl_napari.volumes.dicom_decoder")
_BYTES_A_CHILD = 16 << 20
"""A child takes half a second to start; a second one pays from about that many bytes of pixels on."""
_MOST_CHILDREN = 4
_START_SECONDS = 60.0
_FRAME_SECONDS = 4.0
_SECONDS_A_BYTE = 1e-6


def decode_frames(slices: Sequence[Slice], targets: Sequence[Array], threads: int) -> None:
    """Unpack the pixels of slices, each into its target (rows, columns), which is contiguous.

    Raises
    ------
    VolumeError
        If a frame cannot be unpacked, ends the decoder or keeps it for longer than it may take.
    """
    if not slices:
        return
    children = min(threads, _MOST_CHILDREN, 1 + sum(target.nbytes for target in targets) // _BYTES_A_CHILD, len(slices))
    bounds = [len(slices) * number // children for number in range(children + 1)]
    with ThreadPoolExecutor(children) as pool:
        for _ in pool.map(lambda start, end: _decode(slices[start:end], targets[start:end]), bounds, bounds[1:]):
            pass  # raises what was raised


def _decode(slices: Sequence[Slice], targets: Sequence[Array]) -> None:
    with tempfile.TemporaryDirectory(prefix="cvrl-frames-") as folder, _child(Path(folder)) as child:
        try:
            assert child.stdin is not None
            with child.stdin as stdin:
                stdin.write(json.dumps([_request(*pair) for pair in zip(slices, targets, strict=True)]).encode())
            if not _fill(child, memoryview(bytearray(1)), _START_SECONDS):
                raise VolumeError("The decoder of compressed DICOM pixels does not start: install this program again.")
            for one, target in zip(slices, targets, strict=True):
                seconds = _FRAME_SECONDS + target.nbytes * _SECONDS_A_BYTE
                if not _fill(child, memoryview(target.data).cast("B"), seconds):
                    raise VolumeError(f"{one.file} has pixels that cannot be read: copy or export the series again.")
        finally:
            child.kill()


def _child(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", *_DECODER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _request(one: Slice, target: Array) -> dict[str, object]:
    stored = one.stored
    return {
        "file": str(stored.file.resolve()),
        "start": stored.start,
        "frame": one.frame,
        "frames": stored.frames,
        "syntax": stored.syntax,
        "rows": stored.rows,
        "columns": stored.columns,
        "bits": (stored.bits_allocated, stored.bits_stored, stored.high_bit),
        "signed": stored.is_signed,
        "dtype": target.dtype.str,
    }


def _fill(child: subprocess.Popen[bytes], target: memoryview, seconds: float) -> bool:
    """Fill `target` from the child's output; False if the child ended or took too long, which ends it."""
    assert child.stdout is not None
    watchdog = threading.Timer(seconds, child.kill)
    watchdog.start()
    try:
        filled = 0
        while filled < len(target):
            count = child.stdout.readinto(target[filled:])  # type: ignore[attr-defined]
            if not count:
                return False
            filled += count
        return True
    finally:
        watchdog.cancel()
