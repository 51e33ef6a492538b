"""A small study of real files."""

import json
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.engine.embedding_cache import CaseEmbeddings
from cvrl_napari.engine.projected_features import ProjectedFeatures, RowProjector
from cvrl_napari.study.study import Study


def write_ball_scan(folder: Path, name: str, seed: int, *, label: bool) -> Path:
    """Write a noisy scan of a bright ball (20 x 24 x 28 voxels of 2 mm) and, if asked, its label."""
    rng = np.random.default_rng(seed)
    shape = (20, 24, 28)
    center = np.array(shape) / 2 + rng.uniform(-3, 3, 3)
    distance = np.sqrt(((np.indices(shape).T - center) ** 2).sum(-1)).T
    ball = distance < rng.uniform(5, 7)
    scan = 100 * ball + rng.normal(100, 15, shape)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    (folder / "scans").mkdir(exist_ok=True)
    path = folder / "scans" / f"{name}.nii.gz"
    nibabel.save(nibabel.Nifti1Image(scan.astype(np.float32), affine), path)
    if label:
        (folder / "labels_in").mkdir(exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(ball.astype(np.uint8), affine), folder / "labels_in" / f"{name}.nii.gz")
    return path


@pytest.fixture
def ball_study(tmp_path: Path) -> Study:
    """Five scans of a ball: two labeled (a, b), two not (c, d), one held out (e)."""
    scans = [write_ball_scan(tmp_path, name, seed, label=name in "abe") for seed, name in enumerate("abcde")]
    study = Study.create(tmp_path / "study", scans, classes=("ball",), labels=tmp_path / "labels_in", held_out=("e",))
    study.close()
    return Study.open(tmp_path / "study", read_only=True)


@pytest.fixture
def ball_data(tmp_path: Path) -> Path:
    """A data folder as a benchmark wants it: six labeled scans in balls/, and the protocol balls.json beside it."""
    folder = tmp_path / "data" / "balls"
    folder.mkdir(parents=True)
    for seed, name in enumerate("abcdef"):
        write_ball_scan(folder, name, seed, label=True)
    (folder / "labels_in").rename(folder / "labels")
    protocol = {
        "name": "balls",
        "folder": "balls",
        "about": "Balls.",
        "classes": ["ball"],
        "labeled": [1],
        "scales": {"full": {"spacing": [2, 2, 2], "patch_size": [15, 16, 16]}},
        "training": ["b", "a", "c", "d"],
        "test": ["f", "e"],
    }
    (tmp_path / "data" / "balls.json").write_text(json.dumps(protocol))
    return tmp_path / "data"


@pytest.fixture
def make_embeddings() -> Callable[..., CaseEmbeddings]:
    """Return a function that makes embeddings of 8 channels, 10 behind the projector, every other cell of class 1."""

    def make(case="a", *, shape=(4, 5, 6), scale=(2.0, 1.5, 3.0), seed=0, features=None, **changes) -> CaseEmbeddings:
        rng = np.random.default_rng(seed)
        features = rng.normal(1, 2, (*shape, 8)) if features is None else features
        features = features.astype(np.float16)
        channels = features.shape[3]
        weights = [rng.normal(size=size).astype(np.float32) for size in [(channels, channels), channels, (10, channels), 10]]
        fields = {
            "case": case,
            "level": "low",
            "features": features,
            "projected": ProjectedFeatures(features, RowProjector(*weights)),
            "scale": scale,
            "scan_shape": tuple(int(np.ceil(cells * size)) for cells, size in zip(shape, scale, strict=True)),
            "predicted": np.indices(shape)[2].astype(np.uint8) % 2,
            "uncertainty": rng.uniform(size=shape).astype(np.float16),
        }
        return CaseEmbeddings(**{**fields, **changes})

    return make
