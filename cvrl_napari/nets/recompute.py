"""Memory for time: the maps of a block are thrown away after the forward pass and computed again in the backward pass.

Chen et al., Training deep nets with sublinear memory cost, 2016.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recomputed(block: nn.Module, features: Tensor) -> Tensor:
    """Return `block(features)`; what the block computes inside is kept only where no gradient is wanted anyway."""
    if not torch.is_grad_enabled():
        result: Tensor = block(features)
        return result

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), _same_statistics(block)

    again: Tensor = checkpoint(block, features, use_reentrant=False, context_fn=contexts)
    return again


@contextmanager
def _same_statistics(block: nn.Module) -> Iterator[None]:
    """Inside, batch norms do not count the same batch a second time."""
    norms = [module for module in block.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    try:
        for norm in norms:
            norm.momentum = 0.0
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
