"""A structure grown from a few strokes of it and of what surrounds it.

Geodesic distances as in GeoS (Criminisi, Sharp and Blake, ECCV 2008): a voxel belongs to the strokes that are nearer when every
step costs more the less the grey value is like theirs. Slices that hold strokes of both are solved by themselves first, where
strokes leave little doubt; their shapes are interpolated, and only a band about that surface is left to the distances in 3D.
Without the band they leak into neighbors as bright as the structure.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, gaussian_filter1d, label

from cvrl_napari.editing.coarse import blocks_for, coarse_mean, coarse_seeds, fine
from cvrl_napari.editing.edit import Labels, box_of, voxels_of
from cvrl_napari.editing.interpolation import interpolate, signed_distance

Floats = npt.NDArray[np.float32]

STRUCTURE, REST = 1, 2
MARGIN_MM = 4.0
"""How far beyond the strokes a structure may reach."""
VOXELS = 300_000
"""A larger box is solved on coarser voxels: a second or two on one core."""
BAND_VOXELS = 4
"""Half the width of the band that is left to the distances in 3D."""
UNLIKE = 5.0
"""A step through a grey value of the other side costs this many times more."""
BINS = 64


class NoStrokesError(ValueError):
    """Strokes of the structure or of its surroundings are missing; the sentence says which."""


def grow(
    labels: Labels,
    scan: npt.NDArray[np.generic],
    spacing: tuple[float, float, float],
    *,
    axis: int,
    classes: Sequence[int],
) -> Labels:
    """Grow classes from what is painted of them, against all else that is painted; only what is not painted changes.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        The strokes: 0 not painted, 1..K classes, 255 painted background.
    scan : array of shape (z, y, x)
        Grey values on the same grid.
    spacing : (z, y, x)
        Voxel size in mm.
    axis : int
        Strokes were made on slices along this axis.
    classes : sequence of int
        These grow.

    Returns
    -------
    uint8 array of shape (z, y, x)

    Raises
    ------
    NoStrokesError
        If nothing is painted of a class or of its surroundings.
    """
    missing = [class_id for class_id in classes if not (labels == class_id).any()]
    if missing or not classes:
        raise NoStrokesError("Nothing is painted of the structure to grow: paint a stroke of it on a few slices first.")
    box = box_of(labels > 0, voxels_of(MARGIN_MM, spacing))
    assert box is not None
    result = labels.copy()
    part, strokes = result[box], labels[box]
    grey = gaussian_filter(scan[box].astype(np.float32), [min(spacing) / size for size in spacing])
    lead = np.zeros(part.shape, np.float32)
    for class_id in classes:
        seeds = np.where(strokes == class_id, STRUCTURE, np.where(strokes > 0, REST, 0)).astype(np.uint8)
        if not (seeds == REST).any():
            raise NoStrokesError("Nothing is painted around the structure: paint some background (key 0) beside it first.")
        nearer = _solve(seeds, likeness(grey, seeds), spacing, axis)
        won = (nearer > lead) & (strokes == 0)
        part[won] = class_id
        lead[won] = nearer[won]
    for class_id in classes:
        _drop_pieces_without_strokes(part, strokes, class_id)
    return result


def likeness(grey: Floats, seeds: npt.NDArray[np.uint8]) -> Floats:
    """Return how much each grey value is like the structure's rather than the rest's, 0 to 1, from histograms of the strokes.

    Parameters
    ----------
    grey : float array of any shape
    seeds : uint8 array of the same shape
        1 structure, 2 the rest, 0 nobody knows.
    """
    low, high = np.percentile(grey[seeds > 0], (0.5, 99.5))
    bins = np.clip((grey - low) / max(high - low, 1e-6) * (BINS - 1), 0, BINS - 1).astype(np.intp)
    shares = []
    for side in (STRUCTURE, REST):
        counts = np.bincount(bins[seeds == side], minlength=BINS).astype(np.float64)
        counts = gaussian_filter1d(counts, 2, mode="nearest") + 1e-3 * counts.sum() / BINS
        shares.append(counts / counts.sum())
    table = (shares[0] / (shares[0] + shares[1])).astype(np.float32)
    likely: Floats = table[bins]
    return likely


def lead_mm(seeds: npt.NDArray[np.uint8], likely: Floats, spacing: Sequence[float]) -> Floats:
    """Return how much farther the rest is than the structure, as geodesic distances: positive inside.

    Parameters
    ----------
    seeds : uint8 array of two or three axes
        1 structure, 2 the rest, 0 to be decided.
    likely : float array of the same shape
        See `likeness`.
    spacing : sequence of float
        Voxel size in mm, an axis each.
    """
    from skimage.graph import MCP_Geometric

    distances = []
    for side, unlike in ((STRUCTURE, 1 - likely), (REST, likely)):
        costs, _ = MCP_Geometric(1 + UNLIKE * unlike, sampling=tuple(spacing)).find_costs(np.argwhere(seeds == side))
        distances.append(costs)
    lead: Floats = (distances[1] - distances[0]).astype(np.float32)
    return lead


def _solve(seeds: npt.NDArray[np.uint8], likely: Floats, spacing: tuple[float, float, float], axis: int) -> Floats:
    """Return `lead_mm` of a box (z, y, x): stroke slices first, then what is near their interpolated surface."""
    solved = _solve_slices(seeds, likely, spacing, axis)
    blocks = blocks_for(seeds.shape, spacing, VOXELS)
    wide = tuple(count * size for count, size in zip(blocks, spacing, strict=True))
    if np.moveaxis(solved, axis, 0).any(axis=(1, 2)).sum() > 1:
        shape = interpolate(solved, spacing, axis=axis, classes=[STRUCTURE]) == STRUCTURE
        depth = coarse_mean(signed_distance(shape, spacing).astype(np.float32), blocks)
        band = BAND_VOXELS * min(wide)
        sure = np.where(depth > band, STRUCTURE, np.where(depth < -band, REST, 0)).astype(np.uint8)
    else:
        sure = np.zeros_like(coarse_seeds(seeds, blocks))
    sure = np.where(sure > 0, sure, coarse_seeds(seeds, blocks))
    lead = fine(lead_mm(sure, coarse_mean(likely, blocks), wide), blocks, seeds.shape)
    known = solved > 0
    lead[known] = np.where(solved[known] == STRUCTURE, np.maximum(lead[known], 1e-3), np.minimum(lead[known], -1e-3))
    return lead


def _solve_slices(seeds: npt.NDArray[np.uint8], likely: Floats, spacing: tuple[float, float, float], axis: int) -> Labels:
    """Decide the slices that hold strokes of both sides, each by itself; 0 everywhere else."""
    solved = np.zeros_like(seeds)
    in_plane = [size for other, size in enumerate(spacing) if other != axis]
    planes, chances, out = (np.moveaxis(array, axis, 0) for array in (seeds, likely, solved))
    for index, plane in enumerate(planes):
        if (plane == STRUCTURE).any() and (plane == REST).any():
            out[index] = np.where(lead_mm(plane, chances[index], in_plane) > 0, STRUCTURE, REST)
    return solved


def _drop_pieces_without_strokes(grown: Labels, strokes: Labels, class_id: int) -> None:
    pieces, _ = label(grown == class_id, structure=np.ones((3, 3, 3)))
    with_stroke = np.unique(pieces[strokes == class_id])
    grown[(pieces > 0) & ~np.isin(pieces, with_stroke)] = 0
