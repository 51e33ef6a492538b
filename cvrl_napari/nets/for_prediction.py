"""A network for prediction on a processor: oneDNN computes its convolutions, with the batch norm and the ReLU that follow.

By its running statistics a batch norm only scales and shifts, which the filters before it can do as well, and oneDNN
rectifies a value before it goes to memory: the maps of a V-Net are written once instead of three times. And torch by itself
takes a slower way for small batches, of one window above all. The operations are those that torch's own compiler gives a
frozen network. They are not part of its public interface, so where they are missing a network is used as it is.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cvrl_napari.nets.output import Net

Convolution = nn.Conv3d | nn.ConvTranspose3d


def for_prediction(net: Net) -> Net:
    """Return a network that predicts what `net` does in its evaluation mode, up to rounding, faster where that is possible.

    On a processor it is a copy that keeps the weights of this moment and takes no gradient; elsewhere it is `net` itself.
    """
    on_cpu = next(net.parameters()).device.type == "cpu"
    if not (on_cpu and _available() and any(isinstance(module, Convolution) for module in net.modules())):
        return net
    ready = copy.deepcopy(net).eval().requires_grad_(False)
    for block in list(ready.modules()):
        _replace(block)
    return ready


class OneDnnConvolution(nn.Module):
    """A convolution of channels-last images, rectified or not, without gradient."""

    def __init__(self, convolution: Convolution, *, rectified: bool) -> None:
        super().__init__()
        self.convolution = convolution
        # A classifier is also used by its weights alone.
        weight = convolution.weight.detach().contiguous(memory_format=torch.channels_last_3d)
        self.weight, self.bias = nn.Parameter(weight, requires_grad=False), convolution.bias
        self.activation = "relu" if rectified else "none"
        for hook in convolution._forward_pre_hooks.values():  # a pause or a stop reaches a prediction through these
            self.register_forward_pre_hook(hook)

    def forward(self, images: Tensor) -> Tensor:
        """Return the maps of `images` (B, C, z, y, x)."""
        one, operations = self.convolution, torch.ops.mkldnn
        inputs = (images, self.weight, self.bias, one.padding)
        rest = (one.stride, one.dilation, one.groups, self.activation, (), "")
        maps: Tensor
        if isinstance(one, nn.ConvTranspose3d):
            maps = operations._convolution_transpose_pointwise(*inputs, one.output_padding, *rest)
        else:
            maps = operations._convolution_pointwise(*inputs, *rest)
        return maps


def _replace(block: nn.Module) -> None:
    """Replace the convolutions right inside `block`, in place, with the batch norm and ReLU that follow them in a sequence."""
    layers = list(block.named_children())
    is_sequence = isinstance(block, nn.Sequential)
    for index, (name, layer) in enumerate(layers):
        if not isinstance(layer, Convolution):
            continue
        following = [after for _, after in layers[index + 1 : index + 3]] if is_sequence else []
        match following:
            case [nn.BatchNorm3d() as norm, nn.ReLU()]:
                folded = fuse_conv_bn_eval(layer, norm, transpose=isinstance(layer, nn.ConvTranspose3d))
                setattr(block, name, OneDnnConvolution(folded, rectified=True))
                for after, _ in layers[index + 1 : index + 3]:
                    setattr(block, after, nn.Identity())
            case _:
                setattr(block, name, OneDnnConvolution(layer, rectified=False))


def _available() -> bool:
    there: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    names = ("_convolution_pointwise", "_convolution_transpose_pointwise")
    return there and all(hasattr(torch.ops.mkldnn, name) for name in names)
