"""Contrast along the batch dimension: a voxel against other voxels, method equation (b)."""

import torch
from torch import Tensor
from torch.nn import functional as F

OUT = -1e9
"""Added to a logit that is not to count: its exponential is exactly 0."""


def voxel_contrast(
    query: Tensor, key: Tensor, queue: Tensor | None = None, *, temperature: float, excluded: Tensor | None = None
) -> Tensor:
    """Pull each query voxel towards its key and away from the other keys and the queue; mean over queries, in nats.

    L = -mean_j log[exp(q_j . k_j / t) / (exp(q_j . k_j / t) + sum_n exp(q_j . k_n / t))]   (InfoNCE, one matmul)

    Parameters
    ----------
    query, key : Tensor of shape (N, E)
        Student and teacher embeddings, made unit length here; row i of `key` is the positive of row i of `query`, the other
        rows are its negatives. Only `query` gets gradients.
    queue : Tensor of shape (Q, E), optional
        Unit-length keys of past steps, negatives all.
    temperature : float
        Divides the cosines; smaller looks harder at hard negatives.
    excluded : Tensor of shape (N, N + Q), bool, optional
        True where a key is not to be a negative of a query, such as a voxel of the same structure. The positives stay in
        whatever it says.
    """
    with torch.autocast(query.device.type, enabled=False):  # logits in float32: a half has three digits at exp(1 / t)
        query, key = F.normalize(query.float(), dim=1), F.normalize(key.detach().float(), dim=1)
        keys = key if queue is None else torch.cat([key, queue.detach().float()])
        logits = (query / temperature) @ keys.T  # (N, N + Q)
        positives = torch.arange(len(query), device=query.device)
        if excluded is not None:  # adding a mask takes a third of the time of filling by one, forth and back
            logits = logits + (excluded.float() * OUT).fill_diagonal_(0)
        return F.cross_entropy(logits, positives)
