"""The job behind `cvrl project`."""

import numpy as np
import pytest

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.project import project


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(120, 6)).astype(np.float32)


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_points_are_written_and_progress_is_told(tmp_path, rows, method):
    np.savez(tmp_path / "sample.npz", rows=rows)
    events = list(project(tmp_path / "sample.npz", tmp_path / "points.npy", method=method))
    points = np.load(tmp_path / "points.npy")
    assert points.shape == (120, 2)
    assert points.dtype == np.float32
    done = [event.done for event in events]
    assert done == sorted(done)
    assert (done[0], done[-1], {event.total for event in events}) == (0, 100, {100})
    assert method == "pca" or len(done) > 2


def test_points_follow_those_before(tmp_path, rows):
    np.savez(tmp_path / "one.npz", rows=rows)
    list(project(tmp_path / "one.npz", tmp_path / "one.npy", method="pca"))
    np.savez(tmp_path / "two.npz", rows=-rows, like=np.load(tmp_path / "one.npy"))
    list(project(tmp_path / "two.npz", tmp_path / "two.npy", method="pca"))
    np.testing.assert_allclose(np.load(tmp_path / "two.npy"), np.load(tmp_path / "one.npy"), atol=1e-4)


@pytest.mark.parametrize("content", [b"", b"nothing", None, {"other": np.zeros(3)}])
def test_a_sample_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "sample.npz"
    if isinstance(content, dict):
        np.savez(path, **content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(EngineError, match=r"holds no rows"):
        list(project(path, tmp_path / "points.npy", method="pca"))


def test_arrays_that_do_not_fit_together_are_refused(tmp_path, rows):
    np.savez(tmp_path / "sample.npz", rows=rows, like=np.zeros((3, 2)))
    with pytest.raises(EngineError, match="do not fit together"):
        list(project(tmp_path / "sample.npz", tmp_path / "points.npy", method="pca"))
