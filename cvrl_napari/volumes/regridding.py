"""A volume on the grid of another one."""

from typing import Literal

import numpy as np
from scipy.ndimage import affine_transform

from cvrl_napari.volumes.axis_order import Array
from cvrl_napari.volumes.volume import Volume


def nearest_on_grid(labels: Volume, scan: Volume) -> Array:
    """Return the value of the nearest voxel of `labels` for each voxel of `scan`, 0 outside; (z, y, x), its own type."""
    return _sampled(labels.array, labels, scan, order=0, outside=0)


def linear_on_grid(image: Volume, scan: Volume) -> Array:
    """Return the grey values of `image` on the grid of `scan`, (z, y, x), interpolated linearly as float32.

    Outside the image its mean is taken, so that nothing stands out there. An image that lies on that grid comes back as it is.
    """
    if image.same_grid(scan, tolerance_mm=0.01 * min(scan.spacing)):
        return image.array
    mean = float(image.array.mean(dtype=np.float64))
    return _sampled(image.array.astype(np.float32), image, scan, order=1, outside=mean)


def _sampled(array: Array, image: Volume, scan: Volume, *, order: Literal[0, 1], outside: float) -> Array:
    to_image = np.linalg.inv(image.affine) @ scan.affine
    found: Array = affine_transform(
        array, to_image[:3, :3], to_image[:3, 3], scan.array.shape, order=order, mode="constant", cval=outside
    )
    return found
