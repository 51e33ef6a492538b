import csv
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from cvrl_napari.config import NetConfig
from cvrl_napari.engine.embed import embed
from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.embedding_cache import load_embeddings
from cvrl_napari.engine.events import EmbeddingsSaved, Progress
from cvrl_napari.engine.feature_picture import draw_features
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import Model, save_model
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.projector import Projector
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


def test_a_table_says_the_same_of_each_voxel(written, student):
    saved = written[-1]
    rows = list(csv.DictReader(Path(saved.table).read_text().splitlines()))
    names = {0: "background"} | {one.id: one.name for one in student.card.classes}
    with np.load(saved.path) as arrays:
        assert [[int(row[axis]) for axis in "zyx"] for row in rows] == arrays["voxels"].tolist()
        assert [row["predicted"] for row in rows] == [names[label] for label in arrays["labels"]]
        features = arrays["low"].astype(np.float64)
    assert {row["case"] for row in rows} == {"a"}
    places = np.array([[float(row["plot_x"]), float(row["plot_y"])] for row in rows])
    centered = features - features.mean(axis=0)
    axes = np.linalg.svd(centered, full_matrices=False)[2][:2]
    np.testing.assert_allclose(np.abs(places), np.abs(centered @ axes.T), atol=2e-2 * np.abs(places).max())


@pytest.mark.parametrize("contrasts", [True, False])
def test_they_are_the_features_that_the_viewer_shows(student, ball_study, tmp_path, contrasts):
    path = ball_study.runs_folder / "run" / "model.safetensors"
    path.parent.mkdir(parents=True)
    projectors = nn.ModuleDict({"low": Projector(4, 6).eval()} if contrasts else {})
    save_model(path, student.net, student.card, projectors)
    list(embed_cases(ball_study, path, ["a"], device="cpu", threads=1))
    *_, saved = embed(path, ball_study.case("a"), tmp_path / "out", device="cpu")
    low, high = (load_embeddings(ball_study, path, "a", level) for level in ("low", "high"))
    with np.load(saved.path) as arrays:
        cells = tuple(low.cell_of(arrays["voxels"]).T)
        np.testing.assert_array_equal(arrays["low"], low.features[cells])
        np.testing.assert_array_equal(arrays["labels"], low.predicted[cells])
        np.testing.assert_array_equal(arrays["high"], np.moveaxis(high.features, -1, 0))
        np.testing.assert_allclose(arrays["high_cell"], high.scale)
        assert ("low_projected" in arrays) == contrasts
        if contrasts:
            np.testing.assert_allclose(arrays["low_projected"], low.projected[cells], rtol=1e-3, atol=1e-3)


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
