import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cvrl_napari.config import NetConfig
from cvrl_napari.engine.windows import predict_volume, predict_windows, window_starts
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.output import Net, NetOutput


class PerVoxel(Net):
    """Tells classes by the grey value of the voxel alone: whatever the windows, the answer is known."""

    low_channels, high_channels, stride = 1, 1, 4

    def __init__(self) -> None:
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(2.0))
        self.sizes: list[tuple[int, ...]] = []

    def forward(self, images: torch.Tensor) -> NetOutput:
        self.sizes.append(tuple(images.shape[2:]))
        return NetOutput(torch.cat([self.gain * images, -images, images * 0], dim=1), low=images, high=images)


@given(st.integers(1, 200), st.integers(1, 64), st.integers(1, 64))
def test_windows_cover_the_axis_evenly(length, patch, stride):
    starts = window_starts(length, patch, stride)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - patch)
    steps = [b - a for a, b in itertools.pairwise(starts)]
    assert all(0 < step <= stride for step in steps)
    assert max(steps, default=0) - min(steps, default=0) <= 1


@pytest.mark.parametrize("size", [(8, 8, 8), (20, 17, 30), (5, 30, 7), (1, 1, 1)])
def test_each_voxel_gets_its_own_answer(size):
    image = torch.randn(1, *size, generator=torch.Generator().manual_seed(0))
    net = PerVoxel()
    found = predict_volume(net, image, patch_size=(8, 8, 8), overlap=0.5)
    wanted = torch.cat([2 * image, -image, image * 0]).softmax(dim=0)
    assert found.shape == (3, *size)
    assert torch.allclose(found, wanted, atol=1e-5)
    assert set(net.sizes) == {(8, 8, 8)}


def test_it_tells_of_each_window_outside_of_inference_mode():
    net = PerVoxel()
    told = []
    for done in predict_windows(net, torch.randn(1, 8, 8, 20), patch_size=(8, 8, 8), overlap=0.5):
        assert not torch.is_inference_mode_enabled()
        assert net.training
        told.append(done)
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_windows_are_blended_as_monai_does():
    from monai.inferers.utils import sliding_window_inference

    torch.manual_seed(0)
    net = build_net(NetConfig(width=4, levels=3, classes=3)).eval()
    image = torch.randn(1, 24, 32, 16)
    ours = predict_volume(net, image, patch_size=(16, 16, 16), overlap=0.5)
    with torch.inference_mode():
        theirs = sliding_window_inference(
            image[None], (16, 16, 16), 1, lambda patch: net(patch).logits.softmax(dim=1), overlap=0.5, mode="gaussian"
        )[0]
    assert torch.allclose(ours, theirs, atol=1e-4)


def test_an_image_that_fits_one_patch_is_computed_once_in_its_middle():
    net = PerVoxel()
    predict_volume(net, torch.randn(1, 7, 8, 3), patch_size=(8, 8, 8), overlap=0.5)
    assert len(net.sizes) == 1


def test_training_goes_on_as_it_was():
    net = build_net(NetConfig(name="vnet", width=4, levels=2, dropout=0.5)).train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    state = torch.get_rng_state()
    image = torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    first = predict_volume(net, image, patch_size=(8, 8, 8), overlap=0)
    assert torch.equal(first, predict_volume(net, image, patch_size=(8, 8, 8), overlap=0))  # no dropout
    assert net.training
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())  # no batch statistics
    assert torch.equal(torch.get_rng_state(), state)


def test_a_stride_takes_the_place_of_the_overlap():
    net = PerVoxel()
    predict_volume(net, torch.randn(1, 12, 8, 10), patch_size=(8, 8, 8), overlap=0.5, stride=(1, 8, 2))
    assert len(net.sizes) == 5 * 1 * 2
