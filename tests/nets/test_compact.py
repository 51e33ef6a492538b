import torch

from cvrl_napari.config import NetConfig
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.compact import Fold


def test_fold_keeps_each_voxel_of_a_block_in_a_channel():
    images = torch.arange(2 * 2 * 4 * 4 * 6.0).reshape(2, 2, 4, 4, 6)
    folded = Fold()(images)
    assert folded.shape == (2, 16, 2, 2, 3)
    for block in [(0, 0, 0), (1, 0, 2), (1, 1, 1)]:
        z, y, x = (2 * index for index in block)
        expected = images[1, :, z : z + 2, y : y + 2, x : x + 2].movedim(0, -1).flatten()
        assert torch.equal(folded[(1, slice(None), *block)], expected)


def test_a_patch_does_not_depend_on_the_rest_of_its_batch():
    torch.manual_seed(0)
    net = build_net(NetConfig(width=8, levels=4)).train()
    images = torch.randn(3, 1, 16, 24, 16)
    together, alone = net(images).logits[:1], net(images[:1]).logits
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-4)


def test_it_is_small_and_light():
    net = build_net(NetConfig(classes=2))
    assert sum(weights.numel() for weights in net.parameters()) < 2_000_000
    assert net.low_channels == 16
    assert net.high_channels == 128
    assert net.stride == 8
    output = net(torch.randn(2, 1, 16, 16, 16))
    assert output.low.stride(1) == 1  # channels last throughout: half the time of a convolution on a CPU
    assert output.high.stride(1) == 1


def test_it_learns_to_tell_a_bright_box_to_the_voxel():
    torch.manual_seed(0)
    net = build_net(NetConfig(width=8, levels=3)).train()
    labels = torch.zeros(1, 16, 16, 16, dtype=torch.long)
    labels[:, 3:10, 5:12, 2:9] = 1
    images = labels.unsqueeze(1).float() + 0.1 * torch.randn(1, 1, 16, 16, 16)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for _ in range(40):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(images).logits, labels).backward()
        optimizer.step()
    assert (net(images).logits.argmax(dim=1) != labels).sum() <= 4
