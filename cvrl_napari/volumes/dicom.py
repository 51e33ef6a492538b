"""A DICOM series as one volume."""

from pathlib import Path

import numpy as np

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.checks import check_affine, choose_part, finite_float32
from cvrl_napari.volumes.dicom_grid import slice_step
from cvrl_napari.volumes.dicom_parts import split_parts
from cvrl_napari.volumes.dicom_pixels import read_pixels
from cvrl_napari.volumes.dicom_series import dicom_files, group_slices
from cvrl_napari.volumes.dicom_slice import Slice, Vector
from cvrl_napari.volumes.dicom_slice_reading import read_slices
from cvrl_napari.volumes.errors import UnevenSlicesError, VolumeError
from cvrl_napari.volumes.regular_slices import resample_slices
from cvrl_napari.volumes.volume import Source, Volume, from_file_order


def read_dicom(path: Path, part: int | None = None, resample: bool = False) -> Volume:
    """Read a series: of a folder the one with the most slices, of a file the one it belongs to.

    Slices are sorted by their position, so file names do not matter. Each slice's rescaling is applied: whole numbers stay
    integers, others become float32. Greys that are stored upside down (MONOCHROME1) are turned, except those of CT and PET,
    which measure something.

    Parameters
    ----------
    path
        A folder, or a file of a series.
    part
        Which of the images at each position, counted from 0.
    resample
        Whether slices that lie on no regular grid may be brought to one.

    Raises
    ------
    SeveralVolumesError
        If there are several images at each position and none was chosen.
    UnevenSlicesError
        If slices are missing, unevenly spaced or tilted and may not be resampled.
    VolumeError
        If there is no series, or a slice is damaged, in color or twice there.
    """
    parts = split_parts(path, series_stack(path))
    stack = parts[choose_part(path, len(parts), part)]
    notices = []
    if stack[0].is_turned:
        notices.append("Its greys were stored upside down and were turned.")
    origin = stack[0].position
    try:
        step = slice_step(path, stack)
    except UnevenSlicesError as error:
        if not resample:
            raise
        pixels, origin, step = _resampled(path, stack, error)
        notices.append("Its slices did not lie on a regular grid and were resampled to one by linear interpolation.")
    else:
        pixels = read_pixels(stack)
    slices, rows, columns = pixels.shape
    source = Source(path, "dicom", (columns, rows, slices), _affine(path, stack[0], origin, step))
    return from_file_order(finite_float32(path, pixels.T), source, " ".join(notices))


def series_stack(path: Path) -> list[Slice]:
    """Return the slices of the series that `read_dicom` reads, in no order.

    Raises
    ------
    VolumeError
        If there is no series.
    """
    if not path.is_dir():
        own = read_slices(path)[0]
        return next(stack for stack in group_slices([path, *dicom_files(path.parent)]) if stack[0].fits(own))
    files = dicom_files(path)
    stacks = group_slices(files)
    if files and not stacks:
        read_slices(files[0])  # says why it is no scan, as it would of the others
    if not stacks:
        raise VolumeError(f"{path} is a folder without a DICOM series: choose a scan, or the folder of one series.")
    return max(stacks, key=len)


def _resampled(path: Path, stack: list[Slice], reason: UnevenSlicesError) -> tuple[Array, Vector, Vector]:
    first = stack[0]
    pixels = finite_float32(path, read_pixels(stack))
    try:
        return resample_slices(pixels, np.array([one.position for one in stack]), first.column_step, first.row_step)
    except ValueError as error:
        raise VolumeError(f"{path} has too few slices for the space between them: export the complete series.") from error


def _affine(path: Path, first: Slice, origin: Vector, step: Vector) -> Affine:
    lps = np.eye(4)
    lps[:3, 0], lps[:3, 1], lps[:3, 2], lps[:3, 3] = first.column_step, first.row_step, step, origin
    return check_affine(path, np.diag((-1.0, -1.0, 1.0, 1.0)) @ lps)
