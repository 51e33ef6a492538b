"""Contrast along the feature dimension: a feature against other features, method equation (c)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-5
"""Added to the variance of a feature: one that does not vary at all becomes zeros instead of noise blown up."""


def dimension_contrast(query: Tensor, key: Tensor, *, temperature: float) -> Tensor:
    """Pull each feature of the student towards the same one of the teacher, away from all others; mean over features, nats.

    Each column is standardised over the voxels and scaled to unit length, so that rows g_i, h_i in R^N are features whose
    products are correlations: L = -mean_i log[exp(g_i . h_i / t) / sum_j exp(g_i . h_j / t)]. Features that say the same cost
    most, which keeps the embeddings from collapsing (You et al., 2022; DimCL, Nguyen et al., 2022).

    Parameters
    ----------
    query, key : Tensor of shape (N, E)
        Embeddings of the same N voxels by student and teacher, before unit length. N should be at least 4 E, or the rows
        separate trivially. Only `query` gets gradients.
    temperature : float
        Divides the correlations.
    """
    with torch.autocast(query.device.type, enabled=False):
        student = _features(query.float())  # (E, N)
        teacher = _features(key.detach().float())
        logits = (student / temperature) @ teacher.T  # (E, E)
        return F.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def _features(embeddings: Tensor) -> Tensor:
    """(N, E) -> (E, N): each feature over all voxels, zero mean, unit length."""
    variance, mean = torch.var_mean(embeddings, dim=0, correction=0)
    standard: Tensor = (embeddings - mean) / (variance + EPSILON).sqrt()
    return standard.T / math.sqrt(len(embeddings))
