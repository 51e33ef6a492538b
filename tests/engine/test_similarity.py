"""Similarity maps are cosines, of the cells that were asked for, and lie where the scan's voxels lie."""

import numpy as np
import pytest

from cvrl_napari.engine.similarity import find_similar, mean_feature, query_of, similarity_map, to_scan_grid, unit


@pytest.mark.parametrize("projected", [False, True])
def test_a_map_is_the_cosine_of_every_cell(make_embeddings, projected):
    one = make_embeddings()
    space = np.asarray(one.projected if projected else one.features).astype(np.float64)
    query = space[1, 2, 3] * 7
    found = similarity_map(one, query, projected=projected)
    expected = space @ query / np.linalg.norm(space, axis=-1) / np.linalg.norm(query)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert found[1, 2, 3] == pytest.approx(1, abs=1e-3)
    assert np.abs(found).max() <= 1


@pytest.mark.parametrize("projected", [False, True])
@pytest.mark.parametrize("plane", [(0, 3), (1, 0), (2, 5)])
def test_a_plane_is_a_plane_of_the_map(make_embeddings, plane, projected):
    one = make_embeddings()
    query = (one.projected if projected else one.features)[0, 0, 0]
    whole = similarity_map(one, query, projected=projected)
    np.testing.assert_allclose(
        similarity_map(one, query, plane=plane, projected=projected), whole.take(plane[1], plane[0]), atol=1e-5
    )


def test_cells_without_features_are_like_nothing(make_embeddings):
    features = np.random.default_rng(0).normal(size=(2, 2, 2, 8))
    features[1, 1, 1] = 0
    one = make_embeddings(shape=(2, 2, 2), features=features)
    assert similarity_map(one, one.features[0, 0, 0])[1, 1, 1] == 0
    assert not similarity_map(one, np.zeros(8)).any()


def test_a_query_of_another_model_is_refused(make_embeddings):
    one = make_embeddings()
    with pytest.raises(ValueError, match="does not fit features of 8 channels"):
        similarity_map(one, np.ones(7))
    with pytest.raises(ValueError, match="no projector"):
        similarity_map(make_embeddings(projected=None), np.ones(10), projected=True)
    with pytest.raises(ValueError, match="no projector"):
        mean_feature(make_embeddings(projected=None), np.zeros((1, 3), int), projected=True)
    with pytest.raises(ValueError, match="no cells"):
        mean_feature(one, np.empty((0, 3), int))


@pytest.mark.parametrize("projected", [False, True])
def test_the_mean_of_cells_is_that_of_their_directions(make_embeddings, projected):
    one = make_embeddings()
    cells = np.array([[0, 1, 2], [3, 4, 5]])
    space = np.asarray(one.projected if projected else one.features).astype(np.float64)
    rows = space[[0, 3], [1, 4], [2, 5]]
    expected = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(mean_feature(one, cells, projected=projected), expected, atol=1e-4)
    np.testing.assert_allclose(unit(rows.astype(np.float16)), rows / np.linalg.norm(rows, axis=1, keepdims=True), atol=1e-3)


def test_each_voxel_of_the_scan_takes_its_cell(make_embeddings):
    one = make_embeddings(shape=(4, 5, 6), scale=(2.0, 1.5, 3.0), scan_shape=(8, 7, 18))
    cells = np.arange(4 * 5 * 6).reshape(4, 5, 6)
    found = to_scan_grid(cells, one, one.scan_shape)
    assert found.shape == (8, 7, 18)
    voxels = np.stack(np.unravel_index(np.arange(found.size), found.shape), axis=1)
    assert np.array_equal(found.ravel(), cells[tuple(one.cell_of(voxels).T)])
    rgb = to_scan_grid(np.stack([cells] * 3, axis=-1), one, one.scan_shape)
    assert np.array_equal(rgb[..., 1], found)


def test_linear_interpolation_meets_the_cells_in_their_middles(make_embeddings):
    one = make_embeddings(shape=(4, 5, 6), scale=(3.0, 1.0, 5.0), scan_shape=(12, 5, 30))
    cells = np.random.default_rng(0).normal(size=(4, 5, 6))
    found = to_scan_grid(cells, one, one.scan_shape, linear=True)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[1::3, :, 2::5], cells, atol=1e-6)  # the middle voxel of each cell
    ramp = np.broadcast_to(np.arange(6.0), (4, 5, 6))
    along = to_scan_grid(ramp, one, one.scan_shape, linear=True)[0, 0]
    np.testing.assert_allclose(along[2:28], (np.arange(2, 28) - 2) / 5, atol=1e-6)
    assert along[0] == 0  # constant beyond the first middle


@pytest.mark.parametrize("plane", [(0, 3), (1, 0), (2, 5)])
def test_what_is_alike_is_smoothed_alike_in_a_plane_and_in_the_whole(make_embeddings, plane):
    one = make_embeddings()
    query = query_of(one, np.array([[1, 1, 1], [2, 2, 2]]))
    whole = find_similar(one, query)
    assert whole.shape == one.shape
    np.testing.assert_allclose(find_similar(one, query, plane=plane), whole.take(plane[1], plane[0]), atol=1e-5)


def test_what_is_alike_points_the_same_way_from_the_mean(make_embeddings):
    one = make_embeddings()
    features = one.features.astype(np.float64)
    features -= features.mean(axis=(0, 1, 2))
    features /= np.linalg.norm(features, axis=-1, keepdims=True)
    query = features[1, 1, 1] + features[2, 2, 2]
    cosine = features @ query / np.linalg.norm(query)
    found = find_similar(one, query_of(one, np.array([[1, 1, 1], [2, 2, 2]])))
    assert found[2, 2, 2] == pytest.approx(cosine[1:4, 1:4, 1:4].mean(), abs=1e-3)
    with pytest.raises(ValueError, match="no cells"):
        query_of(one, np.empty((0, 3), int))


def test_a_checkerboard_of_two_does_not_show(make_embeddings):
    """Two structures, each with features that alternate from cell to cell: a click finds all of its own, none of the other."""
    z, y, x = np.indices((8, 8, 16))
    odd, right = (z + y + x) % 2, x >= 8
    features = np.stack([1 - odd, odd, 3 * right], axis=-1) * 1.0
    one = make_embeddings(shape=(8, 8, 16), features=features)
    found = find_similar(one, query_of(one, np.array([[4, 4, 3]])))
    assert found[..., :7].min() > 0.5
    assert found[..., 9:].max() < -0.5


def test_high_level_cells_are_taken_as_they_are(make_embeddings):
    one = make_embeddings(level="high")
    query = query_of(one, np.array([[1, 2, 3]]))
    assert find_similar(one, query)[1, 2, 3] == pytest.approx(1, abs=1e-3)
    np.testing.assert_allclose(find_similar(one, query, plane=(2, 3)), find_similar(one, query)[:, :, 3], atol=1e-6)
