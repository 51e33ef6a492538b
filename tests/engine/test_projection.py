"""Projections show what is far apart, repeat themselves, and stay where they were."""

import io

import numpy as np
import pytest
from sklearn.decomposition import PCA

from cvrl_napari.engine.projection import fit_projection, principal_axes, procrustes


@pytest.fixture
def rows() -> np.ndarray:
    """Three clouds, (150, 12)."""
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(size=(50, 12)) + 12 * np.eye(12)[number] for number in range(3)])


def separation(points: np.ndarray) -> float:
    """Smallest distance of two clouds' middles over the largest deviation within one."""
    clouds = points.reshape(3, 50, 2)
    middles = clouds.mean(axis=1)
    between = [np.linalg.norm(middles[i] - middles[j]) for i, j in [(0, 1), (0, 2), (1, 2)]]
    return min(between) / clouds.std(axis=1).max()


def test_pca_is_that_of_sklearn(rows):
    ours, theirs = fit_projection(rows).points, PCA(2).fit_transform(rows)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(np.abs(ours), np.abs(theirs), atol=1e-3)
    assert separation(ours) > 5


def test_further_rows_are_projected_the_same_way(rows):
    fitted = fit_projection(rows)
    np.testing.assert_allclose(fitted.transform(rows[:7]), fitted.points[:7], atol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 0.3])
def test_a_new_projection_lies_on_the_one_before(rows, scale):
    """Features turned by a network that sees the same: the points stay where they are, new points come where they belong."""
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(12, 12)))[0]
    before = fit_projection(rows)
    like = before.points.copy()
    like[100:] = np.nan
    after = fit_projection(scale * rows @ turn + 5, like=like)
    np.testing.assert_allclose(after.points[:100], before.points[:100], atol=0.3)
    np.testing.assert_allclose(after.points[100:], before.points[100:], atol=0.5)
    np.testing.assert_allclose(after.transform(scale * rows @ turn + 5), after.points, atol=1e-2)


def test_nothing_in_common_leaves_the_projection_as_it_is(rows):
    assert np.array_equal(fit_projection(rows, like=np.full((150, 2), np.nan)).points, fit_projection(rows).points)


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("method", ["pca", "umap", "tsne"])
def test_few_rows_and_channels_are_no_trouble(count, method):
    assert np.isfinite(fit_projection(np.ones((count, 1)), method).points).all()
    assert fit_projection(np.arange(3.0)[:, None]).points.shape == (3, 2)


def test_missing_axes_are_zeros():
    mean, axes = principal_axes(np.array([[0, 0, 0], [3, 0, 0]], np.float32), 3)
    assert mean.tolist() == [1.5, 0, 0]
    assert axes.tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]


def test_procrustes_finds_the_turn():
    rng = np.random.default_rng(0)
    points, turn = rng.normal(size=(30, 5)), np.linalg.qr(rng.normal(size=(5, 5)))[0]
    np.testing.assert_allclose(procrustes(points, points @ turn), turn, atol=1e-9)


def test_tsne_separates_repeats_itself_and_tells_how_far_it_is(rows):
    words = io.StringIO()
    points = fit_projection(rows, "tsne", seed=3, words=words).points
    assert separation(points) > 2
    assert np.array_equal(points, fit_projection(rows, "tsne", seed=3).points)
    assert "Iteration 50" in words.getvalue()


@pytest.mark.slow
def test_umap_separates_repeats_itself_and_tells_how_far_it_is(rows):
    words = io.StringIO()
    points = fit_projection(rows, "umap", seed=3, words=words).points
    assert separation(points) > 2
    assert np.array_equal(points, fit_projection(rows, "umap", seed=3).points)
    assert "500/500" in words.getvalue()
    with pytest.raises(ValueError, match="Only a PCA"):
        fit_projection(rows, "umap").transform(rows)
