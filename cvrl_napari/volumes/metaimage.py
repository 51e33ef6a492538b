"""Read MetaImage (.mha, .mhd). ITK ends the process over some damaged headers, so they are not left to it."""

import math
from pathlib import Path

from cvrl_napari.volumes.checks import check_affine, check_shape, damaged, finite_float32
from cvrl_napari.volumes.detached import beside, named, numbered
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.metaimage_header import MetaHeader, read_meta_header
from cvrl_napari.volumes.stored_voxels import Encoding, StoredVoxels
from cvrl_napari.volumes.volume import Source, Volume, from_file_order

_COLOR_CHANNELS = (3, 4)


def read_metaimage(path: Path, part: int | None = None) -> Volume:
    """Read a .mha or .mhd file; plain voxels stay on disk and are mapped into memory.

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
        header = read_meta_header(path, file)
        attached = file.tell()
    shape, volumes = check_shape(path, header.sizes)
    channels, dtype = header.number("ElementNumberOfChannels", 1), header.dtype
    if channels < 1:
        raise damaged(path, "its header has no valid 'ElementNumberOfChannels'")
    if channels in _COLOR_CHANNELS and dtype.itemsize == 1:
        raise VolumeError(f"{path} holds colors, not grey values: export it as one grey value a voxel.")
    affine = check_affine(path, header.affine())
    files = _files(header)
    offset = header.number("HeaderSize", 0)
    if offset == -1:  # the voxels are what a file ends with
        offset = max(0, files[0].stat().st_size - math.prod((*header.sizes, channels, dtype.itemsize)) // len(files))
    elif files == [path] and not offset:
        offset = attached
    if offset < 0:
        raise damaged(path, "its header has no valid 'HeaderSize'")
    encoding: Encoding = "text"
    if header.flag("BinaryData", "True"):
        encoding = "zipped" if header.flag("CompressedData") else "raw"
    stored = StoredVoxels(path, tuple(files), dtype, shape, offset, 0, channels, volumes, encoding)
    return from_file_order(finite_float32(path, stored.load(part)), Source(path, "mha", shape, affine))


def _files(header: MetaHeader) -> list[Path]:
    name = header.fields["ElementDataFile"]
    words = name.split()
    if name.upper() == "LOCAL":
        return [header.path]
    if header.listed:
        return named(header.path, header.listed)
    if "%" in name and len(words) >= 3:
        try:
            first, last, step = (int(word) for word in (*words[1:4], "1")[:3])
        except ValueError as error:
            raise damaged(header.path, "the pattern of its files has no numbers") from error
        return numbered(header.path, words[0], first, last, step)
    return [beside(header.path, name)]
