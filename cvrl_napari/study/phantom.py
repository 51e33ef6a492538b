"""The phantom: a study of generated MR-like scans, to try the program with and to test it on.

A chamber with branching veins (like a left atrium with the pulmonary veins) lies among structures of similar grey. The
few labeled scans are alike; the unlabeled and the held-out ones drift away from them in anatomy and contrast, so that the
labels alone do not teach it all.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cvrl_napari.study.creation import check_free
from cvrl_napari.study.phantom_anatomy import Anatomy, draw_anatomy
from cvrl_napari.study.phantom_recipe import Range, Recipe, phantom_recipe
from cvrl_napari.study.phantom_shapes import Field, coverage, smooth_field
from cvrl_napari.study.storage import save_volume
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.volume import Volume

CLASS_NAME = "chamber"


def create_phantom(folder: str | Path, seed: int = 0, size: float = 1.0) -> Study:
    """Generate the phantom study and open it.

    16 scans in `folder/scans`: 3 labeled (complete), 9 unlabeled, 4 held out with their reference as labels. Takes some
    ten seconds.

    Parameters
    ----------
    folder : path
        Where the study shall live; must not hold one.
    seed : int
        Same seed, same study, on every machine.
    size : float
        Voxels along each axis, relative to the recipe's; 0.5 makes a coarser phantom in an eighth of the time.

    Raises
    ------
    StudyError
        If there is a study already, or nothing can be written.
    """
    root = Path(folder).resolve()
    check_free(root)
    recipe = phantom_recipe()
    kinds = (
        (recipe.labeled, recipe.unusual_labeled, True),
        (recipe.unlabeled, recipe.unusual_unlabeled, False),
        (recipe.held_out, recipe.unusual_held_out, True),
    )
    paths: list[Path] = []
    references: dict[str, NDArray[np.uint8]] = {}
    for count, (first, last), labeled in kinds:
        for unusual in np.linspace(first, last, count):
            name = f"phantom_{len(paths) + 1:02d}"
            scan, labels = generate(recipe, float(unusual), np.random.Generator(np.random.PCG64([seed, len(paths)])), size)
            paths.append(root / "scans" / f"{name}.nii.gz")
            save_volume(paths[-1], scan)
            if labeled:
                references[name] = labels
    held_out = [path.name.removesuffix(".nii.gz") for path in paths[len(paths) - recipe.held_out :]]
    study = Study.create(root, paths, classes=[CLASS_NAME], held_out=held_out)
    for name, labels in references.items():
        study.write_labels(name, labels, state="complete")
    return study


def generate(recipe: Recipe, unusual: float, rng: np.random.Generator, size: float = 1.0) -> tuple[Volume, NDArray[np.uint8]]:
    """Generate one scan and its reference.

    Parameters
    ----------
    unusual : float
        From 0, typical in anatomy and contrast, to 1.

    Returns
    -------
    scan : Volume
        int16, (z, y, x), voxels of different height and width.
    labels : uint8 array of shape (z, y, x)
        1 = chamber.
    """
    drawn = rng.integers(recipe.voxels_low, np.array(recipe.voxels_high) + 1)
    z, y, x = (max(8, round(float(count) * size)) for count in drawn)
    spacing = tuple(step / size for step in recipe.spacing)
    anatomy = draw_anatomy(recipe, unusual, (z, y, x), (spacing[0], spacing[1], spacing[2]), rng)
    grey = _paint(recipe, unusual, anatomy, spacing, rng)
    array = _acquire(recipe, unusual, grey, spacing, rng)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[0, 0, -spacing[2]], [0, -spacing[1], 0], [spacing[0], 0, 0]])  # z to S, y to P, x to L
    affine[:3, 3] = -affine[:3, :3] @ ((np.array([z, y, x]) - 1) / 2)
    return Volume(array, affine), (anatomy.chamber < 0).astype(np.uint8)


def _paint(recipe: Recipe, unusual: float, anatomy: Anatomy, spacing: tuple[float, ...], rng: np.random.Generator) -> Field:
    """Return the true grey of each voxel, about 0 to 1: tissues over each other, each with a texture of its own."""
    tone = {name: _draw(range_, unusual, rng) for name, range_ in recipe.greys.items()}
    shape = _shape(anatomy.blood)
    texture = _draw(recipe.texture, unusual, rng)
    grey = tone["tissue"] + (tone["fat"] - tone["tissue"]) * np.clip(smooth_field(shape, spacing, 9.0, rng), 0, 1)
    for name, distance in anatomy.organs:
        grey += coverage(distance, recipe.partial_volume) * (tone[name] - grey)
    # The wall of the chamber is thin and in places not seen at all.
    strength = np.clip(0.6 + 0.5 * smooth_field(shape, spacing, 14.0, rng), 0.05, 1)
    grey += strength * coverage(anatomy.blood - recipe.wall, recipe.partial_volume) * (tone["wall"] - grey)
    grey += coverage(anatomy.blood, recipe.partial_volume) * (tone["chamber"] - grey)
    grain = smooth_field(shape, spacing, 5.0, rng) + smooth_field(shape, spacing, 12.0, rng)
    return np.asarray(grey * (1 + texture * grain))


def _acquire(
    recipe: Recipe, unusual: float, grey: Field, spacing: tuple[float, ...], rng: np.random.Generator
) -> NDArray[np.int16]:
    """Take the picture: uneven coil sensitivity, Rician noise (of a magnitude of two noisy channels), scanner units."""
    shape = _shape(grey)
    bias = 1 + _draw(recipe.bias, unusual, rng) * np.clip(smooth_field(shape, spacing, 60.0, rng), -1.5, 1.5)
    level = _draw(recipe.noise, unusual, rng)
    real = grey * np.maximum(bias, 0.3) + level * rng.standard_normal(shape)
    magnitude = np.sqrt(real**2 + (level * rng.standard_normal(shape)) ** 2)
    return np.round(magnitude * max(200.0, _draw(recipe.brightness, unusual, rng))).astype(np.int16)


def _draw(range_: Range, unusual: float, rng: np.random.Generator) -> float:
    """Draw a number of one scan; never below a tenth of the typical one."""
    value = range_.typical + unusual * (range_.unusual - range_.typical) + rng.normal(0, range_.spread)
    return max(value, 0.1 * range_.typical)


def _shape(array: Field) -> tuple[int, int, int]:
    z, y, x = array.shape
    return z, y, x
