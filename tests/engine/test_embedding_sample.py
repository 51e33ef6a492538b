"""A sample is balanced, keeps each row with its place, and sees every stroke."""

import numpy as np
import pytest

from cvrl_napari.engine.embedding_sample import draw_balanced, draw_sample, painted_cells


def test_rows_belong_to_their_voxels(make_embeddings):
    cases = [make_embeddings("a", seed=1), make_embeddings("b", shape=(3, 7, 4), seed=2)]
    sample = draw_sample(cases, {}, 60)
    assert len(sample) == 60
    assert sample.cases == ("a", "b")
    assert set(sample.case_of) == {0, 1}
    assert (sample.voxels.dtype, sample.rows.dtype, sample.uncertainty.dtype) == (np.int32, np.float32, np.float32)
    for row, number, voxel, predicted, uncertainty in zip(
        sample.rows, sample.case_of, sample.voxels, sample.predicted, sample.uncertainty, strict=True
    ):
        one = cases[number]
        cell = tuple(one.cell_of(voxel))
        assert np.array_equal(row, one.features[cell].astype(np.float32))
        assert predicted == one.predicted[cell]
        assert uncertainty == one.uncertainty[cell]
    assert len(np.unique(np.column_stack([sample.case_of, sample.voxels]), axis=0)) == 60


def test_the_projected_rows_are_the_same_cells(make_embeddings):
    one = make_embeddings()
    plain, projected = draw_sample([one], {}, 20, seed=3), draw_sample([one], {}, 20, projected=True, seed=3)
    assert np.array_equal(plain.voxels, projected.voxels)
    cells = one.cell_of(plain.voxels)
    np.testing.assert_allclose(projected.rows, one.projected[tuple(cells.T)], atol=1e-5)
    with pytest.raises(ValueError, match="no projector"):
        draw_sample([make_embeddings(projected=None)], {}, 20, projected=True)


def test_a_rare_class_is_drawn_whole_and_the_same_seed_draws_the_same(make_embeddings):
    predicted = np.zeros((10, 10, 10), np.uint8)
    predicted[0, 0, :7] = 1
    predicted[5:] = 2
    one = make_embeddings(shape=(10, 10, 10), predicted=predicted)
    sample = draw_sample([one], {}, 107)
    assert np.bincount(sample.predicted).tolist() == [50, 7, 50]
    again, other = draw_sample([one], {}, 107), draw_sample([one], {}, 107, seed=1)
    assert np.array_equal(sample.voxels, again.voxels)
    assert not np.array_equal(sample.voxels, other.voxels)
    assert len(draw_sample([one], {}, 10**6)) == 1000


def test_what_is_painted_counts_as_the_class(make_embeddings):
    one = make_embeddings(predicted=np.zeros((4, 5, 6), np.uint8), scale=(2.0, 2.0, 2.0))
    labels = np.zeros(one.scan_shape, np.uint8)
    labels[0, :2, :4] = 2  # half of two cells
    labels[7, 8:, 8:] = 255
    sample = draw_sample([one], {"a": labels}, 4)
    assert sorted(sample.painted[sample.painted == 2]) == [2, 2]
    everything = draw_sample([one], {"a": labels}, 10**6)
    assert np.bincount(everything.painted, minlength=256)[[2, 255]].tolist() == [2, 2]


def test_a_cell_is_what_most_of_its_painted_voxels_are(make_embeddings):
    one = make_embeddings(shape=(2, 2, 2), scale=(3.0, 3.0, 3.0))
    labels = np.zeros((6, 6, 6), np.uint8)
    labels[0, 0, 0] = 1  # one voxel of 27
    labels[3, :2, 0], labels[3, 2, :2] = 1, 2
    labels[4, 2, 1] = 2
    labels[5, 5, 5] = 255
    found = painted_cells(one, labels)
    assert found[0, 0, 0] == 1
    assert found[1, 0, 0] == 2  # three to two
    assert found[1, 1, 1] == 255
    assert np.count_nonzero(found) == 3


def test_classes_are_drawn_in_equal_parts():
    labels = np.zeros((20, 20, 20), np.uint8)
    labels[:2, :5, :5] = 1  # 50 voxels: all of them
    labels[10:] = 2
    places = draw_balanced(labels.ravel(), 1050, np.random.default_rng(0))
    values, counts = np.unique(labels.ravel()[places], return_counts=True)
    assert dict(zip(values.tolist(), counts.tolist(), strict=True)) == {0: 500, 1: 50, 2: 500}
    assert len(np.unique(places)) == 1050
    assert len(draw_balanced(labels.ravel(), 10**6, np.random.default_rng(0))) == 8000
