"""Cases of a study are embedded once, each where its scan says, and what cannot be done is said in a sentence."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch
from torch import nn

from cvrl_napari.config import NetConfig, TrainRequest
from cvrl_napari.engine import dense_features
from cvrl_napari.engine.embed_cases import embed_cases
from cvrl_napari.engine.embedding_cache import CaseFolder, embeddings_folder, load_embeddings, size_bytes
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import CaseEmbedded, Progress, RunDone
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import load_model, save_model
from cvrl_napari.engine.similarity import to_scan_grid
from cvrl_napari.engine.train import train
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.projector import Projector
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.study import Study

NET = NetConfig(width=4, levels=3)


@pytest.fixture
def save(make_plan, ball_study, tmp_path):
    """Return a function that saves an untrained model."""

    def save_one(*, projectors=True, spacing=(2.0, 2.0, 2.0), **net) -> Path:
        torch.manual_seed(0)
        config = NET.model_copy(update=net)
        card = ModelCard.of(make_plan(net=config, spacing=spacing), ball_study, metrics={})
        both = nn.ModuleDict({"low": Projector(4, 32), "high": Projector(16, 32)}) if projectors else None
        path = tmp_path / f"{len(list(tmp_path.glob('*.safetensors')))}.safetensors"
        save_model(path, build_net(config), card, both)
        return path

    return save_one


def embed(study, model, *cases, **options) -> list:
    return list(embed_cases(study, model, cases, device="cpu", threads=1, **options))


def test_each_case_is_computed_once(save, ball_study):
    model = save()
    events = embed(ball_study, model, "a", "c")
    assert [event.case for event in events if isinstance(event, CaseEmbedded)] == ["a", "c"]
    assert {(event.what, event.case) for event in events if isinstance(event, Progress)} == {
        ("Computing features", "a"),
        ("Computing features", "c"),
    }
    low, high = (load_embeddings(ball_study, model, "a", level) for level in ("low", "high"))
    assert low is not None
    assert high is not None
    assert (low.features.shape, low.scale) == ((28, 24, 20, 4), (1.0, 1.0, 1.0))
    assert (high.features.shape, high.scale) == ((7, 6, 5, 16), (4.0, 4.0, 4.0))
    assert low.projected is not None
    assert low.projected.shape == (28, 24, 20, 32)
    assert embed(ball_study, model, "a", "c") == [CaseEmbedded(case="a"), CaseEmbedded(case="c")]


def test_the_projectors_of_the_model_are_those_of_the_cache(save, ball_study):
    model = save()
    embed(ball_study, model, "a")
    low = load_embeddings(ball_study, model, "a")
    assert low is not None
    rows = low.features[3, :5, 7]
    with torch.inference_mode():
        expected = load_model(model).projectors["low"](torch.from_numpy(np.array(rows)).float())
    np.testing.assert_allclose(low.projected[3, :5, 7], expected, atol=1e-4)


def test_a_model_without_projectors_has_no_projected_features(save, ball_study):
    model = save(projectors=False)
    embed(ball_study, model, "a")
    assert all(load_embeddings(ball_study, model, "a", level).projected is None for level in ("low", "high"))


def test_a_run_keeps_its_projectors_in_its_model(ball_study):
    *_, done = train(ball_study, TrainRequest(device="cpu", steps=2, threads=1))
    assert isinstance(done, RunDone)
    projectors, card = load_model(Path(done.model)).projectors, load_model(Path(done.model)).card
    assert set(projectors) == {"low", "high"}
    assert card.projectors == {"low": 128, "high": 128}
    assert not any(one.training for one in projectors.values())


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, -1)])
def test_features_lie_on_the_structures_of_scans_in_any_order(save, tmp_path, axes, flips):
    """A corner of a scan is bright; whatever its axes and voxel sizes, the features differ there and nowhere else."""
    array = np.zeros((24, 20, 16), np.float32)
    array[16:, :6, :6] = 100
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    image = nibabel.Nifti1Image(array, affine)
    order = np.array([[axis, flip] for axis, flip in zip(np.argsort(axes), flips, strict=True)])
    turned = image.as_reoriented(order)
    (tmp_path / "turned").mkdir()
    nibabel.save(turned, tmp_path / "turned" / "corner.nii.gz")
    study = Study.create(tmp_path / "turned" / "study", [tmp_path / "turned" / "corner.nii.gz"], classes=("corner",))
    model = save(spacing=(2.0, 2.0, 2.0))
    embed(study, model, "corner")
    scan = study.read_scan("corner").array
    study.close()
    one = load_embeddings(study, model, "corner")
    assert one is not None
    features = to_scan_grid(one.features.astype(np.float32), one, scan.shape)
    bright = scan > 50
    middles = [features[where].mean(axis=0) for where in (bright, ~bright)]
    to_bright, to_dark = (np.linalg.norm(features - middle, axis=-1) for middle in middles)
    found = to_bright < to_dark
    assert 2 * (found & bright).sum() / (found.sum() + bright.sum()) > 0.6


def test_a_large_scan_gets_larger_cells(save, ball_study, monkeypatch):
    monkeypatch.setattr(dense_features, "LARGEST_LOW_BYTES", 20 * 24 * 28 * 4 * 2 - 1)
    model = save()
    embed(ball_study, model, "a")
    low = load_embeddings(ball_study, model, "a")
    assert low is not None
    assert (low.features.shape, low.scale) == ((14, 12, 10, 4), (2.0, 2.0, 2.0))


def test_stopping_leaves_no_half_case(save, ball_study):
    model = save()
    events = embed_cases(ball_study, model, ["a"], device="cpu", threads=1)
    while next(events).done == 0:
        pass
    events.close()
    assert load_embeddings(ball_study, model, "a") is None
    assert not list(embeddings_folder(ball_study).rglob("*.npy"))
    assert embed(ball_study, model, "a")[-1] == CaseEmbedded(case="a")


def test_the_cache_stays_within_its_limit(save, ball_study):
    model = save()
    embed(ball_study, model, "a")
    one = size_bytes(ball_study)
    embed(ball_study, model, "b", limit_bytes=int(1.5 * one))
    assert load_embeddings(ball_study, model, "a") is None
    assert load_embeddings(ball_study, model, "b") is not None
    with pytest.raises(EngineError, match=r"need more than the .* GB"):
        embed(ball_study, model, "c", "d", limit_bytes=int(1.5 * one))


def test_a_scan_with_another_channel_count_does_not_keep_the_others_back(save, ball_study):
    model = save(in_channels=2)
    with pytest.raises(EngineError, match=r"1 of 1 cases could not be embedded. a: The model was trained on 2 images"):
        embed(ball_study, model, "a")
    one = save()
    ball_study.case("a").scan.unlink()
    events = embed_cases(ball_study, one, ["a", "b"], device="cpu", threads=1)
    with pytest.raises(EngineError, match=r"1 of 2 cases could not be embedded. a: "):
        assert CaseEmbedded(case="b") in list(iter(events.__next__, None))
    assert load_embeddings(ball_study, one, "b") is not None


def test_what_is_not_there_is_said(save, ball_study, tmp_path):
    with pytest.raises(StudyError, match="no case 'z'"):
        embed(ball_study, save(), "z")
    with pytest.raises(EngineError, match=r"cannot be read"):
        embed(ball_study, tmp_path / "nowhere.safetensors", "a")


def test_a_full_disk_is_said(save, ball_study, monkeypatch):
    model = save()
    folder = CaseFolder(ball_study, model, "a").path
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"in the way")
    with pytest.raises(StudyError, match=r"The features of 'a' could not be saved in"):
        embed(ball_study, model, "a")
