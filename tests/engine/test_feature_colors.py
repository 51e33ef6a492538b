"""Colors show where features differ, and stay from one update to the next."""

import numpy as np
import pytest

from cvrl_napari.engine.feature_colors import change_between, color_map, fit_colors


@pytest.fixture
def halves() -> np.ndarray:
    """Features of two halves of a scan that differ, (6, 10, 10, 8)."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(6, 10, 10, 8)) * [1, 0.8, 0.6, 0.1, 0.1, 0.1, 0.1, 0.1]
    features[:, :, 5:] += [3, 2, 1, 0, 0, 0, 0, 0]
    return features + 4


def test_what_differs_has_another_color(make_embeddings, halves):
    one = make_embeddings(shape=(6, 10, 10), features=halves)
    colors = color_map(one, fit_colors([one])).astype(int)
    assert colors.shape == (6, 10, 10, 3)
    assert np.abs(colors[:, :, :5].mean(axis=(0, 1, 2)) - colors[:, :, 5:].mean(axis=(0, 1, 2))).max() > 80


def test_colors_stay_when_a_network_turns_its_features(make_embeddings, halves):
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    before, after = (make_embeddings(shape=(6, 10, 10), features=one) for one in (halves, halves @ turn))
    basis = fit_colors([before])
    kept = color_map(after, fit_colors([after], like=(basis, [before]))).astype(int)
    assert np.abs(kept - color_map(before, basis)).mean() < 6
    assert fit_colors([after]).axes.shape == (8, 3)


def test_features_all_alike_are_one_color(make_embeddings):
    one = make_embeddings(shape=(2, 3, 4), features=np.ones((2, 3, 4, 8)))
    assert len(np.unique(color_map(one, fit_colors([one])).reshape(-1, 3), axis=0)) == 1


def test_change_is_where_the_features_changed(make_embeddings, halves):
    rng = np.random.default_rng(2)
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    changed = halves @ turn
    changed[0, :2, :2] = -changed[0, :2, :2]
    before, after = (make_embeddings(shape=(6, 10, 10), features=one) for one in (halves, changed))
    change = change_between(before, after)
    assert change.dtype == np.float32
    assert (change[0, :2, :2] > 1.9).all()
    assert change[1:].max() < 0.05  # turning all features alike is no change


def test_two_cases_have_no_change_between_them(make_embeddings):
    with pytest.raises(ValueError, match="not of the same case"):
        change_between(make_embeddings("a"), make_embeddings("b"))
