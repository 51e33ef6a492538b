"""What napari's themes leave to be told: whether the ground is light, and boxes to tick that are seen."""

from napari.settings import get_settings
from napari.utils.theme import get_theme

BOXES = "QCheckBox::indicator { border: 1px solid #808080; }"
"""Style sheet for a dock: this grey has a contrast above 3 with the ground of napari's dark and light themes (WCAG 1.4.11)."""


def is_light_theme() -> bool:
    """Say whether napari's theme has dark letters on a light ground."""
    red, green, blue = get_theme(get_settings().appearance.theme).background.as_rgb_tuple()[:3]
    return bool(red + green + blue > 3 * 127)
