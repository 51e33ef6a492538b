"""Small scans made by nibabel, and a study of three of them."""

from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.study.study import Study

MakeFile = Callable[..., Path]


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """Write a NIfTI file below the test's folder: random grey values, or the given array (i, j, k)."""

    def make(name: str, array: np.ndarray | None = None, spacing=(1.0, 1.0, 2.0), origin=(0.0, 0.0, 0.0)) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if array is None:
            seed = sum(name.encode())
            array = np.random.default_rng(seed).integers(0, 1000, (6, 5, 4)).astype(np.int16)
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = origin
        nibabel.save(nibabel.Nifti1Image(array, affine), path)
        return path

    return make


@pytest.fixture
def scans(make_file: MakeFile) -> list[Path]:
    """Three scans of 4 x 5 x 6 voxels (z, y, x)."""
    return [make_file(f"scans/scan_{number}.nii.gz") for number in (1, 2, 3)]


@pytest.fixture
def study(tmp_path: Path, scans: list[Path]) -> Iterator[Study]:
    """A study of the three scans with the classes atrium and wall, nothing painted yet."""
    with Study.create(tmp_path / "study", scans, classes=["atrium", "wall"]) as study:
        yield study


@pytest.fixture
def stroke() -> np.ndarray:
    """One voxel of each class and one of painted background."""
    labels = np.zeros((4, 5, 6), dtype=np.uint8)
    labels[1, 2, 3], labels[2, 2, 3], labels[3, 4, 5] = 1, 2, 255
    return labels
