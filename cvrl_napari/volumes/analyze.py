"""ANALYZE 7.5 and its SPM variants (.hdr and .img), of which none says for sure left from right; nibabel knows the headers."""

from pathlib import Path
from typing import Any

import numpy as np
from nibabel.spatialimages import HeaderDataError
from nibabel.spm2analyze import Spm2AnalyzeHeader

from cvrl_napari.volumes.axis_order import Affine
from cvrl_napari.volumes.checks import check_affine, check_shape, damaged, finite_float32, scaled
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.file_heads import head, pair
from cvrl_napari.volumes.spm_mat import read_spm_affine
from cvrl_napari.volumes.stored_voxels import StoredVoxels
from cvrl_napari.volumes.volume import Source, Volume, from_file_order

_ORIENT_BYTE = 252
_PLANES = {  # which way the file's axes run, by the header's `orient`
    0: ("transverse", "LAS"), 1: ("coronal", "LSA"), 2: ("sagittal", "ASL"),
    3: ("transverse, flipped", "LPS"), 4: ("coronal, flipped", "LIA"), 5: ("sagittal, flipped", "AIL"),
}  # fmt: skip
_TOWARDS = {"L": (-1, 0, 0), "A": (0, 1, 0), "P": (0, -1, 0), "S": (0, 0, 1), "I": (0, 0, -1)}


def read_analyze(path: Path, part: int | None = None) -> Volume:
    """Read an ANALYZE image; its notice says how left and right were told apart.

    The .mat file that SPM99 and SPM2 put beside it places it where there is one. Else the first axis is taken to run
    towards Left, as ANALYZE 7.5 has it, the others by the header's plane; the origin is SPM's, or the centre.

    Parameters
    ----------
    path
        The header or the image of the pair.
    part
        Which of several volumes, counted from 0.

    Raises
    ------
    SeveralVolumesError
        If it has several volumes and none was chosen.
    VolumeError
        If it is no ANALYZE image, is cut off or damaged, or is no three-dimensional scan.
    """
    header_path, data_path = pair(path)
    binary = head(header_path, Spm2AnalyzeHeader.sizeof_hdr)
    if not Spm2AnalyzeHeader.may_contain_header(binary):
        raise VolumeError(f"{path} is not a NIfTI or ANALYZE image whatever its name says: export the scan again.")
    try:
        raw = Spm2AnalyzeHeader(binary, check=False)
        if not raw["pixdim"][1:4].all():
            raise VolumeError(f"{path} does not say how large its voxels are (a spacing is zero): export the scan again.")
        header = Spm2AnalyzeHeader(binary)
        dtype = header.get_data_dtype()
        start = max(0, int(header["vox_offset"]))
    except (HeaderDataError, ValueError, OverflowError, KeyError) as error:
        if isinstance(error, VolumeError):
            raise
        raise damaged(path, str(error).splitlines()[0][:200]) from error
    if dtype.kind not in "iuf":
        raise VolumeError(f"{path} holds colors or complex numbers, not grey values: export it as one grey value a voxel.")
    shape, volumes = check_shape(path, header.get_data_shape())
    affine, notice = _place(path, header, binary[_ORIENT_BYTE])
    affine = check_affine(path, affine)
    array = StoredVoxels(path, (data_path,), dtype, shape, offset=start, volumes=volumes).load(part)
    slope, inter = header.get_slope_inter()
    if slope is not None:
        array = scaled(array, slope, inter)
    return from_file_order(finite_float32(path, array), Source(path, "analyze", shape, affine), notice)


def _place(path: Path, header: Any, orient: int) -> tuple[Affine, str]:
    mat = path.with_suffix(".mat")
    if mat.is_file():
        return read_spm_affine(mat), f"{path.name} is an ANALYZE image: left and right are as {mat.name} beside it says."
    plane, axes = _PLANES.get(orient, _PLANES[0])
    affine: Affine = np.array(header.get_best_affine(), dtype=np.float64)  # with SPM's origin, in the transverse plane
    if axes != "LAS":
        affine[:3, :3] = np.array([_TOWARDS[letter] for letter in axes]).T * np.abs(header["pixdim"][1:4])
        affine[:3, 3] = -affine[:3, :3] @ ((header["dim"][1:4] - 1.0) / 2)
    return affine, (
        f"{path.name} is an ANALYZE image, which does not say left from right: its rows were taken to run as ANALYZE has it"
        f" ({plane}: towards {axes}); compare with a scan that says it before you trust the side."
    )
