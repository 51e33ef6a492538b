"""Features from windows are those of the whole, lie where they belong, and have no seams."""

import numpy as np
import pytest
import torch

from cvrl_napari.config import NetConfig
from cvrl_napari.engine import dense_features
from cvrl_napari.engine.dense_features import CellArrays, grids_of, smoothed, write_features
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import Model
from cvrl_napari.engine.windows import predict_volume
from cvrl_napari.nets.build import build_net


@pytest.fixture
def make_student(make_plan, ball_study):
    def make(patch_size=(16, 16, 16), **net) -> Model:
        torch.manual_seed(0)
        config = NetConfig(**{"width": 4, "levels": 2, **net})
        card = ModelCard.of(make_plan(net=config, patch_size=patch_size), ball_study, metrics={})
        return Model(build_net(config).eval(), card)

    return make


def computed(student: Model, image: torch.Tensor) -> dict[str, CellArrays]:
    z, y, x = image.shape[1:]
    grids = grids_of(student, (z, y, x))
    into = {
        level: CellArrays(
            np.full((*grid.shape, grid.channels), np.nan, np.float16),
            np.full(grid.shape, 99, np.uint8),
            np.full(grid.shape, np.nan, np.float16),
        )
        for level, grid in grids.items()
    }
    told = list(write_features(student, image, grids, into))
    assert [done for done, _ in told] == list(range(1, told[0][1] + 1))
    assert not any(np.isnan(one.features).any() or np.isnan(one.uncertainty).any() for one in into.values())
    assert all(one.predicted.max() < 2 for one in into.values())
    return into


def test_windows_give_what_comes_of_the_whole_at_once(make_student):
    """Without a norm over the window: equal to 1e-3 away from the borders, where the windows end and the scan does not."""
    student, image = make_student(name="vnet", patch_size=(32, 32, 32)), torch.randn(1, 48, 32, 72)
    with torch.inference_mode():
        whole = student.net(image[None])
    found = computed(student, image)
    low, high = (maps[0].movedim(0, -1).numpy() for maps in (smoothed(whole.low), whole.high))
    inside, cells = np.s_[8:-8, 8:-8, 8:-8], np.s_[4:-4, 4:-4, 4:-4]
    assert np.abs(found["low"].features.astype(np.float32) - low)[inside].max() < 1e-3 * max(1, np.abs(low).max())
    assert np.abs(found["high"].features.astype(np.float32) - high)[cells].max() < 1e-3 * max(1, np.abs(high).max())


@pytest.mark.parametrize("name", ["vnet", "compact"])
def test_classes_and_doubt_are_those_of_the_prediction(make_student, name):
    student, image = make_student(name=name), torch.randn(1, 16, 32, 24)
    probabilities = predict_volume(student.net, image, patch_size=(16, 16, 16), overlap=0.5)
    found = computed(student, image)["low"]
    # Next to the border of all windows the two weigh differently: there, what is in doubt may go the other way.
    margin, other = (probabilities[0] - probabilities[1]).abs().numpy(), found.predicted != probabilities.argmax(dim=0).numpy()
    assert other.mean() < 0.02
    assert margin[other].max() < 0.15
    assert len(np.unique(found.predicted)) == 2
    assert 0 <= found.uncertainty.min() <= found.uncertainty.max() <= 1


def test_an_image_of_one_window_is_computed_at_once(make_student):
    student, image = make_student(levels=3), torch.randn(1, 16, 16, 16)
    with torch.inference_mode():
        whole = student.net(image[None])
    found = computed(student, image)
    np.testing.assert_allclose(found["low"].features, smoothed(whole.low)[0].movedim(0, -1), atol=2e-3)
    np.testing.assert_allclose(found["high"].features, whole.high[0].movedim(0, -1), atol=2e-3)


def test_a_checkerboard_vanishes_and_what_is_even_stays():
    places = torch.stack(torch.meshgrid(*(torch.arange(side) for side in (6, 7, 8)), indexing="ij"))
    plane = 2.0 * places[1] + 3.0 * places[2]
    for axes in ([0], [1, 2], [0, 1, 2]):
        board = (-1.0) ** places[axes].sum(dim=0)
        found = smoothed((plane + 5 * board)[None, None])[0, 0]
        torch.testing.assert_close(found[1:-1, 1:-1, 1:-1], plane[1:-1, 1:-1, 1:-1])
    torch.testing.assert_close(smoothed(torch.full((1, 2, 1, 3, 4), 7.0)), torch.full((1, 2, 1, 3, 4), 7.0))


def test_thin_cells_are_the_means_of_eight_voxels(make_student, monkeypatch):
    monkeypatch.setattr(dense_features, "LARGEST_LOW_BYTES", 2 * 4 * 16**3 - 1)
    student, image = make_student(patch_size=(16, 16, 16)), torch.randn(1, 16, 16, 16)
    with torch.inference_mode():
        whole = student.net(image[None]).low[0].movedim(0, -1)
    thin = computed(student, image)["low"]
    assert thin.features.shape == (8, 8, 8, 4)
    means = whole.reshape(8, 2, 8, 2, 8, 2, 4).mean(dim=(1, 3, 5))
    np.testing.assert_allclose(thin.features, means, atol=2e-3)
    assert computed(student, torch.randn(1, 20, 16, 25))["low"].features.shape == (10, 8, 13, 4)


@pytest.mark.parametrize("size", [(1, 1, 1), (5, 16, 40), (17, 33, 31)])
def test_every_size_is_covered(make_student, size):
    student = make_student(levels=3)
    found = computed(student, torch.randn(1, *size))
    assert found["low"].features.shape == (*size, 4)
    assert found["high"].features.shape == (*(-(-side // 4) for side in size), 16)
