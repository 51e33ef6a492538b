"""Figures of embeddings against closed forms."""

import math

import pytest
import torch

from cvrl_napari.engine.diagnostics import (
    alignment,
    confident_share,
    cross_correlation,
    effective_rank,
    spread,
    uniformity,
)


@pytest.fixture
def rows():
    return torch.randn(4096, 16, generator=torch.Generator().manual_seed(0))


def test_orthogonal_directions_have_full_rank_and_one_direction_has_rank_one(rows):
    assert effective_rank(torch.eye(7)) == pytest.approx(7)
    assert effective_rank(rows[:1].repeat(50, 1)) == pytest.approx(1)
    assert effective_rank(rows) == pytest.approx(16, rel=0.01)


def test_the_rank_counts_directions_by_their_weight():
    """Singular values sqrt(9) and sqrt(1): the entropy of 3/4 and 1/4."""
    rows = torch.tensor([[1.0, 0.0]] * 9 + [[0.0, 1.0]])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert effective_rank(rows) == pytest.approx(math.exp(entropy))


def test_the_spread_is_zero_for_one_point_and_one_over_root_c_on_the_sphere(rows):
    assert spread(rows[:1].repeat(9, 1)) == pytest.approx(0, abs=1e-9)
    assert spread(rows) == pytest.approx(1 / 4, rel=0.01)


def test_features_that_say_the_same_correlate_and_independent_ones_do_not(rows):
    angle = torch.linspace(0.1, 1.4, 100).double()
    one_idea = torch.stack([angle.cos(), -angle.cos()], dim=1)
    assert cross_correlation(one_idea, torch.ones(100, 2)) == 0  # a constant says nothing
    mixed = torch.cat([one_idea, torch.ones(100, 1).double()], dim=1)  # the length varies with the first two
    assert cross_correlation(mixed, mixed) > 0.95
    assert cross_correlation(rows, rows) < 0.02


def test_alignment_is_a_squared_distance(rows):
    assert alignment(rows, 3 * rows) == pytest.approx(0, abs=1e-12)
    assert alignment(rows, -rows) == pytest.approx(4)
    assert alignment(torch.eye(4), torch.eye(4).roll(1, 0)) == pytest.approx(2)


def test_uniformity_is_zero_for_one_point_and_low_on_the_sphere(rows):
    assert uniformity(rows[:1].repeat(9, 1)) == pytest.approx(0, abs=1e-9)
    assert uniformity(torch.eye(5)) == pytest.approx(-4)  # all pairs at squared distance 2
    assert uniformity(torch.tensor([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(-8)


def test_a_voxel_is_sure_above_nine_tenths():
    probabilities = torch.tensor([[0.95, 0.5, 0.9, 0.02], [0.05, 0.5, 0.1, 0.98]]).double().reshape(1, 2, 1, 2, 2)
    assert confident_share(probabilities) == pytest.approx(0.5)
