"""What every network returns, and what every network says of itself."""

from typing import NamedTuple

from torch import Tensor, nn

from cvrl_napari.nets.recompute import recomputed


class NetOutput(NamedTuple):
    """One forward pass.

    Attributes
    ----------
    logits : Tensor of shape (B, K, z, y, x)
        Before the softmax, at the resolution of the input.
    low : Tensor of shape (B, C_low, z, y, x)
        The last decoder map at full resolution: what the classifier sees, before dropout.
    high : Tensor of shape (B, C_high, z', y', x')
        The bottleneck before dropout; each cell embeds a `stride`^3 sub-volume.
    """

    logits: Tensor
    low: Tensor
    high: Tensor


class Net(nn.Module):
    """A segmentation network with a low and a high tap.

    Attributes
    ----------
    low_channels, high_channels : int
        Channels of the taps.
    stride : int
        Edge of a bottleneck cell in voxels. Each side of the input must be a multiple of it.
    recompute : bool
        Whether the maps of a block are computed again in the backward pass, to save memory. It changes no result.
    """

    low_channels: int
    high_channels: int
    stride: int
    recompute: bool = False

    def forward(self, images: Tensor) -> NetOutput:
        """Segment `images` of shape (B, C, z, y, x)."""
        raise NotImplementedError

    def through(self, block: nn.Module, features: Tensor) -> Tensor:
        """Return what a block makes of its input."""
        made: Tensor = recomputed(block, features) if self.recompute else block(features)
        return made

    def check(self, images: Tensor) -> None:
        """Refuse an input the network cannot halve often enough.

        Raises
        ------
        ValueError
            If a side of `images` is not a multiple of `stride`.
        """
        size = tuple(images.shape[2:])
        if any(side == 0 or side % self.stride for side in size):
            raise ValueError(f"A patch of {size} voxels does not fit the network: make each side a multiple of {self.stride}.")
