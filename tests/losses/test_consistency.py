import pytest
import torch

from cvrl_napari.losses.consistency import consistency_loss, sharpen


def test_hand_value():
    logits = torch.zeros(1, 2, 1, 1, 2)  # p = 1/2
    target = torch.tensor([[1.0, 0.5], [0.0, 0.5]]).view(1, 2, 1, 1, 2)
    assert consistency_loss(logits, target).item() == pytest.approx(0.125)  # (1/4, 0): mean over voxels and classes
    known = torch.tensor([True, False]).view(1, 1, 1, 2)
    assert consistency_loss(logits, target, known).item() == pytest.approx(0.25)
    assert consistency_loss(logits, target, torch.zeros_like(known)).item() == 0


def test_agreement_costs_nothing_and_the_target_gets_no_gradient():
    logits = torch.randn(1, 3, 2, 2, 2, requires_grad=True)
    target = torch.randn(1, 3, 2, 2, 2, requires_grad=True)
    assert consistency_loss(logits, logits.softmax(dim=1)).item() == pytest.approx(0, abs=1e-12)
    consistency_loss(logits, target.softmax(dim=1)).backward()
    assert logits.grad is not None
    assert target.grad is None


def test_sharpening_squares_the_odds_and_keeps_ties():
    probabilities = torch.tensor([[0.75, 0.5], [0.25, 0.5]]).view(1, 2, 1, 1, 2)
    expected = torch.tensor([[0.9, 0.5], [0.1, 0.5]]).view(1, 2, 1, 1, 2)
    torch.testing.assert_close(sharpen(probabilities), expected)
