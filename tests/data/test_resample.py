import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from cvrl_napari.data import resample as module
from cvrl_napari.data.resample import (
    network_shape,
    resample,
    resample_labels,
    scan_grid_slabs,
    to_scan_grid,
)

sizes = st.tuples(*3 * [st.integers(6, 40)])


def ball(shape: tuple[int, int, int], center: tuple[float, float, float], radius: float) -> np.ndarray:
    distance = np.sqrt(sum((axis - middle) ** 2 for axis, middle in zip(np.indices(shape), center, strict=True)))
    return distance < radius


def centroid(weights: np.ndarray) -> np.ndarray:
    return np.array([(axis * weights).sum() / weights.sum() for axis in np.indices(weights.shape)])


def test_axes_within_five_percent_keep_their_voxels():
    assert network_shape((10, 100, 100), (5.0, 0.78, 0.78), (4.8, 0.8, 1.56)) == (10, 100, 50)


def test_the_network_grid_spans_the_scan():
    assert network_shape((44, 120, 80), (2.0, 0.5, 0.625), (1.0, 1.0, 1.25)) == (88, 60, 40)
    assert network_shape((1, 2, 3), (1.0, 1.0, 1.0), (50.0, 50.0, 50.0)) == (1, 1, 1)


@pytest.mark.parametrize("grid", [(20, 20, 20), (13, 40, 17), (80, 17, 23), (40, 40, 40)])
def test_there_and_back_does_not_shift(grid):
    shape = (40, 40, 40)
    shifts = []
    for center in np.random.default_rng(0).uniform(18, 21, (8, 3)):
        mask = ball(shape, center, 14)
        there = resample_labels(mask.astype(np.uint8), grid)
        one_hot = F.one_hot(torch.from_numpy(there).long(), 2).movedim(-1, 0).float()
        back = to_scan_grid(one_hot, shape)
        shifts.append(centroid(back[1].numpy()) - centroid(mask))
        assert np.abs(centroid(back.argmax(dim=0).numpy()) - centroid(mask)).max() < 0.2
    assert np.abs(np.mean(shifts, axis=0)).max() < 0.05  # a single ball is off by its rounding to coarse voxels


def test_making_coarser_averages_instead_of_dropping_voxels():
    stripes = torch.zeros(1, 8, 8, 64)
    stripes[..., ::2] = 1  # at a quarter of the resolution only their mean can be shown
    coarse = resample(stripes, (8, 8, 16))
    assert coarse[..., 1:-1].sub(0.5).abs().max() < 0.01


@settings(max_examples=25, deadline=None)
@given(sizes, sizes)
def test_a_constant_stays_and_a_ramp_stays_where_it_is(shape, grid):
    ramp = sum(torch.linspace(0.5 / n, 1 - 0.5 / n, n).reshape(-1, *(2 - axis) * [1]) for axis, n in enumerate(shape))
    found = resample(ramp.expand(shape)[None], grid)[0]
    wanted = sum(torch.linspace(0.5 / n, 1 - 0.5 / n, n).reshape(-1, *(2 - axis) * [1]) for axis, n in enumerate(grid))
    margin = [max(1, -(-2 * m // n)) for m, n in zip(grid, shape, strict=True)]  # borders are cut off by the scan's end
    inside = tuple(slice(a, m - a) for a, m in zip(margin, grid, strict=True))
    assert torch.allclose(found[inside], wanted.expand(grid)[inside], atol=2e-2)
    assert torch.allclose(resample(torch.full((1, *shape), 3.0), grid), torch.tensor(3.0), atol=1e-5)


def test_slabs_are_the_whole_cut_into_pieces(monkeypatch):
    probabilities = torch.rand(2, 7, 9, 11, generator=torch.Generator().manual_seed(0))
    whole = F.interpolate(probabilities[None], (20, 18, 33), mode="trilinear", align_corners=False)[0]
    monkeypatch.setattr(module, "_SLAB_VALUES", 2 * 18 * 33 * 3)
    slabs = list(scan_grid_slabs(probabilities, (20, 18, 33)))
    assert [where.stop - where.start for where, _ in slabs] == [3, 3, 3, 3, 3, 3, 2]
    assert torch.allclose(torch.cat([slab for _, slab in slabs], dim=1), whole, atol=1e-5)


def test_a_new_voxel_takes_the_class_with_the_largest_share():
    labels = np.zeros((4, 4, 12), np.uint8)
    labels[..., 3:9] = 7
    assert resample_labels(labels, (4, 4, 4))[0, 0].tolist() == [0, 7, 7, 0]


def test_a_stroke_on_one_slice_survives_a_coarser_grid():
    labels = np.full((16, 8, 8), 255, np.uint8)
    labels[5, 2:6, 2:6] = 1
    coarse = resample_labels(labels, (4, 4, 4))
    assert (coarse[1, 1:3, 1:3] == 1).all()
    assert (coarse != 255).sum() == 4  # and what nobody painted stays unknown


@settings(max_examples=25, deadline=None)
@given(sizes, sizes, st.integers(0, 1000))
def test_only_classes_that_were_there_appear(shape, grid, seed):
    labels = np.random.default_rng(seed).choice(np.array([0, 1, 3, 255], np.uint8), shape)
    assert set(np.unique(resample_labels(labels, grid))) <= {0, 1, 3, 255}
    assert set(np.unique(resample_labels(np.where(labels == 255, 3, labels), grid))) <= {0, 1, 3}
