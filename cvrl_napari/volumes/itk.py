"""Read NRRD and MetaImage and write MetaImage, through SimpleITK."""

import math
import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.checks import check_affine, check_promise, check_shape, finite_float32
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.volume import Format, Source, Volume, from_file_order

_LPS_TO_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))
_FORMATS: dict[str, Format] = {".nrrd": "nrrd", ".nhdr": "nrrd", ".mha": "mha", ".mhd": "mha"}
_HEADER_BYTES = 1 << 14
_IO_NAMES = {"nrrd": "NrrdImageIO", "mha": "MetaImageIO"}


def read_itk(path: Path) -> Volume:
    """Read a .nrrd, .nhdr, .mha or .mhd file.

    Raises
    ------
    VolumeError
        If it is of another format, is cut off or damaged, is not one three-dimensional scan, or has no place in space.
    """
    file_format = _FORMATS[path.suffix.lower()]
    if file_format == "mha" and not _has_sane_dimension(path):
        raise VolumeError(f"{path} is cut off, damaged or no MHA file: copy or export it again.")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(_IO_NAMES[file_format])
    try:
        reader.ReadImageInformation()
        _check_header(path, reader)
        image = reader.Execute()
    except VolumeError:
        raise
    except (RuntimeError, MemoryError) as error:
        raise VolumeError(f"{path} is cut off, damaged or no {file_format.upper()} file: copy or export it again.") from error
    affine = check_affine(path, ras_affine(image))
    i, j, k = image.GetSize()[:3]
    array = sitk.GetArrayFromImage(image).T.reshape((i, j, k), order="F")
    return from_file_order(finite_float32(path, array), Source(path, file_format, (i, j, k), affine))


def _has_sane_dimension(path: Path) -> bool:
    """Say whether a MetaImage header has a number of axes that ITK survives: a negative one ends the process."""
    with path.open("rb") as file:
        found = re.search(rb"^NDims *= *(\d+)\s*$", file.read(_HEADER_BYTES), re.MULTILINE)
    return found is not None and 1 <= int(found[1]) <= 9


def _check_header(path: Path, reader: sitk.ImageFileReader) -> None:
    size = reader.GetSize()
    check_shape(path, size)
    pixel_type = reader.GetPixelID()
    if reader.GetNumberOfComponents() != 1 or pixel_type in (sitk.sitkComplexFloat32, sitk.sitkComplexFloat64):
        raise VolumeError(f"{path} holds colors, vectors or complex numbers, not grey values: export one grey value a voxel.")
    # A detached header (.nhdr, .mhd) has its voxels in files beside it.
    is_detached = path.suffix.lower() in (".nhdr", ".mhd")
    files = [file for file in path.parent.iterdir() if file.is_file()] if is_detached else [path]
    on_disk = sum(file.stat().st_size for file in files)
    check_promise(path, math.prod(size), on_disk, compressed=True)


def ras_affine(image: sitk.Image) -> Affine:
    """Return the affine of an ITK image: index (i, j, k, 1) to RAS mm. ITK itself speaks LPS."""
    affine = np.eye(4)
    dimension = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(dimension, dimension)[:3, :3]
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    ras: Affine = _LPS_TO_RAS @ affine
    return ras


def write_mha(path: Path, array: Array, affine: Affine) -> None:
    """Write voxels in file order (i, j, k) at an affine from (i, j, k, 1) to RAS mm as compressed MetaImage.

    Raises
    ------
    OSError
        If the disk is full or the file cannot be written.
    """
    lps = _LPS_TO_RAS @ affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    image = sitk.GetImageFromArray(np.ascontiguousarray(array.T))
    image.SetOrigin(lps[:3, 3].tolist())
    image.SetSpacing(spacing.tolist())
    image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    try:
        sitk.WriteImage(image, str(path), useCompression=True, imageIO="MetaImageIO")
    except RuntimeError as error:
        raise OSError("the disk is full or not writable") from error
