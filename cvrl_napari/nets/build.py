"""From the settings of a network to the network."""

from cvrl_napari.config import NetConfig
from cvrl_napari.nets.compact import CompactNet
from cvrl_napari.nets.output import Net
from cvrl_napari.nets.vnet import VNet


def build_net(config: NetConfig) -> Net:
    """Return a new network with random weights, drawn from torch's global generator."""
    return VNet(config) if config.name == "vnet" else CompactNet(config)
