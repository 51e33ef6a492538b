import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cvrl_napari.losses.supervised import IGNORE, dice_loss, supervised_loss


def slow(logits, labels):
    """The definition, voxel by voxel and class by class."""
    logits, labels = logits.numpy().astype(float), labels.numpy()
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    entropies, overlap, guess, truth = [], {}, {}, {}
    for b, z, y, x in np.ndindex(labels.shape):
        label = labels[b, z, y, x]
        if label == IGNORE:
            continue
        entropies.append(-math.log(probabilities[b, label, z, y, x]))
        for k in range(1, logits.shape[1]):
            p, t = probabilities[b, k, z, y, x], float(label == k)
            overlap[k] = overlap.get(k, 0) + p * t
            guess[k] = guess.get(k, 0) + p * p
            truth[k] = truth.get(k, 0) + t
    present = [k for k in truth if truth[k] > 0]
    dices = [1 - (2 * overlap[k] + 1e-5) / (guess[k] + truth[k] + 1e-5) for k in present]
    return ((np.mean(entropies) if entropies else 0) + (np.mean(dices) if dices else 0)) / 2


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 4), ignored=st.floats(0, 1))
def test_it_equals_the_slow_definition(seed, classes, ignored):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(2, classes, 2, 3, 2, generator=generator)
    labels = torch.randint(classes, (2, 2, 3, 2), generator=generator)
    labels[torch.rand(labels.shape, generator=generator) < ignored] = IGNORE
    assert supervised_loss(logits, labels.to(torch.uint8)).item() == pytest.approx(slow(logits, labels), abs=1e-5)


def test_a_perfect_answer_costs_nothing_and_an_undecided_one_its_hand_value():
    labels = torch.tensor([0, 1]).view(1, 1, 1, 2)
    perfect = torch.tensor([[30.0, -30.0], [-30.0, 30.0]]).view(1, 2, 1, 1, 2)
    assert supervised_loss(perfect, labels).item() == pytest.approx(0, abs=1e-6)
    # p = 1/2 everywhere: cross entropy log 2, Dice 1 - 2 (1/2) / (2 (1/4) + 1) = 1/3
    assert supervised_loss(torch.zeros(1, 2, 1, 1, 2), labels).item() == pytest.approx((math.log(2) + 1 / 3) / 2, abs=1e-4)


def test_nothing_known_costs_exactly_nothing_and_moves_nothing():
    logits = torch.randn(1, 3, 2, 2, 2, requires_grad=True)
    loss = supervised_loss(logits, torch.full((1, 2, 2, 2), IGNORE, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert torch.equal(logits.grad, torch.zeros_like(logits))


def test_ignored_voxels_take_no_part():
    torch.manual_seed(0)
    logits = torch.randn(1, 3, 2, 2, 2, requires_grad=True)
    labels = torch.randint(3, (1, 2, 2, 2))
    labels[0, 0] = IGNORE
    supervised_loss(logits, labels).backward()
    assert logits.grad is not None
    assert torch.equal(logits.grad[:, :, 0], torch.zeros(1, 3, 2, 2))
    assert bool(logits.grad[:, :, 1].abs().min() > 0)


def test_an_absent_structure_does_not_count_as_a_perfect_one():
    probabilities = torch.full((1, 3, 1, 1, 2), 1 / 3)
    labels = torch.tensor([1, 0]).view(1, 1, 1, 2)
    assert dice_loss(probabilities, labels).item() == pytest.approx(1 - (2 / 3) / (2 / 9 + 1), abs=1e-4)
