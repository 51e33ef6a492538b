from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cvrl_napari.config import NetConfig
from cvrl_napari.data.prepare import standardize
from cvrl_napari.engine.embed import embed, extract
from cvrl_napari.engine.events import EmbeddingsSaved, Progress
from cvrl_napari.engine.feature_picture import draw_features
from cvrl_napari.engine.model_file import Model, ModelCard, save_model
from cvrl_napari.nets.build import build_net
from cvrl_napari.volumes.reading import read

NET = NetConfig(width=4, levels=3)


@pytest.fixture
def student(make_plan, ball_study) -> Model:
    torch.manual_seed(0)
    return Model(build_net(NET).eval(), ModelCard.of(make_plan(net=NET, spacing=(4.0, 2.0, 2.0)), ball_study, metrics={}))


@pytest.fixture
def written(student, ball_study, tmp_path) -> list:
    path = tmp_path / "model.safetensors"
    save_model(path, student.net, student.card)
    return list(embed(path, ball_study.case("a").scan, tmp_path / "out", device="cpu"))


def test_features_are_written_with_their_places(written, student, ball_study):
    *progress, saved = written
    assert isinstance(saved, EmbeddingsSaved)
    assert all(isinstance(event, Progress) for event in progress)
    assert Path(saved.path).name == "a_embeddings.npz"
    scan = read(ball_study.case("a").scan)
    with np.load(saved.path) as arrays:
        count = len(arrays["voxels"])
        assert arrays["low"].shape == (count, 4)
        assert arrays["low"].dtype == arrays["high"].dtype == np.float16
        assert arrays["labels"].shape == (count,)
        assert arrays["high"].shape == (16, 4, 6, 5)  # 14 x 24 x 20 voxels in cells of 4^3
        assert arrays["high_cell"].tolist() == [8, 4, 4]
        assert (arrays["voxels"] >= 0).all()
        assert (arrays["voxels"] < scan.array.shape).all()
        assert len(np.unique(arrays["voxels"], axis=0)) == count


def test_features_belong_to_their_voxels(student, ball_study):
    scan = read(ball_study.case("a").scan)
    image = standardize(scan.array, (14, 24, 20))
    voxels = np.array([[0, 0, 0], [3, 5, 7], [9, 17, 18], [9, 23, 19]])
    found = extract(student, image, voxels, level=9)
    with torch.inference_mode():
        corner = student.net(torch.nn.functional.pad(image[None, :, :, :16, :16], (0, 0, 0, 0, 0, 2), mode="replicate"))
    assert torch.allclose(found.rows[:2], corner.low[0][:, [0, 3], [0, 5], [0, 7]].T, atol=1e-5)
    assert torch.allclose(found.high[:, :4, :4, :4], corner.high[0], atol=1e-5)
    assert torch.allclose(found.slice_map[:, :16, :16], corner.low[0][:, 9], atol=1e-5)
    assert torch.allclose(found.rows[2:], found.slice_map[:, [17, 23], [18, 19]].T)
    assert found.slice_map.shape == (4, 24, 20)


def test_the_picture_is_a_png_beside_the_features(written):
    with Image.open(written[-1].picture) as picture:
        assert picture.format == "PNG"
        assert picture.height == 512
        assert np.asarray(picture).std() > 10


def test_a_picture_shows_where_features_differ():
    """Two classes of voxels, far apart: the slice is in two colors, the scatter in those of the classes."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 500)
    rows = rng.normal(size=(1000, 6)) * 0.1 + labels[:, None] * np.arange(6)
    half = np.repeat([[0.0], [1.0]], 10, axis=0) * np.arange(6)  # (20, 6)
    slice_map = np.broadcast_to(half.T[:, None, :], (6, 10, 20))
    png = draw_features(slice_map, rows, labels, {1: "#ff0000"}, (2.0, 1.0))
    picture = np.asarray(Image.open(BytesIO(png)))
    assert picture.shape == (512, 512 + 512, 3)  # 10 rows of 2 mm by 20 columns of 1 mm is a square
    left, right = picture[:, 100, 0].mean(), picture[:, 400, 0].mean()
    assert abs(left - right) > 100
    scatter = picture[:, 512:]
    red, grey = (scatter == (255, 0, 0)).all(axis=-1), (scatter == (128, 128, 128)).all(axis=-1)
    assert red.any()
    assert grey.any()
    assert abs(np.argwhere(red)[:, 1].mean() - np.argwhere(grey)[:, 1].mean()) > 200


@pytest.mark.parametrize("channels", [1, 2])
def test_few_channels_still_make_a_picture(channels):
    rng = np.random.default_rng(0)
    png = draw_features(rng.normal(size=(channels, 4, 4)), rng.normal(size=(9, channels)), np.zeros(9, int), {}, (1, 1))
    assert Image.open(BytesIO(png)).size == (1024, 512)
