import shutil
from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from cvrl_napari.config import NetConfig
from cvrl_napari.data.prepare import prepare
from cvrl_napari.data.resample import to_scan_grid
from cvrl_napari.engine import predict as module
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import PredictionSaved, Progress
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import load_model, save_model
from cvrl_napari.engine.predict import normalized_entropy, predict, predict_case_on_grid
from cvrl_napari.nets.build import build_net
from cvrl_napari.volumes.reading import read_labels

NET = NetConfig(width=4, levels=3)


@pytest.fixture
def model(tmp_path, make_plan, ball_study) -> Path:
    """A network that calls bright voxels ball: its weights are set by hand so that no training is needed."""
    torch.manual_seed(0)
    net = build_net(NET)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.zero_()
        net.edges.weight[0, 0, 1, 1, 1] = 1  # the image itself, where it is above zero
        net.classifier.weight[1, 0] = 5
        net.classifier.bias[0] = 10  # two standard deviations divide ball and background
    path = tmp_path / "model.safetensors"
    save_model(path, net, ModelCard.of(make_plan(net=NET), ball_study, metrics={}))
    return path


def scans_of(study) -> list[Path]:
    return [case.scan for case in study.cases]


def test_masks_lie_on_their_scans_and_volumes_are_told(model, ball_study, tmp_path):
    scan = ball_study.case("a").scan
    events = list(predict(model, [scan], tmp_path / "out", device="cpu", threads=1))
    (saved,) = (event for event in events if isinstance(event, PredictionSaved))
    assert [event.done for event in events if isinstance(event, Progress)] == [0, 1]
    assert saved.path == str(tmp_path / "out" / "a.nii.gz")
    mask, original = nibabel.load(saved.path), nibabel.load(scan)
    assert mask.get_data_dtype() == np.uint8
    assert mask.shape == original.shape
    assert np.array_equal(mask.affine, original.affine)
    found, wanted = np.asarray(mask.dataobj) == 1, np.asarray(nibabel.load(tmp_path / "labels_in" / "a.nii.gz").dataobj) == 1
    assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) > 0.9
    assert saved.volumes_ml == {1: pytest.approx(found.sum() * 8 / 1000)}


def test_a_longer_prediction_says_how_far_it_is(model, tmp_path, monkeypatch):
    nibabel.save(nibabel.Nifti1Image(np.zeros((30, 30, 80), np.float32), np.eye(4)), tmp_path / "long.nii.gz")
    monkeypatch.setattr(module, "TELL_EVERY_S", 0.0)
    events = list(predict(model, [tmp_path / "long.nii.gz"], tmp_path / "out", device="cpu", threads=1))
    told = [(one.done, one.total) for one in events if isinstance(one, Progress) and one.case == "long.nii.gz"]
    assert told[-1][1] > 1
    assert told == [(done, told[-1][1]) for done in range(1, told[-1][1] + 1)]
    monkeypatch.setattr(module, "TELL_EVERY_S", 60.0)
    again = predict(model, [tmp_path / "long.nii.gz"], tmp_path / "out", device="cpu", threads=1)
    assert not any(isinstance(one, Progress) and one.case for one in again)


FLIPPED = np.diag([-1.5, 3.0, 2.0, 1.0])
PERMUTED = np.array([[0, 0, 2, 5], [-3, 0, 0, 7], [0, 1.5, 0, -9], [0, 0, 0, 1.0]])


@pytest.mark.parametrize("affine", [FLIPPED, PERMUTED])
def test_a_mask_lies_on_its_scan_in_any_axis_order(model, tmp_path, affine):
    array = np.random.default_rng(0).normal(100, 5, (22, 25, 30)).astype(np.float32)
    array[3:9, 12:20, 5:15] += 100
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "scan.nii.gz")
    list(predict(model, [tmp_path / "scan.nii.gz"], tmp_path / "out", device="cpu", threads=1))
    mask = nibabel.load(tmp_path / "out" / "scan.nii.gz")
    assert np.array_equal(mask.affine, nibabel.load(tmp_path / "scan.nii.gz").affine)
    found, wanted = np.asarray(mask.dataobj) == 1, array > 150
    assert 2 * (found & wanted).sum() / (found.sum() + wanted.sum()) > 0.8


