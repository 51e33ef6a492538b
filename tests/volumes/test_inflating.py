import gzip
import io
import zlib

import numpy as np
import pytest

from cvrl_napari.volumes.inflating import InflateError, inflate

CONTENT = np.random.default_rng(0).integers(0, 9, 300_000).astype(np.uint8).tobytes() + bytes(5_000_000)


def inflated(content: bytes) -> bytes:
    pieces = list(inflate(io.BytesIO(content)))
    assert max(map(len, pieces), default=0) <= 1 << 20
    return b"".join(pieces)


def test_gzip_and_zlib():
    assert inflated(gzip.compress(CONTENT)) == CONTENT
    assert inflated(zlib.compress(CONTENT)) == CONTENT


@pytest.mark.parametrize("size", [1, 1000, 65_279, 65_280, 200_000])
def test_members_one_after_another_as_bgzip_writes_them(size):
    members = b"".join(gzip.compress(CONTENT[at : at + size], 1) for at in range(0, 20 * size, size)) + gzip.compress(b"")
    assert inflated(members) == CONTENT[: 20 * size]


@pytest.mark.parametrize("after", [bytes(100), b"more", b"\x1f"])
def test_what_follows_the_last_member_is_no_matter(after):
    assert inflated(gzip.compress(CONTENT) + after) == CONTENT


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_stream_that_is_cut_off(pack, share):
    content = pack(CONTENT)
    with pytest.raises(InflateError):
        inflated(content[: int(share * len(content))])


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_a_flipped_bit_is_seen_by_the_checksum(pack):
    content = bytearray(pack(CONTENT[:1000], 0))  # stored as it is
    content[500] ^= 1
    with pytest.raises(InflateError):
        inflated(bytes(content))
