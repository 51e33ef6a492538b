import gzip

import numpy as np
import pytest

from cvrl_napari.volumes.errors import SeveralVolumesError, VolumeError
from cvrl_napari.volumes.stored_voxels import StoredVoxels

SHAPE = (4, 3, 5)


@pytest.fixture
def voxels() -> np.ndarray:
    """(channels, i, j, k, volumes)"""
    return np.random.default_rng(0).integers(-999, 999, (2, *SHAPE, 3)).astype("<i2")


@pytest.fixture
def store(tmp_path, voxels):
    def save(array=voxels, encoding="raw", before=b"", **more) -> StoredVoxels:
        path = tmp_path / "voxels"
        content = before + array.tobytes(order="F")
        if encoding == "text":
            content = b" ".join(b"%d" % value for value in array.ravel(order="F"))
        path.write_bytes(gzip.compress(content) if encoding == "zipped" else content)
        channels, *_, volumes = array.shape
        return StoredVoxels(path, (path,), array.dtype, SHAPE, channels=channels, volumes=volumes, encoding=encoding, **more)

    return save


@pytest.mark.parametrize("encoding", ["raw", "zipped", "text"])
def test_each_channel_of_each_volume(store, voxels, encoding):
    stored = store(encoding=encoding)
    for part in range(6):
        assert np.array_equal(stored.load(part), voxels[part % 2, ..., part // 2])


def test_only_the_volume_that_was_chosen_is_mapped(store, voxels):
    array = store(voxels[:1]).load(1)
    assert np.array_equal(array, voxels[0, ..., 1])
    assert isinstance(array, np.memmap)
    assert array.base.nbytes == array.nbytes


def test_voxels_behind_a_header(store, voxels):
    assert np.array_equal(store(before=bytes(7), offset=7).load(0), voxels[0, ..., 0])
    assert np.array_equal(store(before=bytes(7), skip=7, encoding="zipped").load(0), voxels[0, ..., 0])


def test_voxels_at_an_odd_byte_are_copied_to_a_place_that_everything_can_use(store, voxels):
    array = store(voxels[:1, ..., :1], before=bytes(7), offset=7).load(None)
    assert array.flags.aligned
    assert not isinstance(array, np.memmap)


@pytest.mark.parametrize("encoding", ["raw", "zipped"])
def test_a_file_for_every_slice(tmp_path, voxels, encoding):
    files = [tmp_path / f"{number}" for number in range(SHAPE[2])]
    for number, file in enumerate(files):
        content = voxels[0, :, :, number, 0].tobytes(order="F")
        file.write_bytes(gzip.compress(content) if encoding == "zipped" else content + b"a footer" * (number == 0))
    stored = StoredVoxels(tmp_path, tuple(files), voxels.dtype, SHAPE, encoding=encoding)
    assert np.array_equal(stored.load(None), voxels[0, ..., 0])


def test_long_text_comes_in_pieces(tmp_path):
    numbers = np.random.default_rng(0).normal(size=60_000)
    path = tmp_path / "text"
    path.write_text("\n".join(map(repr, numbers.tolist())))
    stored = StoredVoxels(path, (path,), np.dtype(float), (60, 100, 10), encoding="text")
    assert np.array_equal(stored.load(None).ravel(order="F"), numbers)


@pytest.mark.parametrize("text", [b"1 2 x", b"1" * 500_000, b"1 2 99999 4", b"1 2", b""])
def test_text_that_is_no_voxels(tmp_path, text):
    path = tmp_path / "text"
    path.write_bytes(text)
    with pytest.raises(VolumeError, match="cut off or damaged"):
        StoredVoxels(path, (path,), np.dtype("i2"), (2, 2, 1), encoding="text").load(None)


def test_one_of_several_must_be_chosen(store):
    with pytest.raises(SeveralVolumesError, match="holds 6 volumes") as caught:
        store().load(None)
    assert caught.value.count == 6
    for part in (-1, 6):
        with pytest.raises(VolumeError, match=f"no volume number {part} .6 of them"):
            store().load(part)


def test_a_bomb_behind_the_voxels(tmp_path, voxels):
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(voxels[0, ..., 0].tobytes(order="F")) + gzip.compress(bytes(20 << 20)))
    with pytest.raises(VolumeError, match="long after its last voxel"):
        StoredVoxels(path, (path,), voxels.dtype, SHAPE, encoding="zipped").load(None)


@pytest.mark.parametrize("encoding", ["raw", "zipped", "text"])
@pytest.mark.parametrize("shape", [(2**31, 1, 1), (2**11, 2**11, 2**9), (2**40, 2**40, 2**40)])
def test_more_voxels_than_a_file_can_hold_are_refused_before_memory_is_taken(tmp_path, encoding, shape):
    path = tmp_path / "small"
    path.write_bytes(gzip.compress(bytes(1000)))
    with pytest.raises(VolumeError, match="its header promises"):
        StoredVoxels(path, (path,), np.dtype("i2"), shape, encoding=encoding).load(None)
