"""NIfTI-1 and NIfTI-2, plain, gzipped or as a .hdr/.img pair; nibabel knows the headers."""

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel.spatialimages import HeaderDataError

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.checks import check_affine, check_shape, damaged, finite_float32, scaled
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.file_heads import head, is_zipped, pair
from cvrl_napari.volumes.stored_voxels import StoredVoxels
from cvrl_napari.volumes.volume import Source, Volume, from_file_order

NIFTI_HEADER_BYTES = 540  # of NIfTI-2; NIfTI-1 has 348
_MM_PER_UNIT = {1: 1e3, 3: 1e-3}  # meters and microns; anything else is taken for mm
_NOT_SCANS = {  # what else is kept in NIfTI files, by its intent
    **dict.fromkeys(range(3000, 3100), "a CIFTI file (values on surfaces and in parcels)"),
    **dict.fromkeys((1008, 1009, 2001, 2002, 2005), "a surface or values on one"),
    **dict.fromkeys((2003, 2004), "a color image"),
}


def read_nifti(path: Path, part: int | None = None) -> Volume:
    """Read a NIfTI file; a plain one with unscaled integers stays on disk and is mapped into memory.

    The affine is the sform, or else the qform, or else the voxel sizes alone, as nibabel chooses; where the two forms
    differ by more than a voxel the volume's notice says so. Units of meters or microns are brought to mm. Further axes
    of one voxel are dropped. Scaled voxels become float32.

    Parameters
    ----------
    path
        The file; of a pair either one.
    part
        Which of several volumes, counted from 0.

    Raises
    ------
    SeveralVolumesError
        If it has several volumes and none was chosen.
    VolumeError
        If it is no NIfTI file, is cut off or damaged, is no three-dimensional scan, or has no place in space.
    """
    is_pair = path.suffix.lower() in (".hdr", ".img")
    header_path, data_path = pair(path) if is_pair else (path, path)
    header_class = nifti_header_class(head(header_path, NIFTI_HEADER_BYTES), is_pair=is_pair)
    if header_class is None:
        raise VolumeError(f"{path} is not a NIfTI file whatever its name says: export the scan again as NIfTI.")
    try:
        return _read(path, data_path, _header(path, head(header_path, header_class.sizeof_hdr), header_class), part)
    except (HeaderDataError, OverflowError, KeyError) as error:
        raise damaged(path, _first_line(error)) from error


def nifti_header_class(header: bytes, *, is_pair: bool) -> Any:
    """Return nibabel's class for the first bytes of a NIfTI file, None for those of any other file."""
    single = (nibabel.Nifti1Image, nibabel.Nifti2Image)
    kinds = (nibabel.Nifti1Pair, nibabel.Nifti2Pair) if is_pair else single
    return next((kind.header_class for kind in kinds if kind.header_class.may_contain_header(header)), None)


def _header(path: Path, binary: bytes, header_class: Any) -> Any:
    raw = header_class(binary, check=False)
    # nibabel would quietly take 1 mm.
    if raw["sform_code"] == 0 and not raw["pixdim"][1:4].all():
        raise VolumeError(f"{path} does not say how large its voxels are (a spacing is zero): export the scan again.")
    return header_class(binary)


def _read(path: Path, data_path: Path, header: Any, part: int | None) -> Volume:
    dtype = header.get_data_dtype()
    reason = _NOT_SCANS.get(int(header["intent_code"]))
    if dtype.kind not in "iuf":
        reason = {"c": "an image of complex numbers", "V": "a color image"}.get(dtype.kind, "an image of bits")
    if reason:
        raise VolumeError(f"{path} is {reason}, not a scan of grey values: choose one with one grey value a voxel.")
    shape, volumes = check_shape(path, header.get_data_shape())
    affine = affine_mm(path, header)
    # In one file the voxels come after the header, even if it says 0.
    start = max(_whole(header["vox_offset"]), header.single_vox_offset if header.is_single else 0)
    is_gzipped = data_path.suffix.lower() != ".img" and is_zipped(data_path)
    place = {"skip": start, "encoding": "zipped"} if is_gzipped else {"offset": start}
    stored = StoredVoxels(path, (data_path,), dtype, shape, volumes=volumes, **place)
    slope, inter = header.get_slope_inter()
    array = stored.load(part)
    if slope is not None:
        array = scaled(array, slope, inter)
    source = Source(path, "nifti", shape, affine, header)
    return from_file_order(finite_float32(path, array), source, _doubts(path, header, shape))


def _whole(number: Any) -> int:
    if not 0 <= float(number) < 2**62:
        raise HeaderDataError(f"its voxels cannot start at byte {number}")
    return int(number)


def affine_mm(path: Path, header: Any) -> Affine:
    """Return where a header puts its voxels: index (i, j, k, 1) to RAS mm.

    Raises
    ------
    VolumeError
        If it does not place them in space.
    """
    affine: Affine = np.array(header.get_best_affine(), dtype=np.float64)
    affine[:3] *= _MM_PER_UNIT.get(int(header["xyzt_units"]) & 7, 1.0)
    return check_affine(path, affine)


def _doubts(path: Path, header: Any, shape: tuple[int, int, int]) -> str:
    """Return a notice if there is neither sform nor qform, or the two put a corner more than a voxel apart."""
    if not header["sform_code"] and not header["qform_code"]:
        return (
            f"{path.name} does not say how it lies (neither sform nor qform): it was placed around its centre, its first axis"
            " towards Left, as nibabel does; other programs may choose otherwise."
        )
    if not header["sform_code"] or not header["qform_code"]:
        return ""
    try:
        qform = header.get_qform()
    except HeaderDataError:
        return ""
    corners = np.array([(*corner, 1) for corner in np.ndindex(2, 2, 2)]) * (*(np.array(shape) - 1), 1)
    by_qform = np.linalg.solve(header.get_sform(), qform @ corners.T).T
    if np.isfinite(by_qform).all() and np.abs(by_qform - corners).max() <= 1:
        return ""
    return (
        f"{path.name} says in two ways where it lies (sform and qform), more than a voxel apart: the sform was taken, as"
        " most programs do."
    )


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
