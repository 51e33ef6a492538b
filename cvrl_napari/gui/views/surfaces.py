"""Smooth surfaces round the structures of a label array: marching cubes over a slightly blurred copy. No Qt, no napari."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from cvrl_napari.study.labels import BACKGROUND

BLUR_VOXELS = 1.2
"""Standard deviation of the blur: enough to take the steps of the voxels away."""
MOST_VOXELS = 8_000_000
"""A structure in a larger box is halved in resolution until it fits: finer than a screen shows, and done in a second or two."""


class Mesh(NamedTuple):
    """Triangles round one structure: vertices (N, 3) in mm of the display, faces (M, 3) as numbers of vertices."""

    value: int
    vertices: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int32]


def meshes_of(labels: np.ndarray, spacing: npt.ArrayLike, origin: npt.ArrayLike) -> list[Mesh]:
    """Return the surface of every class of an array.

    Parameters
    ----------
    labels : uint8 array of shape (z, y, x)
        0 and painted background (255) have no surface.
    spacing, origin : three floats
        Size of a voxel, and where the center of voxel (0, 0, 0) lies, mm of the display.
    """
    from scipy.ndimage import find_objects

    found = []
    for value, box in enumerate(find_objects(labels), start=1):
        if box is not None and value != BACKGROUND:
            vertices, faces = surface(labels[box] == value)
            corner = [part.start for part in box]
            place = np.asarray(origin) + (vertices + corner) * np.asarray(spacing)
            found.append(Mesh(value, place.astype(np.float32), faces))
    return found


def surface(inside: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Return vertices, in voxels, and faces of the surface of a structure; it is closed at the array's edges too."""
    from scipy.ndimage import gaussian_filter
    from skimage.measure import marching_cubes

    stride = 1
    while inside[::stride, ::stride, ::stride].size > MOST_VOXELS:
        stride += 1
    solid = np.pad(inside[::stride, ::stride, ::stride].astype(np.float32), 3)
    blurred = gaussian_filter(solid, BLUR_VOXELS)
    # A single row of voxels is blurred below one half: it keeps a surface all the same.
    level = min(0.5, float(blurred.max()) / 2)
    vertices, faces, _, _ = marching_cubes(blurred, level)
    return (vertices - 3) * stride, faces.astype(np.int32)


def brightness(vertices: npt.NDArray[np.float32], faces: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Return how bright each vertex is, 0 to 1, in light from the front, above and the left that reaches round corners.

    napari's own light comes from behind where axes are drawn away from the viewer.
    """
    corners = vertices[faces].astype(np.float64)  # (M, 3, 3)
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    if np.einsum("ij,ij->", corners[:, 0] - corners.mean(axis=(0, 1)), across) < 0:  # the triangles run the other way
        across = -across
    normals = np.zeros((len(vertices), 3))
    for corner in range(3):
        np.add.at(normals, faces[:, corner], across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    towards_light = np.array((0.6, -0.7, 0.4)) / np.linalg.norm((0.6, -0.7, 0.4))
    light: npt.NDArray[np.float32] = ((1 + normals @ towards_light) / 2).astype(np.float32)
    return light
