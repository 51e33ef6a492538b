"""What napari's themes leave to be told: whether the ground is light, boxes to tick that are seen, and what has the focus."""

import napari
from napari.settings import get_settings
from napari.utils.theme import get_theme

BOXES = "QCheckBox::indicator, QPlainTextEdit { border: 1px solid #808080; }"
"""Style sheet for a dock: this grey has a contrast above 3 with the ground of napari's dark and light themes (WCAG 1.4.11)."""

HINT_ON_DARK, HINT_ON_LIGHT = "#c3c7cc", "#4d5157"
"""Words in an empty field; Qt's own, half transparent, are too faint to be read by all (WCAG 1.4.3)."""

BOX_ON_DARK, BOX_ON_LIGHT = "#a8adb5", "#5a5f66"
"""Rim of an empty box in a list, whose ground is another."""

FOCUS_ON_DARK, FOCUS_ON_LIGHT = "#8ab8f0", "#1f5fa8"
"""Rim of what the keys go to, which napari's themes do not show; above 3 with the ground of buttons (WCAG 2.4.7, 1.4.11)."""
FOCUSED = (
    "QPushButton:enabled",
    "QComboBox",
    "QLineEdit",
    "QPlainTextEdit",
    "QAbstractSpinBox",
    "QSlider",
    "QCheckBox::indicator",
)


def dock_style() -> str:
    """Return the style sheet of a dock and its dialogs in the present theme."""
    on_dark, on_light = (HINT_ON_DARK, BOX_ON_DARK, FOCUS_ON_DARK), (HINT_ON_LIGHT, BOX_ON_LIGHT, FOCUS_ON_LIGHT)
    hint, box, focus = on_light if is_light_theme() else on_dark
    focused = ", ".join(f"{kind}:focus" for kind in FOCUSED)
    return f"""{BOXES}
    QLineEdit {{ placeholder-text-color: {hint}; }}
    QListView::indicator:unchecked, QTreeView::indicator:unchecked {{ border: 1px solid {box}; }}
    QPushButton:enabled {{ border: 1px solid transparent; }}
    {focused} {{ border: 1px solid {focus}; }}"""


def is_light_theme() -> bool:
    """Say whether the theme of the window in front has dark letters on a light ground."""
    viewer = napari.current_viewer()  # its theme may be another than that of the settings: Ctrl+Shift+T changes only the one
    theme = get_settings().appearance.theme if viewer is None else viewer.theme
    red, green, blue = get_theme(theme).background.as_rgb_tuple()[:3]
    return bool(red + green + blue > 3 * 127)
