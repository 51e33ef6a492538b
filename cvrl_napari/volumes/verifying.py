"""Whether a file that was just written holds what it should: it is read back by another road than it was written."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.nifti import affine_mm

_TOLERANCE_MM = 1e-4
_FLOAT32_STEPS = 4  # NIfTI keeps affines as float32: far from the origin this is what it can hold
_NUMBERS = {"u": "unsigned integer", "i": "signed integer", "f": "float"}  # as ITK calls them


def check_written(path: Path, written: Path, array: Array, affine: Affine) -> None:
    """Read `written` back and compare every bit of its voxels, and where its corners lie.

    Parameters
    ----------
    path
        The name the file will have, for the error.
    written
        The file as it is now; a .nii, .nii.gz, .nrrd or .mha.
    array
        What it should hold, in file order (i, j, k).
    affine : array of shape (4, 4)
        Where it should lie: file index (i, j, k, 1) to RAS mm.

    Raises
    ------
    VolumeError
        If anything differs.
    """
    holds = {".nrrd": _nrrd_holds, ".mha": _mha_holds}.get(written.suffix, _nifti_holds)
    try:
        same = holds(written, array, affine)
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, ImageFileError) as error:
        raise _mismatch(path) from error
    if not same:
        raise _mismatch(path)


def _mismatch(path: Path) -> VolumeError:
    return VolumeError(
        f"{path} was written but does not read back the same, so it was not kept: check the disk, or save to another one."
    )


def _nifti_holds(written: Path, array: Array, affine: Affine) -> bool:
    image: Any = nibabel.load(written)
    stored = image.dataobj
    if (stored.shape, stored.slope, stored.inter) != (array.shape, 1.0, 0.0):
        return False
    if not _same_place(affine_mm(written, image.header), affine, array.shape):
        return False
    with gzip.open(written) if written.suffix == ".gz" else written.open("rb") as stream:
        stream.read(stored.offset)
        return _goes_on_with(stream, array, stored.dtype)


def _nrrd_holds(written: Path, array: Array, affine: Affine) -> bool:
    if not _itk_header_fits(_itk_reader(written, "NrrdImageIO"), array, affine):
        return False
    with written.open("rb") as file:
        while file.readline().strip():
            pass
        with gzip.GzipFile(fileobj=file) as stream:
            return _goes_on_with(stream, array, array.dtype)


def _mha_holds(written: Path, array: Array, affine: Affine) -> bool:
    import SimpleITK as sitk

    reader = _itk_reader(written, "MetaImageIO")
    if not _itk_header_fits(reader, array, affine):
        return False
    image = reader.Execute()  # its name keeps the voxels alive below
    stored = sitk.GetArrayViewFromImage(image)  # (k, j, i)
    return all(ours.tobytes(order="F") == its.tobytes() for ours, its in zip(np.moveaxis(array, 2, 0), stored, strict=True))


def _goes_on_with(stream: io.BufferedIOBase, array: Array, dtype: np.dtype[Any]) -> bool:
    """Say whether these voxels follow, the first axis fastest, and nothing more; slab by slab, not to double a large scan."""
    for slab in np.moveaxis(array, 2, 0):
        expected = slab.astype(dtype, copy=False).tobytes(order="F")
        if stream.read(len(expected)) != expected:
            return False
    return not stream.read(1)  # the end, where gzip compares its checksum


def _itk_reader(written: Path, format_name: str) -> Any:
    import SimpleITK as sitk  # slow to import, and NIfTI does without

    reader = sitk.ImageFileReader()
    reader.SetFileName(str(written))
    reader.SetImageIO(format_name)
    reader.ReadImageInformation()
    return reader


def _itk_header_fits(reader: Any, array: Array, affine: Affine) -> bool:
    import SimpleITK as sitk

    from cvrl_napari.volumes.itk import ras_affine

    numbers = f"{8 * array.dtype.itemsize}-bit {_NUMBERS[array.dtype.kind]}"
    return (
        reader.GetSize() == array.shape
        and sitk.GetPixelIDValueAsString(reader.GetPixelID()) == numbers
        and _same_place(ras_affine(reader), affine, array.shape)
    )


def _same_place(found: Affine, wanted: Affine, shape: tuple[int, ...]) -> bool:
    corners = np.array([(*corner, 1) for corner in np.ndindex(2, 2, 2)]) * (*(size - 1 for size in shape), 1)
    places = corners @ wanted.T
    tolerance = max(_TOLERANCE_MM, _FLOAT32_STEPS * float(np.finfo(np.float32).eps * np.abs(places).max()))
    return bool(np.abs(corners @ found.T - places).max() <= tolerance)
