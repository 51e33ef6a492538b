"""The queue of past keys: negatives beyond the present batch (MoCo, He et al., CVPR 2020)."""

import torch
from torch import Tensor, nn


class KeyQueue(nn.Module):
    """First in, first out, of fixed size; keys, their classes and the pointer are buffers, so checkpoints carry them.

    Parameters
    ----------
    size : int
        Keys kept; 0 keeps none.
    embedding_size : int
        Channels of a key.
    """

    keys: Tensor
    classes: Tensor
    pointer: Tensor
    filled: Tensor
    appends: Tensor
    born: Tensor

    def __init__(self, size: int, embedding_size: int) -> None:
        super().__init__()
        self.register_buffer("keys", torch.zeros(size, embedding_size))
        self.register_buffer("classes", torch.zeros(size, dtype=torch.int16))
        self.register_buffer("pointer", torch.zeros((), dtype=torch.int64))  # where the next key goes
        self.register_buffer("filled", torch.zeros((), dtype=torch.int64))
        self.register_buffer("appends", torch.zeros((), dtype=torch.int64))  # one a step
        self.register_buffer("born", torch.zeros(size, dtype=torch.int64))  # at which of them a key came

    def contents(self) -> tuple[Tensor, Tensor]:
        """Return the keys (Q, E) and their classes (Q,) kept so far, in no particular order; they may be overwritten later."""
        filled = int(self.filled)
        return self.keys[:filled], self.classes[:filled]

    def age(self) -> int | None:
        """Return how many times keys were added since the oldest key that is kept; None when there is none."""
        filled = int(self.filled)
        return int(self.appends - self.born[:filled].min()) if filled else None

    @torch.no_grad()
    def append(self, keys: Tensor, classes: Tensor) -> None:
        """Add keys (N, E) and classes (N,), oldest first; the oldest in the queue give way. Of too many, the last are kept."""
        size = len(self.keys)
        keys, classes = keys[max(len(keys) - size, 0) :], classes[max(len(classes) - size, 0) :]
        if len(keys) == 0:
            return
        places = (self.pointer + torch.arange(len(keys), device=self.keys.device)) % size
        # A step that overflows in half precision is skipped by the gradient scaler, its keys would stay for many steps.
        self.keys[places] = keys.float().nan_to_num(0.0, 0.0, 0.0)
        self.classes[places] = classes.to(self.classes.dtype)
        self.appends += 1
        self.born[places] = self.appends
        self.pointer.copy_((self.pointer + len(keys)) % size)
        self.filled.copy_((self.filled + len(keys)).clamp(max=size))
