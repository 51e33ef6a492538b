"""Cases of several images, from the files to the mask."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine import events as ev
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.embed import embed
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_card import read_card
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.predict import predict
from cvrl_napari.engine.train import train
from cvrl_napari.study.case import Image
from cvrl_napari.study.study import Study

STEPS = 30


def write(path, array, spacing):
    nibabel.save(nibabel.Nifti1Image(array.astype(np.float32), np.diag([spacing] * 3 + [1.0])), path)
    return path


@pytest.fixture
def two_images(tmp_path):
    """A study whose structure is where a bright ball of the first image is also bright in the second, finer one."""
    rng = np.random.default_rng(0)
    scans = []
    for name in "abc":
        at = np.indices((16, 20, 24))
        ball = ((at - np.array([8, 10, 12])[:, None, None, None]) ** 2).sum(0) < 36
        half = ball & (at[0] < 8)
        first = write(tmp_path / f"{name}_t1.nii", 100 * ball + rng.normal(100, 10, ball.shape), 2.0)
        fine = np.repeat(np.repeat(np.repeat(half, 2, 0), 2, 1), 2, 2)
        second = tmp_path / f"{name}_t2.nii"
        affine = np.diag([1.0, 1.0, 1.0, 1.0])
        affine[:3, 3] = -0.5  # both cover the same box
        nibabel.save(nibabel.Nifti1Image((100 * fine + rng.normal(100, 10, fine.shape)).astype(np.float32), affine), second)
        scans.append((Image(scan=first), Image(scan=second)))
    with Study.create(tmp_path / "study", scans, classes=("half",)) as study:
        for case in study.cases[:2]:
            order = study.read_scan(case.id).source.order
            study.write_labels(case.id, order.to_canonical(half).astype(np.uint8), state="complete")
    return Study.open(tmp_path / "study", read_only=True)


def test_what_only_the_second_image_shows_is_learned_and_predicted(two_images, tmp_path):
    events = list(train(two_images, TrainRequest(device="cpu", steps=STEPS, threads=1, seed=1)))
    done = events[-1]
    assert isinstance(done, ev.RunDone), done
    model = Path(done.model)
    assert read_card(model).net.in_channels == 2
    saved = [
        event
        for event in predict(model, [two_images.case("c")], tmp_path / "out", device="cpu", threads=1)
        if isinstance(event, ev.PredictionSaved)
    ]
    mask = nibabel.load(saved[0].path)
    assert mask.shape == (16, 20, 24)
    assert np.array_equal(mask.affine, nibabel.load(two_images.case("c").scan).affine)
    found = np.asarray(mask.dataobj) == 1
    ball = ((np.indices(found.shape) - np.array([8, 10, 12])[:, None, None, None]) ** 2).sum(0) < 36
    shown = ball & (np.indices(found.shape)[0] < 8)
    assert 2 * (found & shown).sum() / (found.sum() + shown.sum()) > 0.7
    assert [*embed(model, two_images.case("c"), tmp_path / "out", device="cpu")]
    with pytest.raises(EngineError, match=r"trained on 2 images of each case, here are 1"):
        list(predict(model, [two_images.case("c").scan], tmp_path / "out", device="cpu", threads=1))


def test_cases_of_different_images_are_no_study_to_train_on(ball_study, tmp_path):
    path = ball_study.case("a").scan
    with Study.create(
        tmp_path / "other", [path, (Image(scan=ball_study.case("b").scan), Image(scan=ball_study.case("c").scan))]
    ) as study:
        study.write_labels("a", np.ones_like(study.read_scan("a").array, np.uint8), state="complete")
        with pytest.raises(EngineError, match="The case 'scans' has 2 images, 'a' has 1"):
            resolve(study, TrainRequest(device="cpu", steps=1), pick("cpu"))
