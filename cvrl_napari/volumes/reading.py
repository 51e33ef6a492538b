"""Read a scan or a mask of any supported format; its ending or its first bytes say which."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cvrl_napari.volumes.analyze import read_analyze
from cvrl_napari.volumes.dicom_series import is_dicom
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.file_heads import head, pair
from cvrl_napari.volumes.metaimage import read_metaimage
from cvrl_napari.volumes.mgh import read_mgh
from cvrl_napari.volumes.naming import DICOM_SUFFIXES, format_suffix
from cvrl_napari.volumes.nifti import NIFTI_HEADER_BYTES, nifti_header_class, read_nifti
from cvrl_napari.volumes.nrrd_reading import read_nrrd
from cvrl_napari.volumes.volume import Volume


def read(path: Path, *, part: int | None = None, resample: bool = False) -> Volume:
    """Read a scan in canonical order.

    Integers keep their type unless the file scales them; all other voxels are float32. The array may be a read-only view
    of the file.

    Parameters
    ----------
    path
        A NIfTI, NRRD, MetaImage, MGH or ANALYZE file, a folder with a DICOM series (the one with the most slices, when
        there are several) or one file of a series, which stands for the whole of it.
    part
        Which volume of a file with several (time points, channels), counted from 0.
    resample
        Whether slices of a DICOM series that form no regular grid may be resampled to one.

    Raises
    ------
    SeveralVolumesError
        If there are several volumes and none was chosen.
    UnevenSlicesError
        If the slices of a DICOM series form no regular grid and may not be resampled.
    VolumeError
        If there is no readable scan; the sentence names the file and says what to do.
    """
    path = Path(path)
    try:
        return _read(path, part, resample)
    except OSError as error:
        raise VolumeError(f"Cannot read {path} ({error.strerror or error}): check its place and its permissions.") from error
    except MemoryError as error:
        raise VolumeError(f"{path} does not fit into memory: close other programs or crop the scan.") from error


def _read(path: Path, part: int | None, resample: bool) -> Volume:
    if path.is_dir():
        return _read_dicom(path, part, resample)
    if path.stat().st_size == 0:
        raise VolumeError(f"{path} is empty: copy or export it again.")
    suffix = format_suffix(path)
    if suffix in (".hdr", ".img"):
        return _read_pair(path, part)
    if suffix in _READERS:
        return _READERS[suffix](path, part)
    if suffix in DICOM_SUFFIXES or is_dicom(path):
        return _read_dicom(path, part, resample)
    if path.name.lower().endswith(_SURFACES):
        raise VolumeError(f"{path} is a surface, not a scan: choose the scan that it was made from.")
    raise VolumeError(f"{path} is not a scan this program knows: use NIfTI, NRRD, MetaImage, MGH, ANALYZE or DICOM.")


_READERS: dict[str, Callable[[Path, int | None], Volume]] = {
    ".nii": read_nifti, ".nii.gz": read_nifti,
    ".nrrd": read_nrrd, ".nhdr": read_nrrd,
    ".mha": read_metaimage, ".mhd": read_metaimage,
    ".mgh": read_mgh, ".mgz": read_mgh,
}  # fmt: skip
_SURFACES = (".gii", ".gii.gz", ".stl", ".vtk", ".vtp", ".ply", ".obj")


def _read_pair(path: Path, part: int | None) -> Volume:
    header, _ = pair(path)
    is_nifti = nifti_header_class(head(header, NIFTI_HEADER_BYTES), is_pair=True) is not None
    return read_nifti(path, part) if is_nifti else read_analyze(path, part)


def _read_dicom(path: Path, part: int | None, resample: bool) -> Volume:
    from cvrl_napari.volumes.dicom import read_dicom  # its libraries are slow to import, and the others do without

    return read_dicom(path, part, resample)


def read_labels(path: Path) -> Volume:
    """Read a mask as uint8, a copy that may be written into; floats that hold whole numbers are converted.

    Raises
    ------
    VolumeError
        As `read`, and if a voxel is not a whole number from 0 to 255.
    """
    volume = read(path)
    labels = volume.array.astype(np.uint8, order="C") if _are_labels(volume.array) else None
    if labels is None:
        raise VolumeError(f"{path} is not a mask (its voxels are not all whole numbers from 0 to 255): choose a label file.")
    return volume.with_array(labels)


def _are_labels(array: np.ndarray) -> bool:
    if array.dtype == np.uint8:
        return True
    if array.min() < 0 or array.max() > 255:
        return False
    return array.dtype.kind in "iu" or bool((array == np.rint(array)).all())
