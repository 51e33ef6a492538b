"""What a person asks of a structure: how large it is and how bright."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cvrl_napari.editing.edit import Labels, box_of


@dataclass(frozen=True)
class LabelStatistics:
    """Size, place and grey values of one label.

    Parameters
    ----------
    voxels : int
    ml : float
        Millilitres.
    mean, sd, minimum, maximum : float
        Grey values of the scan; the standard deviation of the voxels themselves, not of their mean.
    extent_mm : (z, y, x)
        Edges of the box around it, mm.
    slices : (z, y, x)
        How many slices along each axis hold some of it.
    """

    voxels: int
    ml: float
    mean: float
    sd: float
    minimum: float
    maximum: float
    extent_mm: tuple[float, float, float]
    slices: tuple[int, int, int]


def label_statistics(
    labels: Labels, scan: npt.NDArray[np.generic], spacing: tuple[float, float, float], value: int
) -> LabelStatistics | None:
    """Measure all voxels of one value; None where there are none.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
    scan : array of shape (z, y, x)
        Grey values on the same grid.
    spacing : (z, y, x)
        Voxel size in mm.
    """
    mask = labels == value
    box = box_of(mask)
    if box is None:
        return None
    mask = mask[box]
    greys = scan[box][mask].astype(np.float64)
    z, y, x = (int(np.count_nonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))) for axis in range(3))
    extent = [size * mm for size, mm in zip(mask.shape, spacing, strict=True)]
    return LabelStatistics(
        voxels=len(greys),
        ml=len(greys) * float(np.prod(spacing)) / 1000,
        mean=float(greys.mean()),
        sd=float(greys.std()),
        minimum=float(greys.min()),
        maximum=float(greys.max()),
        extent_mm=(extent[0], extent[1], extent[2]),
        slices=(z, y, x),
    )
