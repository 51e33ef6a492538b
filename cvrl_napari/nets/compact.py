"""A compact network for processors without a GPU.

A convolution at full resolution costs a CPU core four times one at half resolution with twice the channels, and most of a
step if there are two of them. So this network folds each 2x2x2 block of voxels into channels first, does its work at half
the resolution and below, and returns to full resolution in one light step: unfolded features plus a convolution of
the image itself, which knows where the edges are. Instance norm, so that a batch of any mix of scans is as good as another.
"""

import itertools

from torch import Tensor, nn
from torch.nn import functional as F

from cvrl_napari.config import NetConfig
from cvrl_napari.nets.layout import add, channels_last, classify
from cvrl_napari.nets.output import Net, NetOutput


class CompactNet(Net):
    """A small residual U-Net on folded voxels with instance norm and additive skips."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(config.levels)]
        ends = list(itertools.pairwise(widths[1:]))  # (finer, coarser) channels below half resolution
        self.low_channels, self.high_channels = widths[0], widths[-1]
        self.stride = 2 ** (config.levels - 1)
        self.recompute = config.recompute

        self.stem = nn.Sequential(Fold(), _conv(8 * config.in_channels, widths[1]))
        self.encoders = nn.ModuleList(Residual(width) for width in widths[2:])
        self.downs = nn.ModuleList(_down(fine, coarse) for fine, coarse in ends)
        self.ups = nn.ModuleList(nn.ConvTranspose3d(coarse, fine, kernel_size=2, stride=2) for fine, coarse in reversed(ends))
        self.decoders = nn.ModuleList(_conv(width, width) for width in widths[-2:0:-1])
        self.unfold = nn.ConvTranspose3d(widths[1], widths[0], kernel_size=2, stride=2)
        self.edges = nn.Conv3d(config.in_channels, widths[0], kernel_size=3, padding=1, bias=False)
        self.dropout = nn.Dropout3d(config.dropout)
        self.classifier = nn.Linear(widths[0], config.classes)

    def forward(self, images: Tensor) -> NetOutput:
        """Segment `images` of shape (B, C, z, y, x)."""
        self.check(images)
        images = channels_last(images)
        features = self.through(self.stem, images)  # (B, 2 width, z/2, y/2, x/2)
        skips = []
        for down, encoder in zip(self.downs, self.encoders, strict=True):
            skips.append(features)
            features = self.through(encoder, down(features))  # half the resolution, twice the channels
        high = features
        features = self.dropout(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = self.through(decoder, add(up(features), skips.pop()))
        # In place: at full resolution a fresh map costs more than the arithmetic on it.
        low = F.relu_(self.unfold(features).add_(self.edges(images)))  # (B, width, z, y, x)
        logits = classify(self.dropout(low), self.classifier.weight, self.classifier.bias)
        return NetOutput(logits, low=low, high=high)


class Fold(nn.Module):
    """Fold each 2x2x2 block of voxels into channels: (B, C, z, y, x) -> (B, 8 C, z/2, y/2, x/2), channels last in memory."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the folded `images`; sides must be even."""
        b, c, z, y, x = images.shape
        blocks = images.reshape(b, c, z // 2, 2, y // 2, 2, x // 2, 2)
        blocks = blocks.permute(0, 2, 4, 6, 3, 5, 7, 1)  # (B, z/2, y/2, x/2, 2, 2, 2, C)
        return blocks.reshape(b, z // 2, y // 2, x // 2, 8 * c).movedim(-1, 1)


class Residual(nn.Module):
    """x + conv(x), normed and rectified."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = _conv(channels, channels)

    def forward(self, features: Tensor) -> Tensor:
        """Return `features` plus what the body makes of them, same shape."""
        refined: Tensor = features + self.body(features)
        return refined


def _conv(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_normed(nn.Conv3d(in_channels, out_channels, kernel_size=3, padding=1, bias=False)))


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_normed(nn.Conv3d(in_channels, out_channels, kernel_size=2, stride=2, bias=False)))


def _normed(convolution: nn.Conv3d) -> list[nn.Module]:
    channels = convolution.out_channels
    # A group norm of one channel a group is instance norm, and has a kernel for channels last that instance norm lacks.
    return [convolution, nn.GroupNorm(channels, channels), nn.LeakyReLU(0.01, inplace=True)]
