"""What a model would bring is said from its card alone, and agrees with what the training does."""

from pathlib import Path

import pytest

from cvrl_napari.config import NetConfig, TrainRequest
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_card import ModelCard
from cvrl_napari.engine.model_file import save_model
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.start_choice import start_choice
from cvrl_napari.nets.build import build_net
from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.study import Study


def model(path: Path, *classes: str, channels: int = 1) -> Path:
    net = NetConfig(width=4, levels=2, classes=len(classes) + 1, in_channels=channels)
    card = ModelCard(
        net=net, classes=make_classes(classes), spacing=(2, 2, 2), patch_size=(8, 8, 8), window_overlap=0.5, method="supervised"
    )
    save_model(path / "model.safetensors", build_net(net), card)
    return path / "model.safetensors"


@pytest.mark.parametrize(
    ("classes", "words", "knows_any"),
    [
        (("Ball", "other"), "The model knows ball.", True),
        (("wall",), "The model knows none of your structures, only what scans look like: they begin anew.", False),
    ],
)
def test_structures_are_known_by_name(ball_study: Study, tmp_path: Path, classes, words: str, knows_any: bool):
    choice = start_choice(model(tmp_path, *classes), ball_study)
    assert (choice.words, choice.fits, choice.knows_any) == (words, True, knows_any)


def test_what_the_training_would_refuse_is_refused_before(ball_study: Study, tmp_path: Path):
    path = model(tmp_path, "ball", channels=2)
    choice = start_choice(path, ball_study)
    assert not choice.fits
    with pytest.raises(EngineError) as refused:
        resolve(ball_study, TrainRequest(start_from=path), pick("cpu"))
    assert choice.words == f"{refused.value.message} {refused.value.hint}"


@pytest.mark.parametrize("cut", [0, 5, -1])
def test_a_file_that_cannot_be_read_is_refused(ball_study: Study, tmp_path: Path, cut: int):
    path = model(tmp_path, "ball")
    path.write_bytes(path.read_bytes()[:cut])
    assert not start_choice(path, ball_study).fits
    assert str(path) in start_choice(path, ball_study).words
    path.unlink()
    assert "cannot be read" in start_choice(path, ball_study).words
