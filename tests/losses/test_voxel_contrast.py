import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cvrl_napari.losses.voxel_contrast import voxel_contrast


def rows(count, size=6, seed=0):
    return torch.randn(count, size, generator=torch.Generator().manual_seed(seed))


def slow(query, key, queue, temperature, excluded=None):
    query, key, queue = (np.asarray(rows, dtype=float) for rows in (query, key, queue))
    query = query / np.linalg.norm(query, axis=1, keepdims=True)
    key = key / np.linalg.norm(key, axis=1, keepdims=True)
    everything = np.concatenate([key, queue])
    costs = []
    for j in range(len(query)):
        similar = [math.exp(query[j] @ other / temperature) for other in everything]
        negatives = [n for n in range(len(everything)) if n != j and not (excluded is not None and excluded[j, n])]
        costs.append(-math.log(similar[j] / (similar[j] + sum(similar[n] for n in negatives))))
    return float(np.mean(costs))


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_it_equals_the_slow_definition(temperature):
    query, key, queue = rows(5), rows(5, seed=1), F.normalize(rows(7, seed=2), dim=1)
    excluded = torch.rand(5, 12, generator=torch.Generator().manual_seed(3)) < 0.4
    assert voxel_contrast(query, key, queue, temperature=temperature).item() == pytest.approx(
        slow(query, key, queue, temperature), rel=1e-5
    )
    masked = voxel_contrast(query, key, queue, temperature=temperature, excluded=excluded)
    assert masked.item() == pytest.approx(slow(query, key, queue, temperature, excluded), rel=1e-5)


def test_equal_similarities_cost_the_log_of_the_choices():
    same = torch.ones(4, 3)
    queue = F.normalize(torch.ones(6, 3), dim=1)
    assert voxel_contrast(same, same, queue, temperature=0.1).item() == pytest.approx(math.log(10), rel=1e-5)


def test_orthogonal_keys_cost_their_closed_form():
    # similarity 1 with its own key and 0 with the three others
    expected = -math.log(math.exp(2) / (math.exp(2) + 3))
    assert voxel_contrast(torch.eye(4), torch.eye(4), temperature=0.5).item() == pytest.approx(expected, rel=1e-5)


def test_without_any_negative_it_costs_nothing_and_moves_nothing():
    query = rows(3).requires_grad_()
    loss = voxel_contrast(query, rows(3, seed=1), temperature=0.5, excluded=torch.ones(3, 3, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert query.grad is not None
    assert torch.equal(query.grad, torch.zeros(3, 6))


def test_gradients_reach_the_query_only_and_nothing_given_is_changed():
    query, key, queue = (rows(3, seed=seed).requires_grad_() for seed in range(3))
    excluded = torch.eye(3, 6, dtype=torch.bool)
    voxel_contrast(query, key, queue, temperature=0.5, excluded=excluded).backward()
    assert query.grad is not None
    assert key.grad is None
    assert queue.grad is None
    assert bool(excluded.diagonal().all())


def test_half_precision_outside_does_not_reach_the_logits():
    query, key = rows(64, 32), rows(64, 32, seed=1)
    plain = voxel_contrast(query, key, temperature=0.05)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(voxel_contrast(query, key, temperature=0.05), plain)
