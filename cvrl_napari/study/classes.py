"""The structures of a study: their label values, names and colours."""

from collections.abc import Sequence
from itertools import product

from pydantic import BaseModel, ConfigDict, Field

from cvrl_napari.study.errors import StudyError

MAX_CLASSES = 254
"""Labels are uint8: 0 is 'not painted', 255 'painted background'."""

PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")
"""Colours that stay apart with any colour vision (Okabe and Ito 2008), without black and grey: grey belongs to the scan."""


class StructureClass(BaseModel):
    """A structure to be segmented; `id` is its value in label arrays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int = Field(ge=1, le=MAX_CLASSES)
    name: str = Field(min_length=1, max_length=100)
    color: str = Field(pattern=r"^#[0-9a-fA-F]{6}$")


def make_classes(names: Sequence[str]) -> tuple[StructureClass, ...]:
    """Number the structures 1, 2, ... in the order of their names and give each its own colour.

    Raises
    ------
    StudyError
        If there is no name, an empty one, one twice, or more than 254.
    """
    cleaned = [name.strip() for name in names]
    if not cleaned or not all(cleaned):
        raise StudyError("A study needs at least one class and each class a name: give names such as 'left atrium'.")
    if len(cleaned) > MAX_CLASSES:
        raise StudyError(f"A study holds at most {MAX_CLASSES} classes, not {len(cleaned)}: leave some out.")
    colors = distinct_colors(len(cleaned))
    classes = tuple(
        StructureClass(id=number, name=name[:100], color=color)
        for number, (name, color) in enumerate(zip(cleaned, colors, strict=True), start=1)
    )
    return check_classes(classes)


def check_classes(classes: Sequence[StructureClass]) -> tuple[StructureClass, ...]:
    """Return the classes if their ids are 1..K in order and no name occurs twice.

    Raises
    ------
    StudyError
        Otherwise.
    """
    if not classes or [one.id for one in classes] != list(range(1, len(classes) + 1)):
        raise StudyError("The classes of a study are numbered 1, 2, 3 ... without a gap: only the last one can be taken away.")
    seen: set[str] = set()
    for name in (one.name.casefold() for one in classes):
        if name in seen:
            raise StudyError(f"Two classes are named '{name}': give each its own name.")
        seen.add(name)
    return tuple(classes)


def distinct_colors(count: int) -> list[str]:
    """Return `count` different colours '#rrggbb': the palette, then darker and lighter steps of it."""
    rounds = -(-count // len(PALETTE))
    shades = [0.0] + [sign * 0.8 * step / rounds for step in range(1, rounds) for sign in (-1, 1)]
    return [_shade(color, shade) for shade, color in product(shades, PALETTE)][:count]


def _shade(color: str, shade: float) -> str:
    """Mix a colour with black (`shade` towards -1) or white (towards 1)."""
    target = 0 if shade < 0 else 255
    channels = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round(channel + abs(shade) * (target - channel)):02X}" for channel in channels)
