"""A small study of real files with thick slices, and prepared cases of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.config import NetConfig, Plan
from cvrl_napari.study.study import Study

SHAPE = (12, 24, 30)
"""(z, y, x) of every scan; 4 x 1 x 1 mm."""


def _write_scan(path: Path, seed: int, shape: tuple[int, int, int] = SHAPE) -> Path:
    """Write a smooth random scan of 4 x 1 x 1 mm, far from zero mean."""
    array = np.random.default_rng(seed).normal(500, 40, shape).astype(np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Canonical arrays run to S, P, L; a NIfTI affine that does so for (k, j, i) needs no flips on reading.
    nibabel.save(nibabel.Nifti1Image(array.transpose(2, 1, 0), np.diag([-1.0, -1.0, 4.0, 1.0])), path)
    return path


def _block_labels(state: str) -> np.ndarray:
    """Two structures; 255 is painted background, which only means something where the case is partial."""
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:8, 6:14, 6:16] = 1
    labels[5:7, 16:19, 20:23] = 2
    if state == "partial":
        labels[:4] = labels[8:] = 0
        labels[5, 2:4, 2:10] = 255
    return labels


@pytest.fixture
def write_scan() -> Callable[..., Path]:
    """Return the function that wrote the scans of the study."""
    return _write_scan


@pytest.fixture
def block_labels() -> Callable[[str], np.ndarray]:
    """Return the function that painted the labels of the study."""
    return _block_labels


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    """Cases a, b, c, d with the classes atrium and wall: a is complete, b partial, the others unlabeled."""
    scans = [_write_scan(tmp_path / "scans" / f"{name}.nii.gz", seed) for seed, name in enumerate("abcd")]
    with Study.create(tmp_path / "study", scans, classes=("atrium", "wall")) as study:
        study.write_labels("a", _block_labels("complete"), state="complete")
        study.write_labels("b", _block_labels("partial"), state="partial")
        yield study


@pytest.fixture
def make_plan(make_plan: Callable[..., Plan]) -> Callable[..., Plan]:
    """Return a function that makes a plan for this study, any field of which can be given."""
    ours = {
        "spacing": (4.0, 2.0, 2.0),
        "patch_size": (8, 8, 8),
        "net": NetConfig(classes=3),
        "labeled_cases": ("a", "b"),
        "unlabeled_cases": ("c", "d"),
    }
    return lambda **changes: make_plan(**ours | changes)
