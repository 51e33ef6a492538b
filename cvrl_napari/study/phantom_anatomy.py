"""The anatomy of one phantom: a chamber with branching veins among structures of its own grey."""

from dataclasses import dataclass

import numpy as np

from cvrl_napari.study.phantom_recipe import Body, Recipe, Tube
from cvrl_napari.study.phantom_shapes import FAR, Field, Vector, blend, ellipsoid, smooth_field, tube

# Where veins leave the chamber, as a direction (z, y, x): the four usual ones, then those some people have besides.
_OSTIA = ((0.5, 0.45, -1), (-0.35, 0.5, -1), (0.55, 0.4, 1), (-0.35, 0.55, 1), (0.1, 0.45, -1.1), (0.95, 0.35, -0.3))
_BLEND = 3.0


@dataclass(frozen=True)
class Anatomy:
    """Signed distances in mm on the voxel grid, (z, y, x), in the order in which they are painted."""

    organs: tuple[tuple[str, Field], ...]  # grey name, distance
    blood: Field  # the chamber and all of its veins
    chamber: Field  # what is labeled: the chamber and the first part of its veins


def draw_anatomy(
    recipe: Recipe, unusual: float, shape: tuple[int, int, int], spacing: tuple[float, float, float], rng: np.random.Generator
) -> Anatomy:
    """Draw one anatomy at random.

    Parameters
    ----------
    unusual : float
        From 0, a typical person, to 1.
    shape : tuple of int
        Voxels (z, y, x).
    spacing : tuple of float
        mm (z, y, x).
    """
    points = _body_points(recipe, unusual, shape, spacing, rng)
    organs = [(one.grey, ellipsoid(points, *_place(one, unusual, rng))) for one in recipe.bodies]
    organs += [(one.grey, _draw_tube(one, points, rng)) for one in recipe.tubes]
    center, radii = _place(recipe.chamber, unusual, rng)
    body = ellipsoid(points, center, radii)
    body = blend(body, _appendage(points, center, radii, rng), _BLEND)
    veins = _veins(recipe, unusual, points, center, radii, rng)
    kept = np.maximum(veins, body - recipe.vein_cut)
    return Anatomy(tuple(organs), blend(body, veins, _BLEND), blend(body, kept, _BLEND))


def _body_points(
    recipe: Recipe, unusual: float, shape: tuple[int, int, int], spacing: tuple[float, float, float], rng: np.random.Generator
) -> Field:
    """Return for each voxel the point of the typical body it shows, mm, (3, z, y, x): pose, size and a smooth deformation."""
    wide = 0.5 + 0.5 * unusual
    axes = [(np.arange(size) - (size - 1) / 2) * step for size, step in zip(shape, spacing, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"))
    shift = rng.uniform(-1, 1, 3) * recipe.shift
    scale = 1 + rng.uniform(-1, 1, 3) * recipe.scale * wide
    rotation = _rotation(rng.uniform(-1, 1, 3) * recipe.rotation * wide)
    turned = np.tensordot(rotation / scale[:, None], grid - shift.reshape(3, 1, 1, 1), axes=1)
    warp = [smooth_field(shape, spacing, recipe.warp_grid, rng) * recipe.warp * wide for _ in range(3)]
    return np.asarray(turned + np.stack(warp))


def _rotation(degrees: Vector) -> Vector:
    """Return a rotation matrix whose axis is `degrees` and angle about its length (Cayley's formula: no sine needed)."""
    a, b, c = degrees * (3.141592653589793 / 360)
    skew = np.array([[0, -c, b], [c, 0, -a], [-b, a, 0]])
    return np.asarray(np.linalg.inv(np.eye(3) - skew) @ (np.eye(3) + skew))


def _place(body: Body, unusual: float, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Return centre and radii of one person's organ."""
    center, radii = np.array(body.center), np.array(body.radii)
    center = center + unusual * (np.array(body.unusual_center or body.center) - center)
    radii = radii + unusual * (np.array(body.unusual_radii or body.radii) - radii)
    return center + rng.normal(0, body.spread, 3), radii * (1 + rng.normal(0, 0.02 * body.spread, 3))


def _draw_tube(one: Tube, points: Field, rng: np.random.Generator) -> Field:
    line = np.array(one.points) + rng.normal(0, one.spread, 3) + rng.normal(0, 0.5 * one.spread, (len(one.points), 3))
    return tube(points, line, [radius * (1 + rng.normal(0, 0.04)) for radius in one.radii])


def _appendage(points: Field, center: Vector, radii: Vector, rng: np.random.Generator) -> Field:
    """Return the blind pouch of the chamber, upward, forward and to the left."""
    root = center + radii * (0.3, -0.5, 0.65)
    middle = root + np.array([4, -7, 6]) + rng.normal(0, 1.5, 3)
    tip = middle + np.array([2, -8, 5]) + rng.normal(0, 2.5, 3)
    return tube(points, [root, middle, tip], [6, rng.uniform(4.5, 6), rng.uniform(3, 4.5)])


def _veins(
    recipe: Recipe,
    unusual: float,
    points: Field,
    center: Vector,
    radii: Vector,
    rng: np.random.Generator,
) -> Field:
    """Return the distance to all veins: each leaves the chamber, bends at random and forks once."""
    fewest, most = recipe.vein_count
    count = 4 if rng.uniform() > unusual else int(rng.integers(fewest, most + 1))
    distance = np.full(points.shape[1:], FAR)
    for ostium in _OSTIA[:count]:
        heading = _unit(np.array(ostium) + rng.normal(0, 0.12 + 0.15 * unusual, 3))
        root = center + 0.75 * radii * heading
        radius = rng.uniform(*recipe.vein_radius)
        step = rng.uniform(*recipe.vein_length) / 4
        trunk = _bent_line(root, heading, step, 4, rng)
        branch = _bent_line(trunk[2], _unit(heading + rng.normal(0, 0.6, 3)), step, 2, rng)
        distance = np.minimum(distance, tube(points, trunk, [radius * share for share in (1, 0.95, 0.85, 0.7, 0.55)]))
        distance = np.minimum(distance, tube(points, branch, [radius * share for share in (0.75, 0.65, 0.5)]))
    return distance


def _bent_line(start: Vector, heading: Vector, step: float, count: int, rng: np.random.Generator) -> Field:
    """Return count + 1 points a `step` apart, (count + 1, 3)."""
    line = [start]
    for _ in range(count):
        line.append(line[-1] + step * heading)
        heading = _unit(heading + rng.normal(0, 0.2, 3))
    return np.array(line)


def _unit(vector: Vector) -> Vector:
    return np.asarray(vector / np.sqrt((vector**2).sum()))
