"""Read a scan or a mask of any supported format; its ending or its first bytes say which."""

from pathlib import Path

import numpy as np

from cvrl_napari.volumes.dicom_series import is_dicom
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.naming import DICOM_SUFFIXES, format_suffix
from cvrl_napari.volumes.nifti import read_nifti
from cvrl_napari.volumes.volume import Volume


def read(path: Path) -> Volume:
    """Read a scan in canonical order.

    Integers keep their type unless the file scales them; all other voxels are float32. The array may be a read-only view
    of the file.

    Parameters
    ----------
    path
        A NIfTI, NRRD or MetaImage file, a folder with a DICOM series (the one with the most slices, when there are
        several) or one file of a series, which stands for the whole of it.

    Raises
    ------
    VolumeError
        If there is no readable scan; the sentence names the file and says what to do.
    """
    path = Path(path)
    try:
        return _read(path)
    except OSError as error:
        raise VolumeError(f"Cannot read {path} ({error.strerror or error}): check its place and its permissions.") from error
    except MemoryError as error:
        raise VolumeError(f"{path} does not fit into memory: close other programs or crop the scan.") from error


def _read(path: Path) -> Volume:
    # SimpleITK takes a third of a second to import; NIfTI does without, also where it is not installed.
    if path.is_dir():
        return _read_dicom(path)
    if path.stat().st_size == 0:
        raise VolumeError(f"{path} is empty: copy or export it again.")
    suffix = format_suffix(path)
    if suffix in (".nrrd", ".nhdr", ".mha", ".mhd"):
        from cvrl_napari.volumes.itk import read_itk

        return read_itk(path)
    if suffix in (".nii", ".nii.gz", ".hdr", ".img"):
        return read_nifti(path)
    if suffix in DICOM_SUFFIXES or is_dicom(path):
        return _read_dicom(path)
    raise VolumeError(f"{path} is not a scan this program knows: use NIfTI, NRRD, MetaImage or DICOM.")


def _read_dicom(path: Path) -> Volume:
    from cvrl_napari.volumes.dicom import read_dicom

    return read_dicom(path)


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
