"""Write a volume so that it lies exactly on the grid of the scan it came from."""

from collections.abc import Sequence
from pathlib import Path

import nibabel
import numpy as np

from cvrl_napari.volumes.axis_order import Affine, Array
from cvrl_napari.volumes.errors import VolumeError
from cvrl_napari.volumes.naming import format_suffix
from cvrl_napari.volumes.nifti import nifti_image
from cvrl_napari.volumes.nrrd import write_nrrd
from cvrl_napari.volumes.segment_fields import nifti_comment, slicer_fields
from cvrl_napari.volumes.segments import Segment
from cvrl_napari.volumes.storage import atomic_path
from cvrl_napari.volumes.verifying import check_written
from cvrl_napari.volumes.volume import Source, Volume

WRITABLE_SUFFIXES = (".nii.gz", ".nii", ".nrrd", ".mha")


def write(path: Path, volume: Volume, segments: Sequence[Segment] = ()) -> None:
    """Write `volume` to `path` in the format its ending says: .nii.gz, .nii, .nrrd or .mha.

    A volume with a source gets the source's axis order; from NIfTI to NIfTI its header too, so that both affines, their
    codes and the units are those of the scan bit for bit. Without a source the axes run to Left, Posterior, Superior.
    The file is read back and compared before it takes the place of an older one: it appears whole and right or not at all.

    Parameters
    ----------
    path
        Where to; '.seg.nrrd' is the ending by which 3D Slicer opens a mask as a segmentation.
    volume
        A scan or a mask.
    segments
        What the values of a mask stand for; names and colors go into the file, see `read_segments`.

    Raises
    ------
    VolumeError
        If the ending is not one of those, the folder is missing or not writable, the disk is full, or what was written
        does not read back the same.
    """
    suffix = format_suffix(path)
    if suffix not in WRITABLE_SUFFIXES:
        raise VolumeError(f"Cannot write {path}: give it a name that ends in {', '.join(WRITABLE_SUFFIXES)}.")
    array, affine, header = _in_file_order(volume)
    try:
        with atomic_path(path) as temporary:
            if suffix in (".nii", ".nii.gz"):
                image = nifti_image(array, affine, header)
                if segments:
                    image.header.extensions.append(nifti_comment(segments))
                nibabel.save(image, temporary)
            elif suffix == ".nrrd":
                write_nrrd(temporary, array, affine, slicer_fields(segments, array.shape))
            else:
                from cvrl_napari.volumes.itk import write_mha  # SimpleITK is slow to import, and NIfTI does without

                write_mha(temporary, array, affine, slicer_fields(segments, array.shape))
            check_written(path, temporary, array, affine)
    except OSError as error:
        reason = error.strerror or str(error)
        raise VolumeError(f"Cannot write {path} ({reason}): free some space or choose another folder.") from error


def _in_file_order(volume: Volume) -> tuple[Array, Affine, nibabel.Nifti1Header | None]:
    array = _storable(volume.array)
    source = volume.source
    if source is not None and _lies_on(source, volume):
        return source.order.to_file(array), source.affine, source.header
    # (z, y, x) to (i, j, k) = (x, y, z).
    return array.T, volume.affine[:, (2, 1, 0, 3)], None


def _lies_on(source: Source, volume: Volume) -> bool:
    """Say whether the volume still has its source's grid; a cropped or resampled one has not."""
    order = source.order
    return order.canonical_shape(source.shape) == volume.array.shape and np.array_equal(
        order.canonical_affine(source.affine, source.shape), volume.affine
    )


def _storable(array: Array) -> Array:
    """Return the same numbers in a type that every format has."""
    if array.dtype == np.bool_:
        return array.astype(np.uint8)
    if array.dtype == np.float16:
        return array.astype(np.float32)
    return array.astype(array.dtype.newbyteorder("="), copy=False)
