"""Unzip piece by piece, so that memory and time are bounded whatever a file claims to hold."""

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

_engine: Any
try:  # three times as fast; there is no wheel for Windows on ARM
    from isal import isal_zlib as _engine
except ImportError:
    _engine = zlib

_ERRORS: tuple[type[Exception], ...] = (zlib.error, _engine.error)

GZIP_MAGIC = b"\x1f\x8b"
_GZIP, _ZLIB = 31, 15  # zlib's window bits for either wrapping
_BYTES_IN, _BYTES_OUT = 1 << 16, 1 << 20


class InflateError(Exception):
    """Zipped data is damaged or ends too early."""


def inflate(file: BinaryIO) -> Iterator[bytes]:
    """Yield what a gzip or zlib stream holds, at most 1 MiB at a time, from where `file` stands.

    A gzip stream may consist of several members, as bgzip and pigz write them. The checksums are compared at the end.

    Raises
    ------
    InflateError
        If it is damaged or cut off.
    """
    pending = file.read(_BYTES_IN)
    kind = _GZIP if pending[:2] == GZIP_MAGIC else _ZLIB
    while True:
        stream = _engine.decompressobj(kind)
        while not stream.eof:
            if not pending:
                pending = file.read(_BYTES_IN)
            try:
                piece = stream.decompress(pending, _BYTES_OUT)
            except _ERRORS as error:
                raise InflateError(str(error)) from error
            if piece:
                yield piece
            elif not stream.eof and len(stream.unconsumed_tail) == len(pending):
                raise InflateError("the zipped data ends too early")
            pending = stream.unconsumed_tail
        pending = stream.unused_data.lstrip(b"\0")
        if len(pending) < len(GZIP_MAGIC):
            pending += file.read(_BYTES_IN)
        if kind != _GZIP or not pending.startswith(GZIP_MAGIC):
            return
