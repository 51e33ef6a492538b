"""FreeSurfer's MGH and MGZ; nibabel knows the header."""

from pathlib import Path

import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader, header_dtype

from cvrl_napari.volumes.checks import check_affine, check_shape, damaged, finite_float32
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.file_heads import head, is_zipped
from cvrl_napari.volumes.stored_voxels import StoredVoxels
from cvrl_napari.volumes.volume import Source, Volume, from_file_order


def read_mgh(path: Path, part: int | None = None) -> Volume:
    """Read a .mgh or .mgz file; whether it is zipped is seen in the file.

    A file that does not say how it lies is placed as FreeSurfer does, coronal and around the centre; the notice says so.

    Parameters
    ----------
    path
        The file.
    part
        Which of several volumes, counted from 0.

    Raises
    ------
    SeveralVolumesError
        If it has several volumes and none was chosen.
    VolumeError
        If it is no MGH file, is cut off or damaged, or holds values on a surface.
    """
    binary = head(path, header_dtype.itemsize)
    if len(binary) < header_dtype.itemsize or binary[:4] != b"\0\0\0\1":
        raise VolumeError(f"{path} is not an MGH file whatever its name says: export the scan again.")
    header = MGHHeader(binary)
    try:
        dtype = np.dtype(header.get_data_dtype()).newbyteorder(">")
    except KeyError as error:
        raise damaged(path, "its voxels are of no known type") from error
    shape, volumes = check_shape(path, tuple(int(size) for size in header["dims"]))
    with np.errstate(invalid="ignore", over="ignore"):
        affine = check_affine(path, np.array(header.get_affine(), dtype=np.float64))
    is_placed = bool(np.frombuffer(binary, header_dtype)["goodRASFlag"][0])
    notice = "" if is_placed else f"{path.name} does not say how it lies: FreeSurfer's usual place (coronal, 1 mm) was taken."
    if is_zipped(path):
        stored = StoredVoxels(path, (path,), dtype, shape, skip=DATA_OFFSET, volumes=volumes, encoding="zipped")
    else:
        stored = StoredVoxels(path, (path,), dtype, shape, offset=DATA_OFFSET, volumes=volumes)
    return from_file_order(finite_float32(path, stored.load(part)), Source(path, "mgh", shape, affine), notice)
