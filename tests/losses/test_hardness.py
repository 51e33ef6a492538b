"""The hardness-aware property, for rows that are voxels and rows that are features.

With s_ij = g_i . h_j and p_ij = softmax_j(s_ij / t): dL_i/ds_ii = -(1 - p_ii) / t, dL_i/ds_ij = p_ij / t, and the penalty of a
negative relative to that of the positive is exp(s_ij / t) / sum_{k != i} exp(s_ik / t).
"""

import pytest
import torch
from torch.nn import functional as F

from cvrl_napari.losses.dimension_contrast import dimension_contrast
from cvrl_napari.losses.voxel_contrast import voxel_contrast

COUNT = 5


def voxel_rows(similarities, temperature):
    """With unit keys e_j, the cosines of a unit query are its coordinates: gradients by similarity come from them."""
    return len(similarities) * voxel_contrast(similarities, torch.eye(similarities.shape[1]), temperature=temperature)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_voxels_are_pushed_by_their_hardness(temperature):
    torch.manual_seed(0)
    query = F.normalize(torch.randn(COUNT, COUNT), dim=1).requires_grad_()
    (gradient,) = torch.autograd.grad(voxel_rows(query, temperature), query)
    check(gradient, query, temperature)


@pytest.mark.parametrize("temperature", [0.1, 0.5])
def test_features_are_pushed_by_their_hardness(temperature):
    torch.manual_seed(0)
    voxels = 8
    # columns of zero mean, orthonormal
    basis = torch.linalg.qr(torch.cat([torch.ones(voxels, 1), torch.randn(voxels, COUNT)], 1)).Q[:, 1:]
    mixture = F.normalize(torch.randn(COUNT, COUNT), dim=0)
    query = (basis @ mixture).requires_grad_()  # (N, E): unit columns of zero mean, so s_ij = (query^T basis)_ij
    loss = COUNT * dimension_contrast(query * 1e3, basis * 1e3, temperature=temperature)  # large: the epsilon does not matter
    (by_query,) = torch.autograd.grad(loss, query)
    check(by_query.T @ basis, (query.T @ basis), temperature)


def check(gradient, similarities, temperature):
    """Compare a gradient by unit rows with the closed form, both without the part along the row (unit length takes it out)."""
    probabilities = (similarities / temperature).softmax(dim=1)
    closed = (probabilities - torch.eye(COUNT)) / temperature
    tangent = closed - (closed * similarities).sum(dim=1, keepdim=True) * similarities
    torch.testing.assert_close(gradient, tangent, atol=1e-4, rtol=1e-4)
    others = ~torch.eye(COUNT, dtype=torch.bool)
    relative = closed / closed.diagonal().abs().unsqueeze(1)
    boltzmann = (similarities / temperature).exp() * others
    boltzmann = boltzmann / boltzmann.sum(dim=1, keepdim=True)
    torch.testing.assert_close(relative[others], boltzmann[others], atol=1e-5, rtol=1e-4)
