"""NIfTI-1 and NIfTI-2, plain, gzipped or as a .hdr/.img pair, through nibabel."""

import gzip
import io
import math
import zlib
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.nifti1 import Nifti1Pair
from nibabel.spatialimages import HeaderDataError

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.checks import check_affine, check_promise, check_shape, finite_float32
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.volume import Source, Volume, from_file_order

_HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
_GZIP = b"\x1f\x8b"
_MM_PER_UNIT = {1: 1e3, 3: 1e-3}  # meters and microns; anything else is taken for mm
_READ_ERRORS = (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error, ValueError, OverflowError)


def read_nifti(path: Path) -> Volume:
    """Read a NIfTI file; a plain one with unscaled integers stays on disk and is mapped into memory.

    The affine is the sform, or else the qform, or else the voxel sizes alone, as nibabel chooses; units of meters or
    microns are brought to mm. A fourth axis of one voxel is dropped. Scaled voxels become float32.

    Raises
    ------
    VolumeError
        If it is no NIfTI file, is cut off or damaged, is not one three-dimensional scan, or has no place in space.
    """
    try:
        if path.name.lower().endswith((".hdr", ".img")):
            return _volume(path, _open_pair(path))
        if _is_gzipped(path):
            return _read_stream(path, gzip.open(path))
        if path.name.lower().endswith(".gz"):  # not zipped whatever its name says, and nibabel goes by the name
            return _read_stream(path, path.open("rb"))
        with path.open("rb") as file:
            image_class = _image_class(path, file.read(_HEADER_BYTES))
        return _volume(path, image_class.from_filename(path, mmap="r"))
    except VolumeError:
        raise
    except _READ_ERRORS as error:
        raise VolumeError(f"{path} is cut off or damaged ({_first_line(error)}): copy or export it again.") from error


def _read_stream(path: Path, opened: io.IOBase) -> Volume:
    with opened as stream:
        image_class = _image_class(path, stream.read(_HEADER_BYTES))
        stream.seek(0)
        volume = _volume(path, image_class.from_stream(stream))
        while stream.read(1 << 20):  # gzip compares its checksum only at the very end
            pass
        return volume


def _open_pair(path: Path) -> Nifti1Pair:
    image = nibabel.load(path, mmap="r")
    if not isinstance(image, Nifti1Pair):
        raise VolumeError(f"{path} is an ANALYZE image, which does not say left from right: convert it to NIfTI first.")
    return image


def _image_class(path: Path, header: bytes) -> type[nibabel.Nifti1Image]:
    for image_class in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        if image_class.header_class.may_contain_header(header):
            raw = image_class.header_class(header[: image_class.header_class.sizeof_hdr], check=False)
            # nibabel would quietly take 1 mm.
            if raw["sform_code"] == 0 and not raw["pixdim"][1:4].all():
                raise VolumeError(f"{path} does not say how large its voxels are (a spacing is zero): export the scan again.")
            return image_class
    raise VolumeError(f"{path} is not a NIfTI file whatever its name says: export the scan again as NIfTI.")


def _volume(path: Path, image: Any) -> Volume:
    header = image.header
    shape = check_shape(path, image.shape)
    dtype = header.get_data_dtype()
    if dtype.kind not in "iuf":
        kind = "complex numbers" if dtype.kind == "c" else "colors"
        raise VolumeError(f"{path} holds {kind}, not grey values: export it as one grey value a voxel.")
    data_path = Path(image.file_map["image"].filename or path)
    check_promise(path, math.prod(image.shape) * dtype.itemsize, data_path.stat().st_size, compressed=_is_gzipped(data_path))
    affine = _affine_mm(path, header)
    raw: Array = np.asanyarray(image.dataobj.get_unscaled()).reshape(shape, order="F")
    source = Source(path, "nifti", shape, affine, header.copy())
    return from_file_order(finite_float32(path, _scaled(raw, image.dataobj)), source)


def _is_gzipped(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def _affine_mm(path: Path, header: Any) -> Affine:
    affine: Affine = np.array(header.get_best_affine(), dtype=np.float64)
    affine[:3] *= _MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    return check_affine(path, affine)


def _scaled(raw: Array, proxy: Any) -> Array:
    slope, inter = float(proxy.slope), float(proxy.inter)
    if (slope, inter) == (1.0, 0.0):
        return raw
    # float32 holds every integer of 16 bits; larger ones are scaled in float64 before they are rounded.
    is_wide = raw.dtype.kind in "iu" and raw.dtype.itemsize > 2
    values: Array = raw.astype(np.float64 if is_wide else np.float32)
    with np.errstate(over="ignore", invalid="ignore"):  # told as values that are not finite
        values *= slope
        values += inter
    return values


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def nifti_image(array: Array, affine: Affine, header: nibabel.Nifti1Header | None) -> Any:
    """Return the image that lies where `header` says, or else where `affine` says.

    Parameters
    ----------
    array
        Voxels in the file's order (i, j, k).
    affine : array of shape (4, 4)
        File index (i, j, k, 1) to RAS mm; not used when there is a header.
    header
        Of the scan this is a mask of: its affines, codes and units stay bit for bit, its scaling and display window go,
        and so do its extensions, which speak of the scan.
    """
    if header is None:
        image = nibabel.Nifti1Image(array, affine, dtype=array.dtype)
        image.set_sform(affine, code="scanner")
        if _is_orthogonal(affine):
            image.set_qform(affine, code="scanner")
        image.header.set_xyzt_units("mm")
    else:
        image_class: Any = nibabel.Nifti2Image if isinstance(header, nibabel.Nifti2Header) else nibabel.Nifti1Image
        kept = image_class.header_class.from_header(header)
        kept.extensions.clear()
        kept.set_data_dtype(array.dtype)
        kept["cal_min"], kept["cal_max"] = 0, 0
        image = image_class(array, kept.get_best_affine(), kept)
    image.header.set_slope_inter(1, 0)
    return image


def _is_orthogonal(affine: Affine) -> bool:
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(directions.T @ directions, np.eye(3), atol=1e-6))
