"""Structures made larger or smaller by millimetres, the same in all directions whatever the voxels are."""

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter

from cvrl_napari.editing.edit import Labels, box_of, voxels_of


def enlarge(labels: Labels, spacing: tuple[float, float, float], class_id: int, mm: float) -> Labels:
    """Give a class all that lies within `mm` of it and is not painted.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 not painted, 1..K classes, 255 painted background.
    spacing : (z, y, x)
        Voxel size in mm.
    mm : float
        Between the centers of voxels; less than the voxel size does nothing along that axis.

    Returns
    -------
    uint8 array of shape (z, y, x)
    """
    result = labels.copy()
    box = box_of(labels == class_id, voxels_of(mm, spacing))
    if box is None:
        return result
    part = result[box]
    distance = distance_transform_edt(part != class_id, sampling=spacing)
    part[(distance <= mm) & (part == 0)] = class_id
    return result


def shrink(labels: Labels, spacing: tuple[float, float, float], class_id: int, mm: float) -> Labels:
    """Erase the outer `mm` of a class; the edge of the scan is no outside. Parameters as those of `enlarge`."""
    result = labels.copy()
    box = box_of(labels == class_id, (1, 1, 1))
    if box is None:
        return result
    part = result[box]
    inside = part == class_id
    if not inside.all():  # else there is nothing to measure a distance to
        part[inside & (distance_transform_edt(inside, sampling=spacing) <= mm)] = 0
    return result


def smooth(labels: Labels, spacing: tuple[float, float, float], class_id: int, mm: float) -> Labels:
    """Smooth the surface of a class with a Gaussian of `mm` (standard deviation), keeping its volume.

    The class may take what is not painted and give up what it has; other classes and painted background stay. Parameters as
    those of `enlarge`.
    """
    result = labels.copy()
    box = box_of(labels == class_id, voxels_of(3 * mm, spacing))
    if box is None:
        return result
    part = result[box]
    mask = part == class_id
    soft = gaussian_filter(mask.astype(np.float32), [mm / size for size in spacing], mode="nearest")
    free = mask | (part == 0)
    count = int(mask.sum())
    # As many voxels as before: a fixed threshold would eat thin vessels.
    level = np.partition(soft[free], -count)[-count]
    part[mask] = 0
    part[free & (soft >= level) & (soft > 0)] = class_id
    return result
