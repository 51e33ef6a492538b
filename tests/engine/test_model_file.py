import json
import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from cvrl_napari.config import NetConfig
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_card import CARD, ModelCard, read_card
from cvrl_napari.engine.model_file import load_model, save_model
from cvrl_napari.nets.build import build_net
from cvrl_napari.nets.projector import Projector

NET = NetConfig(width=4, levels=3)


@pytest.fixture
def card(make_plan, ball_study) -> ModelCard:
    return ModelCard.of(make_plan(net=NET), ball_study, metrics={1: 0.87})


@pytest.fixture
def saved(tmp_path, card) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "model.safetensors"
    save_model(path, build_net(NET), card)
    return path


def rewrite(path: Path, *, header=None, card=None, data=None) -> None:
    """Change the header, the card or the weights of a model file, byte by byte."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    entries = json.loads(content[8 : 8 + length])
    if card:
        text = json.loads(entries["__metadata__"][CARD])
        card(text)
        entries["__metadata__"][CARD] = json.dumps(text)
    if header:
        header(entries)
    text = json.dumps(entries).encode()
    weights = content[8 + length :]
    path.write_bytes(struct.pack("<Q", len(text)) + text + (data(weights) if data else weights))


def test_a_model_comes_back_as_it_was(tmp_path, card):
    student = build_net(NET).eval()
    save_model(tmp_path / "m.safetensors", student, card)
    net, found, _ = load_model(tmp_path / "m.safetensors")
    assert found == card == read_card(tmp_path / "m.safetensors")
    images = torch.randn(1, 1, 8, 8, 8)
    with torch.inference_mode():
        assert torch.allclose(net(images).logits, student(images).logits, atol=1e-5)
    assert all(torch.equal(tensor, student.state_dict()[name]) for name, tensor in net.state_dict().items())
    assert not net.training
    assert not any(parameter.requires_grad for parameter in net.parameters())


@pytest.mark.parametrize("name", ["compact", "vnet"])
def test_both_networks_can_be_kept(tmp_path, make_plan, ball_study, name):
    config = NetConfig(name=name, width=4, levels=3, dropout=0.5)
    save_model(tmp_path / "m.safetensors", build_net(config), ModelCard.of(make_plan(net=config), ball_study, metrics={}))
    assert load_model(tmp_path / "m.safetensors").card.net == config


def test_the_card_says_all_that_is_needed(card, ball_study):
    assert [(one.id, one.name) for one in card.classes] == [(1, "ball")]
    assert card.spacing == (2.0, 2.0, 2.0)
    assert card.patch_size == (16, 16, 16)
    assert card.metrics == {1: 0.87}
    assert card.scans == (ball_study.case("a").hash, ball_study.case("b").hash)
    assert all(card.scans)
    assert set(card.versions) == {"cvrl_napari", "torch", "python"}


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.9, 0.999])
def test_a_truncated_file_is_refused(saved, share):
    content = saved.read_bytes()
    saved.write_bytes(content[: int(share * len(content))])
    with pytest.raises(EngineError, match=r"not a model of this program|damaged"):
        load_model(saved)


@pytest.mark.parametrize(
    "content",
    [
        b"not a model",
        b"PK\x03\x04" + bytes(1000),
        struct.pack("<Q", 2**62) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 4) + b"\xff\xfe{}",
        struct.pack("<Q", 200_000) + b"[" * 200_000,
        struct.pack("<Q", 24) + b'{"__metadata__":{"cvrl":1' + bytes(100),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(EngineError, match="not a model of this program") as caught:
        load_model(path)
    assert str(path) in caught.value.message
    assert "model.safetensors" in caught.value.hint


def test_a_missing_file_and_a_folder_are_answered_with_a_sentence(tmp_path):
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(EngineError, match="cannot be read"):
            load_model(path)


def test_somebody_elses_safetensors_are_refused(tmp_path):
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors", metadata={"format": "pt"})
    with pytest.raises(EngineError, match="not a model of this program"):
        load_model(tmp_path / "other.safetensors")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda card: card.update(schema_version=2), "newer version"),
        (lambda card: card.pop("spacing"), "spacing"),
        (lambda card: card.update(spacing=[1, -1, 1]), "spacing"),
        (lambda card: card.update(spacing=[1e-9, 1, 1]), "spacing"),
        (lambda card: card.update(patch_size=[1024, 1024, 1024]), "do not fit"),
        (lambda card: card.update(patch_size=[16, 16, 15]), "do not fit"),
        (lambda card: card.update(window_overlap=0.9999), "window_overlap"),
        (lambda card: card["classes"].append({"id": 2, "name": "x", "color": "#000000"}), "numbered"),
        (lambda card: card["classes"][0].update(id=200), "numbered"),
        (lambda card: card["net"].update(width=8), "damaged"),
        (lambda card: card["net"].update(width=10**9), "net.width"),
        (lambda card: card["net"].update(name="vnet"), "damaged"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(saved, change, sentence):
    rewrite(saved, card=change)
    with pytest.raises(EngineError, match=sentence):
        load_model(saved)


def first_tensor(entries: dict) -> dict:
    return next(entry for name, entry in sorted(entries.items()) if name != "__metadata__")


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: first_tensor(entries).update(shape=[2**40]),
        lambda entries: first_tensor(entries).update(dtype="F64"),
        lambda entries: first_tensor(entries).update(dtype="nonsense"),
        lambda entries: first_tensor(entries).update(data_offsets=[0, 2**50]),
        lambda entries: entries.update(extra={"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}),
        lambda entries: entries.pop(next(name for name in entries if name != "__metadata__")),
    ],
)
def test_weights_that_are_not_the_networks_are_refused(saved, change):
    rewrite(saved, header=change)
    with pytest.raises(EngineError, match="damaged"):
        load_model(saved)


def test_weights_that_do_not_end_are_refused(saved):
    rewrite(saved, data=lambda weights: weights + bytes(1000))
    with pytest.raises(EngineError, match="damaged"):
        load_model(saved)


def test_an_interrupted_save_leaves_the_old_model(saved, card):
    before = saved.read_bytes()

    class Broken(torch.nn.Module):
        def state_dict(self, *args, **kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_model(saved, Broken(), card)
    assert saved.read_bytes() == before
    assert list(saved.parent.glob("*.safetensors")) == [saved]
    assert load_file(saved)


@pytest.fixture
def projectors() -> nn.ModuleDict:
    torch.manual_seed(1)
    return nn.ModuleDict({"low": Projector(4, 12), "high": Projector(16, 12)}).eval()


def test_projectors_come_back_beside_the_student(tmp_path, card, projectors):
    path = tmp_path / "m.safetensors"
    save_model(path, build_net(NET), card, projectors)
    found = load_model(path)
    assert found.card == read_card(path) == card.model_copy(update={"projectors": {"low": 12, "high": 12}})
    rows = torch.randn(5, 16)
    assert torch.equal(found.projectors["high"](rows), projectors["high"](rows))
    assert not found.projectors["low"].training
    assert not any(parameter.requires_grad for parameter in found.projectors.parameters())


def test_a_file_of_an_earlier_version_has_no_projectors(saved):
    rewrite(saved, card=lambda text: text.pop("projectors"))
    assert len(load_model(saved).projectors) == 0


@pytest.mark.parametrize(
    ("sizes", "complaint"),
    [
        ({"low": 12}, "damaged"),
        ({"low": 12, "high": 13}, "damaged"),
        ({"low": 10**9}, "projectors"),
        ({"middle": 3}, "projectors"),
    ],
)
def test_projectors_that_are_not_those_of_the_card_are_refused(tmp_path, card, projectors, sizes, complaint):
    path = tmp_path / "m.safetensors"
    save_model(path, build_net(NET), card, projectors)
    rewrite(path, card=lambda text: text.update(projectors=sizes))
    with pytest.raises(EngineError, match=complaint):
        load_model(path)
