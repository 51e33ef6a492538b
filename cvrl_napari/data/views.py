"""Two random views of the same patches: what changes is drawn first, applied after.

Geometry (flips, quarter turns, rotation, scaling) is one affine map per patch, shared by both views and the labels.
Grey values are changed for each view apart: much for the student, hardly for the teacher.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import gaussian_filter
from torch import Tensor

from cvrl_napari.config import AugmentConfig, Spacing, Triple

TEACHER_NOISE = 0.25
"""The teacher's view has this share of the student's noise, and no other change of grey values."""


def draw_geometry(config: AugmentConfig, spacing: Spacing, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one map for each of `count` patches.

    Rotations are drawn in millimetres: with thick slices a rotation of voxel indices would shear the anatomy.

    Parameters
    ----------
    spacing : tuple of float
        Voxel size of the patches, mm, (z, y, x).

    Returns
    -------
    array of shape (count, 3, 3), float64
        Takes the offset of a voxel from the middle of the patch to where its value is read, as an offset from the
        middle of the cut, both in voxels (z, y, x).
    """
    to_mm = np.diag(spacing)
    maps = np.empty((count, 3, 3))
    for row in range(count):
        matrix = np.eye(3)
        if rng.random() < config.affine_probability:
            angles = np.radians(rng.uniform(-config.rotation, config.rotation, 3))
            size = 1 + rng.uniform(-config.scaling, config.scaling)
            matrix = _rotation(0, angles[0]) @ _rotation(1, angles[1]) @ _rotation(2, angles[2]) / size
        if config.quarter_turns:
            matrix = matrix @ _quarter_turn(int(rng.integers(4)))
        if config.flip:
            matrix = matrix @ np.diag(rng.choice([-1.0, 1.0], 3))
        maps[row] = np.linalg.inv(to_mm) @ matrix @ to_mm
    return maps


def _rotation(axis: int, angle: float) -> np.ndarray:
    matrix = np.eye(3)
    a, b = (index for index in range(3) if index != axis)
    matrix[a, a] = matrix[b, b] = math.cos(angle)
    matrix[a, b], matrix[b, a] = -math.sin(angle), math.sin(angle)
    return matrix


def _quarter_turn(turns: int) -> np.ndarray:
    # Rounded, so that a quarter turn alone reads exactly at voxels and blurs nothing.
    return np.round(_rotation(0, turns * math.pi / 2))


def needed_size(maps: np.ndarray, patch_size: Triple) -> Triple:
    """Return the voxels (z, y, x) to be cut so that no map reads outside: the patch and as much on both sides as needed."""
    patch = np.array(patch_size)
    reach = np.abs(maps) @ ((patch - 1) / 2)  # (count, 3), from the middle
    margin = np.maximum(np.ceil(reach.max(axis=0) - (patch - 1) / 2 - 1e-6), 0)
    z, y, x = (patch + 2 * margin).astype(int).tolist()
    return z, y, x


def apply_geometry(images: Tensor, labels: Tensor, maps: np.ndarray, patch_size: Triple) -> tuple[Tensor, Tensor]:
    """Read patches of `patch_size` out of cuts made around the same middle.

    Parameters
    ----------
    images : Tensor of shape (B, C, z, y, x), float32
        The cuts, of at least `needed_size`; interpolated linearly.
    labels : Tensor of shape (L, z, y, x), uint8
        Labels of the first L cuts, L <= B; the nearest voxel is taken.
    maps : array of shape (B, 3, 3)
        See `draw_geometry`.

    Returns
    -------
    Tensor of shape (B, C, *patch_size), Tensor of shape (L, *patch_size)
    """
    new_images = images.new_empty(*images.shape[:2], *patch_size)
    new_labels = labels.new_empty(len(labels), *patch_size)
    z, y, x = (slice((a - b) // 2, (a - b) // 2 + b) for a, b in zip(images.shape[2:], patch_size, strict=True))
    for row, matrix in enumerate(maps):
        if np.array_equal(matrix, np.eye(3)):  # a third of the patches: nothing to interpolate
            new_images[row] = images[row, :, z, y, x]
            if row < len(labels):
                new_labels[row] = labels[row, z, y, x]
            continue
        grid = _sampling_grid(matrix, images.shape[2:], patch_size)
        new_images[row] = F.grid_sample(images[row][None], grid, mode="bilinear", padding_mode="border", align_corners=True)[0]
        if row < len(labels):
            found = F.grid_sample(
                labels[row][None, None].float(), grid, mode="nearest", padding_mode="border", align_corners=True
            )
            new_labels[row] = found[0, 0].to(labels.dtype)
    return new_images, new_labels


def _sampling_grid(matrix: np.ndarray, cut_size: Sequence[int], patch_size: Triple) -> Tensor:
    """Express a map the way grid_sample wants it: coordinates (x, y, z), -1 and 1 the middles of the first and last voxel."""
    patch_half = (np.array(patch_size) - 1) / 2
    cut_half = np.maximum((np.array(cut_size) - 1) / 2, 0.5)
    normalized = matrix * patch_half[None, :] / cut_half[:, None]
    theta = np.zeros((1, 3, 4), np.float32)
    theta[0, :, :3] = normalized[::-1, ::-1]
    return F.affine_grid(torch.from_numpy(theta), [1, 1, *patch_size], align_corners=True)


@dataclass(frozen=True)
class Intensity:
    """How the grey values of one patch are changed. Neutral values leave them as they are."""

    contrast: float = 1.0
    brightness: float = 0.0
    gamma: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    noise_seed: int = 0


def draw_intensity(config: AugmentConfig, rng: np.random.Generator) -> Intensity:
    """Draw the strong change of one patch, for the student."""

    return Intensity(
        contrast=1 + _sometimes(config, config.contrast, rng),
        brightness=_sometimes(config, config.brightness, rng),
        gamma=1 + _sometimes(config, config.gamma, rng),
        blur=abs(_sometimes(config, config.blur, rng)),
        noise=abs(_sometimes(config, config.noise, rng)),
        noise_seed=int(rng.integers(2**31)),
    )


def draw_weak_intensity(config: AugmentConfig, rng: np.random.Generator) -> Intensity:
    """Draw the mild change of one patch, for the teacher: at most a little noise."""
    return Intensity(noise=TEACHER_NOISE * abs(_sometimes(config, config.noise, rng)), noise_seed=int(rng.integers(2**31)))


def _sometimes(config: AugmentConfig, largest: float, rng: np.random.Generator) -> float:
    """Draw a change between -largest and largest, or 0 for the patches that are spared."""
    spared, change = rng.random() >= config.intensity_probability, rng.uniform(-largest, largest)
    return 0.0 if spared else float(change)


def apply_intensity(image: Tensor, change: Intensity) -> Tensor:
    """Change the grey values of one patch (C, z, y, x), in standard deviations of its scan; the input is left as it is."""
    if change.blur > 0:
        blurred = gaussian_filter(image.numpy(), (0, *3 * [change.blur]), mode="nearest", truncate=3.0)
        image = torch.from_numpy(blurred)
    if change.contrast != 1:
        mean = image.mean()
        image = (image - mean) * change.contrast + mean
    if change.gamma != 1:
        low, high = image.aminmax()
        span = (high - low).clamp_min(1e-6)
        image = ((image - low) / span).pow(change.gamma) * span + low
    if change.brightness:
        image = image + change.brightness
    if change.noise > 0:
        generator = torch.Generator().manual_seed(change.noise_seed)
        image = image + change.noise * torch.randn(image.shape, generator=generator)
    return image
