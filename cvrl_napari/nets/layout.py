"""Channels last in memory, the layout in which a processor convolves up to twice as fast, and little new memory."""

import torch
from torch import Tensor
from torch.nn import functional as F


def channels_last(images: Tensor) -> Tensor:
    """Return `images` (B, C, z, y, x) with the channel stride that makes convolutions choose channels last, also if C is 1."""
    b, c, *size = images.shape
    if c == 1:  # torch takes the strides of a single channel for either layout, and then chooses the other
        return images.reshape(b, *size, 1).movedim(-1, 1)
    return images.contiguous(memory_format=torch.channels_last_3d)


def classify(features: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return the 1x1x1 convolution of channels-last `features` (B, C, z, y, x) with `weight` (K, C, ...), as one matmul.

    Three times the speed of a convolution, which also returns its gradient in the other layout, to be turned by all before it.
    """
    return F.linear(features.movedim(1, -1), weight.flatten(1), bias).movedim(-1, 1)


def add(fresh: Tensor, other: Tensor) -> Tensor:
    """Return the sum of two maps; without gradients in the memory of the first, which nobody else may hold."""
    return fresh + other if torch.is_grad_enabled() else fresh.add_(other)
