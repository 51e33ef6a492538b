"""A 3D image and where it lies in space."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import nibabel
import numpy as np
import numpy.typing as npt

from cvrl_napari.volumes.axis_order import Affine, Array, AxisOrder

Format = Literal["nifti", "nrrd", "mha", "mgh", "analyze", "dicom"]
_SHEAR = 1e-3  # cosine between two axes; half a voxel over 500


@dataclass(frozen=True, eq=False)
class Source:
    """The file a volume came from, with all that is needed to write another file on exactly its grid.

    Parameters
    ----------
    path
        The file, or the folder of a DICOM series.
    format
        Its format; 'mha' stands for MetaImage with .mhd as well, 'nrrd' for .nhdr as well.
    shape
        Voxels along the file's index axes (i, j, k), the first one fastest on disk.
    affine : array of shape (4, 4)
        File index (i, j, k, 1) to RAS mm.
    header
        The NIfTI header as it was read, for files of that format.
    """

    path: Path
    format: Format
    shape: tuple[int, int, int]
    affine: Affine
    header: nibabel.Nifti1Header | None = None

    @property
    def order(self) -> AxisOrder:
        """How the canonical axes lie in the file's."""
        return AxisOrder.closest(self.affine)


@dataclass(frozen=True, eq=False)
class Volume:
    """A 3D image in canonical order and its place in space. All geometry is derived from `affine`.

    Parameters
    ----------
    array : array of shape (z, y, x)
        z towards Superior, y towards Posterior, x towards Left as closely as flips and permutations allow. May be a
        read-only view of a file: copy it before writing into it.
    affine : array of shape (4, 4), float64
        Index (z, y, x, 1) to RAS millimetres (R, A, S, 1).
    source
        The file it was read from, None for a volume made in memory.
    notice
        A sentence for the person on what had to be assumed when it was read, empty if nothing had to be.

    Raises
    ------
    ValueError
        If the array is not three-dimensional or the affine cannot be inverted.
    """

    array: Array
    affine: Affine
    source: Source | None = None
    notice: str = ""

    def __post_init__(self) -> None:
        if self.array.ndim != 3 or 0 in self.array.shape:
            raise ValueError(f"a volume has three axes with voxels along each, not the shape {self.array.shape}")
        affine = np.array(self.affine, dtype=np.float64)
        if not is_affine(affine):
            raise ValueError(f"this affine does not place voxels in space: {affine.tolist()}")
        affine.flags.writeable = False
        object.__setattr__(self, "affine", affine)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel size in mm, (z, y, x)."""
        z, y, x = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(z), float(y), float(x)

    @property
    def origin(self) -> tuple[float, float, float]:
        """Centre of the voxel (0, 0, 0) in RAS mm."""
        r, a, s = self.affine[:3, 3]
        return float(r), float(a), float(s)

    @property
    def direction(self) -> npt.NDArray[np.float64]:
        """Unit vectors of the axes z, y, x in RAS, one a column, (3, 3)."""
        directions: npt.NDArray[np.float64] = self.affine[:3, :3] / np.array(self.spacing)
        return directions

    @property
    def orientation(self) -> str:
        """Where the axes z, y, x run to, a letter each: 'SPL' is towards Superior, Posterior and Left."""
        return "".join(nibabel.aff2axcodes(self.affine))

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def world_mm(self, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return where voxel indices (..., 3) in (z, y, x) lie, in RAS mm; fractions of a voxel are fine."""
        points: npt.NDArray[np.float64] = np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return points

    def with_array(self, array: Array) -> "Volume":
        """Return a volume of other voxels, a mask for instance, on the same grid.

        Raises
        ------
        ValueError
            If `array` has another shape.
        """
        if array.shape != self.array.shape:
            raise ValueError(f"an array of shape {array.shape} does not fit a volume of shape {self.array.shape}")
        return replace(self, array=array)

    def same_grid(self, other: "Volume", tolerance_mm: float = 1e-3) -> bool:
        """Say whether both have the same shape and every voxel of one lies within `tolerance_mm` of the other's."""
        if self.array.shape != other.array.shape:
            return False
        corners = np.array(list(np.ndindex(2, 2, 2))) * (np.array(self.array.shape) - 1)
        distances = np.linalg.norm(self.world_mm(corners) - other.world_mm(corners), axis=1)
        return bool((distances <= tolerance_mm).all())


def is_affine(matrix: Affine) -> bool:
    """Say whether a matrix places voxels in space: 4 x 4, finite, last row (0, 0, 0, 1), axes that span space."""
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all() or not np.allclose(matrix[3], (0, 0, 0, 1)):
        return False
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    # Relative to the voxel size, so that microscopy is not taken for degenerate.
    return bool((lengths > 0).all()) and bool(abs(np.linalg.det(matrix[:3, :3] / lengths)) > 1e-4)


def is_sheared(affine: Affine) -> bool:
    """Say whether the axes of an affine are not at right angles, as those of a tilted gantry are."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.abs(directions.T @ directions - np.eye(3)).max() > _SHEAR)


def from_file_order(array: Array, source: Source, notice: str = "") -> Volume:
    """Return the volume of a file's array (i, j, k) in canonical order, without copying.

    A grid whose axes are not at right angles is kept as it is; the notice then says so too.
    """
    order = source.order
    sentences = [notice] if notice else []
    if is_sheared(source.affine):
        sentences.append(
            f"The axes of {source.path.name} are not at right angles: it is kept as it is, but other programs may not show it"
            " right."
        )
    affine = order.canonical_affine(source.affine, source.shape)
    return Volume(order.to_canonical(array), affine, source, " ".join(sentences))
