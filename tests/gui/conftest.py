"""A small study of real files whose scans lie away from the origin, with voxels of three different sizes."""

from collections.abc import Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.study.study import Study

SHAPE = (12, 20, 16)
"""Voxels of the scans, canonical (z, y, x)."""
SPACING = (3.0, 2.0, 1.5)
"""Millimetres, (z, y, x)."""


@pytest.fixture
def ball_study(tmp_path: Path) -> Iterator[Study]:
    """Four scans of a bright ball: a and b labeled and complete, c and d not labeled; classes 'ball' and 'shell'."""
    rng = np.random.default_rng(0)
    for folder in ("scans", "drawn"):
        (tmp_path / folder).mkdir()
    z, y, x = np.indices(SHAPE) * np.reshape(SPACING, (3, 1, 1, 1))
    # The file runs to Left, Posterior and Superior: its order (i, j, k) is (x, y, z).
    affine = np.diag([-SPACING[2], -SPACING[1], SPACING[0], 1.0])
    affine[:3, 3] = (7.0, -11.0, 30.0)
    scans = []
    for name in "abcd":
        center = np.array((18, 20, 12)) + rng.uniform(-2, 2, 3)
        ball = np.sqrt((z - center[0]) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2) < 7
        image = (200 * ball + rng.normal(100, 10, SHAPE)).astype(np.float32)
        scans.append(tmp_path / "scans" / f"{name}.nii.gz")
        nibabel.save(nibabel.Nifti1Image(image.T, affine), scans[-1])
        if name in "ab":
            nibabel.save(nibabel.Nifti1Image(ball.astype(np.uint8).T, affine), tmp_path / "drawn" / f"{name}.nii.gz")
    study = Study.create(tmp_path / "study", scans, classes=("ball", "shell"), labels=tmp_path / "drawn")
    yield study
    study.close()
