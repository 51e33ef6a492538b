"""A DICOM series as one volume: geometry from the slices' headers, pixels through SimpleITK."""

from pathlib import Path

import numpy as np
import SimpleITK as sitk

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.checks import check_affine, check_promise, finite_float32
from cvrl_napari.volumes.dicom_series import Slice, Vector, dicom_files, group_slices, read_slices
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.volume import Source, Volume, from_file_order

_UNEVEN = 0.1  # a step between slices may differ from the usual one by this share of it


def read_dicom(path: Path) -> Volume:
    """Read a series: of a folder the one with the most slices, of a file the one it belongs to.

    Slices are sorted by their position, so file names do not matter; a tilted gantry stays in the affine. Each slice's
    rescaling is applied: whole numbers stay integers, others become float32.

    Raises
    ------
    VolumeError
        If there is no series, a slice is missing, damaged or in color, or several images share a position.
    """
    if path.is_dir():
        files = dicom_files(path)
        stacks = group_slices(files)
        if files and not stacks:
            read_slices(files[0])  # says why it is no scan, as it would of the others
        if not stacks:
            raise VolumeError(f"{path} is a folder without a DICOM series: choose a scan, or the folder of one series.")
        stack = max(stacks, key=len)
    else:
        own = read_slices(path)[0]
        stack = next(stack for stack in group_slices([path, *dicom_files(path.parent)]) if stack[0].fits(own))
    stack = sorted(stack, key=lambda one: float(one.position @ stack[0].normal))
    affine = _affine(path, stack)
    rows, columns = stack[0].size
    source = Source(path, "dicom", (columns, rows, len(stack)), affine)
    return from_file_order(finite_float32(path, _pixels(stack).T), source)


def _affine(path: Path, stack: list[Slice]) -> Affine:
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2] = stack[0].column_step, stack[0].row_step, _slice_step(path, stack)
    lps[:3, 3] = stack[0].position
    return check_affine(path, np.diag((-1.0, -1.0, 1.0, 1.0)) @ lps)


def _slice_step(path: Path, stack: list[Slice]) -> Vector:
    """Return the vector from a slice to the next, mm in LPS."""
    first = stack[0]
    if len(stack) == 1:
        if first.thickness is None:
            raise VolumeError(f"{path} is a single slice of unknown thickness: choose a series of several slices.")
        return first.normal * first.thickness
    positions = np.array([one.position for one in stack])
    gaps = np.diff(positions @ first.normal)
    usual = float(np.median(gaps))
    if gaps.min() < 1e-3:
        raise VolumeError(f"{path} has several images at one position (time points or echoes): export one as its own series.")
    uneven = np.flatnonzero(np.abs(gaps - usual) > _UNEVEN * usual)
    if uneven.size:
        at = int(uneven[0])
        raise VolumeError(
            f"{path} has slices missing or unevenly spaced ({gaps[at]:.4g} mm between {stack[at].file.name} and"
            f" {stack[at + 1].file.name}, {usual:.4g} mm elsewhere): export the complete series."
        )
    step: Vector = (positions[-1] - positions[0]) / (len(stack) - 1)
    return step


def _pixels(stack: list[Slice]) -> Array:
    """Return the pixels of all slices, (slice, row, column)."""
    files: dict[Path, Array] = {}
    for one in stack:
        if one.file not in files:
            files[one.file] = _read_frames(one)
    return np.stack([files[one.file][one.frame] for one in stack])


def _read_frames(one: Slice) -> Array:
    check_promise(one.file, one.file_bytes, one.file.stat().st_size, compressed=one.is_compressed)
    try:
        image = sitk.ReadImage(str(one.file), imageIO="GDCMImageIO")
    except RuntimeError as error:
        raise VolumeError(f"{one.file} has pixels that cannot be read: copy or export the series again.") from error
    if image.GetNumberOfComponentsPerPixel() != 1:
        raise VolumeError(f"{one.file} is in color: choose a series of grey values.")
    frames: Array = sitk.GetArrayFromImage(image)
    return frames.reshape(-1, *one.size)
