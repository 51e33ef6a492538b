"""What napari's themes leave to be told: whether the ground is light, and boxes to tick that are seen."""

from napari.settings import get_settings
from napari.utils.theme import get_theme

BOXES = "QCheckBox::indicator { border: 1px solid #808080; }"
"""Style sheet for a dock: this grey has a contrast above 3 with the ground of napari's dark and light themes (WCAG 1.4.11)."""

HINT_ON_DARK, HINT_ON_LIGHT = "#c3c7cc", "#4d5157"
"""Words in an empty field; Qt's own, half transparent, are too faint to be read by all (WCAG 1.4.3)."""


def dock_style() -> str:
    """Return the style sheet of a dock and its dialogs in the present theme."""
    return f"{BOXES} QLineEdit {{ placeholder-text-color: {HINT_ON_LIGHT if is_light_theme() else HINT_ON_DARK}; }}"


def is_light_theme() -> bool:
    """Say whether napari's theme has dark letters on a light ground."""
    red, green, blue = get_theme(get_settings().appearance.theme).background.as_rgb_tuple()[:3]
    return bool(red + green + blue > 3 * 127)
