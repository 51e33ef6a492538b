"""Which mask and which model count as the newest; volumes."""

import os
from pathlib import Path

import numpy as np
import pytest

from cvrl_napari.engine.run_folder import newest_model
from cvrl_napari.gui.export import export
from cvrl_napari.gui.masks import newest_mask, prediction_path, volumes_ml
from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.errors import VolumeError

SHAPE = (12, 20, 16)


def put(path: Path, content: bytes | np.ndarray, age_s: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)
    os.utime(path, (1e9 - age_s, 1e9 - age_s))


def test_the_model_saved_last_is_the_newest(ball_study: Study):
    assert newest_model(ball_study.runs_folder) is None
    put(ball_study.runs_folder / "b" / "model.safetensors", b"", age_s=20)
    put(ball_study.runs_folder / "a" / "model.safetensors", b"", age_s=10)
    model = newest_model(ball_study.runs_folder)
    assert model is not None
    assert model.parent.name == "a"


def test_the_newer_of_preview_and_prediction_is_shown(ball_study: Study):
    assert newest_mask(ball_study, "c") is None
    ones, twos = np.full(SHAPE, 1, np.uint8), np.full(SHAPE, 2, np.uint8)
    put(ball_study.runs_folder / "r" / "previews" / "c.npy", ones, age_s=10)
    np.testing.assert_array_equal(newest_mask(ball_study, "c"), ones)
    prediction_path(ball_study, "c").parent.mkdir(exist_ok=True)
    export(ball_study.read_scan("c"), twos, prediction_path(ball_study, "c"))
    np.testing.assert_array_equal(newest_mask(ball_study, "c"), twos)
    assert newest_mask(ball_study, "d") is None


def test_a_damaged_preview_is_answered_with_a_sentence(ball_study: Study):
    put(ball_study.runs_folder / "r" / "previews" / "c.npy", b"no array", age_s=0)
    with pytest.raises(VolumeError, match=r"c\.npy"):
        newest_mask(ball_study, "c")


def test_volumes_by_hand():
    labels = np.zeros((2, 5, 10), np.uint8)
    labels[0], labels[1, 0], labels[1, 1] = 1, 3, 255
    assert volumes_ml(labels, 0.02, make_classes(["a", "b", "c"])) == {1: pytest.approx(1.0), 3: pytest.approx(0.2)}
