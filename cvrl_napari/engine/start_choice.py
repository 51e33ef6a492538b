"""What a model brings to a training that would start from it, in words, and why it cannot. No torch: it is said before Train.

The network takes the model's architecture and voxel size. Structures are matched by their names.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cvrl_napari.config import NetConfig
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.model_card import ModelCard, read_card
from cvrl_napari.study.study import Study


class StartChoice(NamedTuple):
    """A model to start from: a sentence for the person, and whether a training can begin with it."""

    words: str
    fits: bool
    knows_any: bool = True


def start_choice(model: Path, study: Study) -> StartChoice:
    """Say what a model file would bring to a training of a study; every refusal is a sentence here."""
    try:
        card = read_card(model)
        channels = max((len(case.images) for case in study.cases), default=1)
        net_like(card, channels=channels, classes=len(study.classes) + 1)
    except EngineError as error:
        return StartChoice(f"{error.message} {error.hint}", False, False)
    knows, new = _known(card, [one.name for one in study.classes])
    if not knows:
        return StartChoice("The model knows none of your structures, only what scans look like: they begin anew.", True, False)
    return StartChoice(f"The model knows {_list(knows)}{f'; new to it: {_list(new)}' if new else ''}.", True)


def net_like(card: ModelCard, *, channels: int, classes: int) -> NetConfig:
    """Return the network of the model for this many images a case and classes, the background one of them.

    Raises
    ------
    EngineError
        If the model sees another number of images.
    """
    if card.net.in_channels != channels:
        raise EngineError(
            f"The model to start from sees {_images(card.net.in_channels)} of each case, the cases here have {channels}.",
            "Start from another model, or with a new network.",
        )
    return card.net.model_copy(update={"classes": classes})


def seen_by(card: ModelCard, study: Study, cases: Sequence[str]) -> tuple[str, ...]:
    """Return those of the cases that the model, or one it was started from, has learned from."""
    seen = set(card.scans)
    return tuple(case for case in cases if study.case(case).hash in seen)


def start_in_words(card: ModelCard, classes: Sequence[str], seen: Sequence[str]) -> list[str]:
    """Say what the training takes over from a model, which classes are new to it, and which cases cannot measure it."""
    old, new = _known(card, classes)
    spacing = " x ".join(f"{mm:.3g}" for mm in card.spacing)
    words = f"It starts from an earlier model, with its network and its voxels of {spacing} mm."
    lines = [words, f"The model knows {_list(old)}{f', new to it: {_list(new)}' if new else ''}."]
    if seen:
        lines.append(f"Not measured on {_list(seen)}: held out here, but the earlier model has learned from it.")
    return lines


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "none of the structures"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _known(card: ModelCard, classes: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the structures that the model knows, and those that it does not."""
    known = {one.name.casefold() for one in card.classes}
    return [name for name in classes if name.casefold() in known], [name for name in classes if name.casefold() not in known]
