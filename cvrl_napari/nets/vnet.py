"""The V-Net of the UA-MT family, with its two taps for the contrast.

Milletari et al., 3DV 2016, as Yu et al., MICCAI 2019 (UA-MT) and its followers train it: 16 filters doubling to 256, 3x3x3
convolutions with batch norm, stride-2 convolutions down, transposed convolutions up, additive skips, dropout of whole
channels after the bottleneck and before the classifier. 9.4 million parameters for two classes.
"""

import itertools

from torch import Tensor, nn

from cvrl_napari.config import NetConfig
from cvrl_napari.nets.layout import add, channels_last, classify
from cvrl_napari.nets.output import Net, NetOutput

DEEPEST = 3
"""Convolutions of a block at level 2 and below; level 0 has one, level 1 two."""


class VNet(Net):
    """V-Net with batch norm and additive skips."""

    def __init__(self, config: NetConfig) -> None:
        super().__init__()
        widths = [config.width * 2**level for level in range(config.levels)]
        depths = [min(level + 1, DEEPEST) for level in range(config.levels)]
        ends = list(itertools.pairwise(widths))  # (finer, coarser) channels of each change of resolution
        self.low_channels, self.high_channels = widths[0], widths[-1]
        self.stride = 2 ** (config.levels - 1)
        self.recompute = config.recompute

        self.entry = _block(config.in_channels, widths[0], depths[0])
        self.downs = nn.ModuleList(_down(fine, coarse) for fine, coarse in ends)
        self.encoders = nn.ModuleList(_block(width, width, depth) for width, depth in zip(widths[1:], depths[1:], strict=True))
        self.ups = nn.ModuleList(_up(coarse, fine) for fine, coarse in reversed(ends))
        self.decoders = nn.ModuleList(
            _block(width, width, depth) for width, depth in zip(widths[-2::-1], depths[-2::-1], strict=True)
        )
        self.dropout = nn.Dropout3d(config.dropout)
        self.classifier = nn.Conv3d(widths[0], config.classes, kernel_size=1)

    def forward(self, images: Tensor) -> NetOutput:
        """Segment `images` of shape (B, C, z, y, x)."""
        self.check(images)
        on_cpu = images.device.type == "cpu"
        features = self.through(self.entry, channels_last(images) if on_cpu else images)
        skips = []
        for down, encoder in zip(self.downs, self.encoders, strict=True):
            skips.append(features)
            features = self.through(encoder, down(features))  # half the resolution, twice the channels
        high = features
        features = self.dropout(features)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            features = self.through(decoder, add(up(features), skips.pop()))
        dropped = self.dropout(features)
        logits = classify(dropped, self.classifier.weight, self.classifier.bias) if on_cpu else self.classifier(dropped)
        return NetOutput(logits, low=features, high=high)


def _block(in_channels: int, out_channels: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += _normed(nn.Conv3d(in_channels if index == 0 else out_channels, out_channels, kernel_size=3, padding=1))
    return nn.Sequential(*layers)


def _down(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_normed(nn.Conv3d(in_channels, out_channels, kernel_size=2, stride=2)))


def _up(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(*_normed(nn.ConvTranspose3d(in_channels, out_channels, kernel_size=2, stride=2)))


def _normed(convolution: nn.Conv3d | nn.ConvTranspose3d) -> list[nn.Module]:
    return [convolution, nn.BatchNorm3d(convolution.out_channels), nn.ReLU(inplace=True)]