def test_uncertainty_is_high_between_classes(model, ball_study, tmp_path):
    list(predict(model, [ball_study.case("a").scan], tmp_path / "out", device="cpu", threads=1, uncertainty=True))
    entropy = np.asarray(nibabel.load(tmp_path / "out" / "a_uncertainty.nii.gz").dataobj)
    mask = np.asarray(nibabel.load(tmp_path / "out" / "a.nii.gz").dataobj)
    assert entropy.shape == mask.shape
    assert entropy.min() >= 0
    assert entropy.max() <= 1
    assert np.median(entropy) < 0.2
    assert entropy.max() > 0.8


def test_entropy_runs_from_sure_to_undecided():
    probabilities = torch.tensor([[1.0, 1 / 3, 0.5], [0.0, 1 / 3, 0.5], [0.0, 1 / 3, 0.0]])
    assert normalized_entropy(probabilities).tolist() == pytest.approx([0, 1, np.log(2) / np.log(3)], abs=1e-6)


def test_a_scan_that_cannot_be_read_does_not_keep_the_others(model, ball_study, tmp_path):
    good = scans_of(ball_study)[:2]
    broken = tmp_path / "scans" / "broken.nii.gz"
    broken.write_bytes(b"nothing")
    saved: list[str] = []
    run = predict(model, [good[0], broken, good[1]], tmp_path / "out", device="cpu", threads=1)
    with pytest.raises(EngineError, match=r"1 of 3 scans could not be predicted.*broken\.nii\.gz"):
        saved.extend(event.path for event in run if isinstance(event, PredictionSaved))
    assert saved == [str(tmp_path / "out" / name) for name in ("a.nii.gz", "b.nii.gz")]
    assert all(Path(path).is_file() for path in saved)


def test_scans_of_one_name_get_masks_of_their_own(model, ball_study, tmp_path):
    scans = []
    for visit in ("first", "second"):
        (tmp_path / visit).mkdir()
        scans.append(Path(shutil.copy(ball_study.case("a").scan, tmp_path / visit / "t1.nii.gz")))
    saved = [e.path for e in predict(model, scans, tmp_path / "out", device="cpu", threads=1) if isinstance(e, PredictionSaved)]
    assert [Path(path).name for path in saved] == ["first_t1.nii.gz", "second_t1.nii.gz"]


def test_a_scan_is_never_replaced(model, ball_study):
    scans = scans_of(ball_study)
    before = [scan.read_bytes() for scan in scans]
    with pytest.raises(EngineError, match="would replace the scan"):
        list(predict(model, scans, scans[0].parent, device="cpu", threads=1))
    assert [scan.read_bytes() for scan in scans] == before


def test_a_scan_too_large_for_the_models_voxels_is_refused(model, ball_study, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_GRID", 1000)
    with pytest.raises(EngineError, match="28 x 24 x 20 voxels, too many"):
        list(predict(model, [ball_study.case("a").scan], tmp_path / "out", device="cpu", threads=1))


def test_a_prepared_case_is_predicted_as_its_scan(model, ball_study, make_plan, tmp_path):
    net = load_model(model).net
    plan = make_plan(net=NET, spacing=(2.0, 2.0, 2.0))
    case = prepare(ball_study, "a", spacing=plan.spacing)
    assert predict_case_on_grid(net, case, plan).shape == (2, *case.shape)
    list(predict(model, [ball_study.case("a").scan], tmp_path / "out", device="cpu", threads=1))
    mask = read_labels(tmp_path / "out" / "a.nii.gz").array
    ours = to_scan_grid(predict_case_on_grid(net, case, plan), case.scan_shape).argmax(dim=0).numpy()
    assert (ours != mask).mean() < 1e-3  # float16 in the cache
