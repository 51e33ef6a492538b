import pytest
import torch

from cvrl_napari.config import NetConfig
from cvrl_napari.nets.build import build_net

PAPER = NetConfig(name="vnet", classes=2, width=16, levels=5, dropout=0.5)


def test_the_papers_network_has_9_4_million_parameters():
    assert sum(weights.numel() for weights in build_net(PAPER).parameters()) == 9_448_866


def test_taps_of_a_paper_patch_have_the_papers_shapes():
    with torch.device("meta"):
        net = build_net(PAPER)
        output = net(torch.empty(1, 1, 112, 112, 80))
    assert output.logits.shape == (1, 2, 112, 112, 80)
    assert output.low.shape == (1, 16, 112, 112, 80)
    assert output.high.shape == (1, 256, 7, 7, 5)
    assert (net.low_channels, net.high_channels, net.stride) == (16, 256, 16)


@pytest.mark.parametrize("name", ["vnet", "compact"])
def test_the_taps_do_not_feel_dropout_themselves(name):
    torch.manual_seed(0)
    net = build_net(NetConfig(name=name, width=4, levels=3, dropout=0.5)).train()
    images = torch.randn(2, 1, 8, 8, 8)
    once, again = net(images), net(images)
    assert torch.equal(once.high, again.high)  # before the first dropout
    assert not torch.equal(once.low, again.low)  # after the first one, which is upstream
    assert bool((once.low.abs().sum(dim=(2, 3, 4)) > 0).float().mean() > 0.8)  # but no channel of it is dropped


@pytest.mark.parametrize("name", ["vnet", "compact"])
@pytest.mark.parametrize("levels", [2, 3, 5])
def test_any_multiple_of_the_stride_fits_and_anything_else_is_refused_in_words(name, levels):
    net = build_net(NetConfig(name=name, in_channels=2, classes=4, width=4, levels=levels))
    side = net.stride
    output = net(torch.randn(2, 2, side, 2 * side, 3 * side))
    assert output.logits.shape == (2, 4, side, 2 * side, 3 * side)
    assert output.low.shape == (2, net.low_channels, side, 2 * side, 3 * side)
    assert output.high.shape == (2, net.high_channels, 1, 2, 3)
    with pytest.raises(ValueError, match=f"multiple of {side}"):
        net(torch.randn(1, 2, side, side, side + 1))


@pytest.mark.parametrize("name", ["vnet", "compact"])
def test_every_weight_learns(name):
    torch.manual_seed(0)
    net = build_net(NetConfig(name=name, width=4, levels=3))
    net(torch.randn(2, 1, 16, 16, 16)).logits.square().sum().backward()
    assert all(weights.grad is not None and bool(weights.grad.abs().sum() > 0) for weights in net.parameters())


def test_the_layout_in_memory_changes_nothing_but_the_rounding():
    """The classifier's matmul and channels last against the network as it is written: convolutions in the default layout."""
    torch.manual_seed(0)
    net = build_net(NetConfig(name="vnet", width=8, levels=3, classes=3)).eval()
    images = torch.randn(2, 1, 16, 16, 24)
    features = net.entry(images)
    skips = []
    for down, encoder in zip(net.downs, net.encoders, strict=True):
        skips.append(features)
        features = encoder(down(features))
    for up, decoder in zip(net.ups, net.decoders, strict=True):
        features = decoder(up(features) + skips.pop())
    output = net(images)
    torch.testing.assert_close(output.logits, net.classifier(features), atol=1e-5, rtol=1e-5)
    assert output.low.stride(1) == 1
    assert features.stride(1) != 1
