import math

import numpy as np
import pytest
import torch

from cvrl_napari.losses.dimension_contrast import dimension_contrast


def slow(query, key, temperature):
    correlations = np.corrcoef(query.numpy().astype(float).T, key.numpy().astype(float).T)
    size = query.shape[1]
    cross = np.exp(correlations[:size, size:] / temperature)  # student feature i against teacher feature j
    return float(np.mean([-math.log(cross[i, i] / cross[i].sum()) for i in range(size)]))


def test_it_is_a_cross_entropy_over_correlations_of_features():
    torch.manual_seed(0)
    query = torch.randn(50, 6) * torch.tensor([1, 2, 3, 0.5, 1, 9]) + 4
    key = query + 0.5 * torch.randn(50, 6)
    for temperature in (0.1, 0.5):
        assert dimension_contrast(query, key, temperature=temperature).item() == pytest.approx(
            slow(query, key, temperature), rel=1e-3
        )


def test_features_that_all_say_the_same_cost_the_log_of_their_number():
    column = torch.randn(40, 1, generator=torch.Generator().manual_seed(0))
    same = column.repeat(1, 8)
    assert dimension_contrast(same, same, temperature=0.1).item() == pytest.approx(math.log(8), rel=1e-4)


def test_independent_features_cost_their_closed_form():
    hadamard = torch.tensor([[1.0]])
    for _ in range(3):
        hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)])
    features = hadamard[:, 1:]  # 7 orthogonal columns of zero mean
    expected = -math.log(math.exp(10) / (math.exp(10) + 6))
    assert dimension_contrast(features, features, temperature=0.1).item() == pytest.approx(expected, rel=2e-2)


def test_collapsed_embeddings_give_finite_gradients():
    query = torch.ones(20, 4, requires_grad=True)
    loss = dimension_contrast(query, torch.ones(20, 4), temperature=0.1)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(4))
    assert query.grad is not None
    assert bool(query.grad.isfinite().all())


def test_gradients_reach_the_student_only():
    query, key = torch.randn(20, 4, requires_grad=True), torch.randn(20, 4, requires_grad=True)
    dimension_contrast(query, key, temperature=0.1).backward()
    assert query.grad is not None
    assert key.grad is None
