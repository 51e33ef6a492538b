"""The numbers of the phantom, from resources/phantom.json."""

from functools import cache

from pydantic import BaseModel, ConfigDict, Field

from cvrl_napari.resources import find_resource

Triple = tuple[float, float, float]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(_Part):
    """A number that drifts from `typical` (the labeled scans) to `unusual`, with a random `spread` (standard deviation)."""

    typical: float
    unusual: float
    spread: float = Field(ge=0)


class Body(_Part):
    """An ellipsoid: centre and radii in mm (z, y, x) from the middle of the chamber; `spread` moves and stretches it."""

    name: str = "chamber"
    grey: str = "chamber"
    center: Triple
    radii: Triple
    unusual_center: Triple | None = None
    unusual_radii: Triple | None = None
    spread: float = Field(ge=0)


class Tube(_Part):
    """A tube along a line of points, mm (z, y, x), with a radius at each."""

    name: str
    grey: str
    points: tuple[Triple, ...] = Field(min_length=2)
    radii: tuple[float, ...] = Field(min_length=2)
    spread: float = Field(ge=0)


class Recipe(_Part):
    """How the phantom study is made. Lengths in mm, angles in degrees, axes (z, y, x), greys between 0 and 1.

    `unusual_*` say how far from typical (0) to unusual (1) the scans of each kind reach: the labeled ones stay near 0.
    """

    labeled: int = Field(ge=1)
    unlabeled: int = Field(ge=0)
    held_out: int = Field(ge=0)
    spacing: Triple
    voxels_low: tuple[int, int, int]
    voxels_high: tuple[int, int, int]
    unusual_labeled: tuple[float, float]
    unusual_unlabeled: tuple[float, float]
    unusual_held_out: tuple[float, float]
    shift: float
    rotation: float
    scale: float
    warp: float = Field(description="Standard deviation of the smooth deformation")
    warp_grid: float = Field(gt=0, description="Distance over which the deformation changes")
    partial_volume: float = Field(gt=0, description="Width over which one tissue fades into the next")
    wall: float = Field(gt=0, description="Thickness of the chamber's wall")
    vein_count: tuple[int, int]
    vein_radius: tuple[float, float]
    vein_length: tuple[float, float]
    vein_cut: float = Field(description="Veins belong to the chamber up to this distance from it")
    greys: dict[str, Range]
    texture: Range
    noise: Range
    bias: Range
    brightness: Range
    chamber: Body
    bodies: tuple[Body, ...]
    tubes: tuple[Tube, ...]


@cache
def phantom_recipe() -> Recipe:
    """Read resources/phantom.json.

    Raises
    ------
    FileNotFoundError
        If the installation lacks it.
    """
    return Recipe.model_validate_json(find_resource("phantom.json").read_bytes())
