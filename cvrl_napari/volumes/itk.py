"""Write MetaImage, through SimpleITK."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from cvrl_napari.volumes.axis_order import Affine, Array

_LPS_TO_RAS = np.diag((-1.0, -1.0, 1.0, 1.0))


def ras_affine(image: sitk.Image) -> Affine:
    """Return the affine of an ITK image: index (i, j, k, 1) to RAS mm. ITK itself speaks LPS."""
    affine = np.eye(4)
    dimension = image.GetDimension()
    direction = np.array(image.GetDirection()).reshape(dimension, dimension)[:3, :3]
    affine[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    affine[:3, 3] = image.GetOrigin()[:3]
    ras: Affine = _LPS_TO_RAS @ affine
    return ras


def write_mha(path: Path, array: Array, affine: Affine, fields: Mapping[str, str]) -> None:
    """Write voxels in file order (i, j, k) at an affine from (i, j, k, 1) to RAS mm as compressed MetaImage.

    `fields` are kept in the header, each on one line.

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
    for key, value in fields.items():
        image.SetMetaData(key, value)
    try:
        sitk.WriteImage(image, str(path), useCompression=True, imageIO="MetaImageIO")
    except RuntimeError as error:
        raise OSError("the disk is full or not writable") from error
