import pytest
import torch
from torch import nn

from cvrl_napari.config import NetConfig
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.for_prediction import OneDnnConvolution, for_prediction
from cvrl_napari.nets.output import Net


def trained(**settings: object) -> Net:
    """A network whose running statistics and affine weights are not those it began with."""
    torch.manual_seed(0)
    config = NetConfig.model_validate({"width": 4, "levels": 3, **settings})
    net = build_net(config).train()
    for _ in range(3):
        net(3 * torch.randn(2, config.in_channels, 16, 16, 16) + 1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 2)
            nn.init.uniform_(module.bias, -1, 1)
    return net.eval()


@pytest.mark.parametrize("name", ["vnet", "compact"])
@pytest.mark.parametrize("settings", [{}, {"in_channels": 3, "classes": 5}, {"width": 16, "levels": 4, "dropout": 0.5}])
def test_it_gives_the_same_logits_and_features(name, settings):
    net = trained(name=name, **settings)
    for windows in (1, 2):
        images = torch.randn(windows, settings.get("in_channels", 1), 16, 32, 24)
        with torch.inference_mode():
            for mine, wanted in zip(for_prediction(net)(images), net(images), strict=True):
                assert mine.shape == wanted.shape
                assert torch.allclose(mine, wanted, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("name", ["vnet", "compact"])
def test_onednn_computes_every_convolution_and_no_batch_norm_is_left(name):
    ready = for_prediction(trained(name=name))
    kinds = [type(module) for module in ready.modules()]
    convolutions = sum(isinstance(one, nn.Conv3d | nn.ConvTranspose3d) for one in trained(name=name).modules())
    assert kinds.count(OneDnnConvolution) == convolutions
    assert nn.BatchNorm3d not in kinds


@pytest.mark.parametrize("name", ["vnet", "compact"])
def test_the_network_itself_stays_as_it_was_and_the_copy_keeps_its_weights(name):
    net = trained(name=name).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    image = torch.randn(1, 1, 16, 16, 16)
    with torch.inference_mode():
        ready = for_prediction(net)
        first = ready(image).logits
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    net(image.expand(2, -1, -1, -1, -1)).logits.sum().backward()  # still learns
    with torch.no_grad():
        for weights in net.parameters():
            weights.add_(1.0)
    with torch.inference_mode():
        assert torch.equal(ready(image).logits, first)


@pytest.mark.parametrize("name", ["vnet", "compact"])
def test_who_watches_a_layer_watches_what_stands_for_it(name):
    net, seen = trained(name=name), []
    convolutions = [module for module in net.modules() if isinstance(module, nn.Conv3d | nn.ConvTranspose3d)]
    for convolution in convolutions:
        convolution.register_forward_pre_hook(lambda *_: seen.append(1))
    with torch.inference_mode():
        for_prediction(net)(torch.randn(1, 1, 16, 16, 16))
    used_as_layers = len(convolutions) - (name == "vnet")  # its classifier is a matrix product over the features
    assert len(seen) == used_as_layers


def test_a_torch_without_these_operations_gets_the_network_as_it_is(monkeypatch):
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    net = trained(name="vnet")
    assert for_prediction(net) is net
