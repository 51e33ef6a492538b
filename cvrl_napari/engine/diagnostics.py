"""What embeddings look like, in numbers that show a collapse before the Dice does. Pure functions of matrices.

`rows` are embeddings of N voxels with C features, (N, C), of any length; all figures are of the rows at unit length.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

CONFIDENT = 0.9
"""Probability above which a voxel counts as confidently classified."""


def effective_rank(rows: Tensor) -> float:
    """Return the number of dimensions that are used: exp of the entropy of the singular values (Roy and Vetterli, 2007).

    1 when all rows point one way (collapse), at most min(N, C), reached by orthogonal directions of equal weight.
    """
    values = torch.linalg.svdvals(_unit(rows))
    shares = values / values.sum()
    return float(torch.special.entr(shares).sum().exp())


def spread(rows: Tensor) -> float:
    """Return the standard deviation of a feature over the rows, mean over the features.

    0 when all rows are the same, about 1 / sqrt(C) when they point everywhere alike (Chen and He, 2021).
    """
    return float(_unit(rows).std(dim=0, correction=0).mean())


def cross_correlation(rows: Tensor, other_view: Tensor) -> float:
    """Return the mean absolute correlation of a feature in one view with all other features in the other, in [0, 1].

    0 when the features say different things, 1 when all say the same (Zbontar et al., 2021).
    """
    correlation = correlation_matrix(rows, other_view).abs()
    features = len(correlation)
    return float((correlation.sum() - correlation.diagonal().sum()) / (features * (features - 1)))


def correlation_matrix(rows: Tensor, other_view: Tensor) -> Tensor:
    """Return the correlation (C, C) of each feature in one view (row) with each in the other (column), in [-1, 1].

    The identity is what dimension contrast strives for: each feature agrees with itself and says nothing of the others.
    """
    ours, theirs = (_standardized(_unit(view)) for view in (rows, other_view))
    return ours.T @ theirs / len(ours)


def alignment(rows: Tensor, other_view: Tensor) -> float:
    """Return the mean squared distance of the two views of a voxel, in [0, 4]: 0 is best (Wang and Isola, 2020)."""
    return float((_unit(rows) - _unit(other_view)).square().sum(dim=1).mean())


def uniformity(rows: Tensor) -> float:
    """Return the log of the mean of exp(-2 squared distance) over all pairs, in [-8, 0] (Wang and Isola, 2020).

    0 when all rows are the same; the more evenly they cover the sphere, the lower.
    """
    distances = F.pdist(_unit(rows))
    return float(distances.square().mul(-2).exp().mean().log())


def confident_share(probabilities: Tensor) -> float:
    """Return the share of voxels whose most probable class has more than 0.9, of (B, K, z, y, x)."""
    return float((probabilities.amax(dim=1) > CONFIDENT).double().mean())


def _unit(rows: Tensor) -> Tensor:
    return F.normalize(rows.double(), dim=1)


def _standardized(rows: Tensor) -> Tensor:
    """Bring each column to mean 0 and deviation 1; one that is constant becomes zeros."""
    centered = rows - rows.mean(dim=0)
    deviation = rows.std(dim=0, correction=0)
    return torch.where(deviation > 1e-12, centered / deviation.clamp_min(1e-12), 0.0)
