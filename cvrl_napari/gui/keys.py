"""All keys that matter for the work, as the sheet of keys and the user guide list them. No Qt."""

from typing import NamedTuple


class Key(NamedTuple):
    """Keys, as they are written on a keyboard, and what they do."""

    keys: str
    does: str


KEYS: dict[str, tuple[Key, ...]] = {
    "Everywhere": (
        Key("F1", "this sheet"),
        Key("F2, F5", "linked views, their crosshair on the canvas"),
        Key("F2, Del", "in the lists of classes and of trainings: rename, delete"),
        Key("F3", "structures in 3D, and back"),
        Key("F4", "ruler, mm"),
        Key("F6", "go to the canvas, the views and the dock in turn"),
        Key("Alt+Left, Alt+Right", "former, next case"),
        Key("Shift+M", "this case needs a look"),
        Key("Ctrl+Shift+P", "find any command by its name"),
    ),
    "Painting": (
        Key("1 ... 9", "paint with this class"),
        Key("0", "paint background"),
        Key("P, E, F", "napari's brush, eraser, fill"),
        Key("[ and ]", "smaller, larger brush"),
        Key("Right-drag", "with the brush: encircle an area and fill it"),
        Key("Ctrl+Z, Ctrl+Shift+Z", "undo, redo"),
    ),
    "Tools": (
        Key("I, G", "interpolate between slices, grow from strokes"),
        Key("N, Shift+N", "copy the slice before, after"),
        Key("H, K, S", "fill holes, keep largest, smooth"),
        Key("D, Shift+D", "enlarge, shrink by mm"),
        Key("R, T, Shift+B", "grey range, from the cursor, 3D brush"),
        Key("Q", "statistics of the label under the cursor"),
        Key("Shift+A, A, W", "accept the mask: all, this slice, by brush"),
    ),
    "Looking": (
        Key("Left, Right", "former, next slice of the canvas"),
        Key("Ctrl+E", "sagittal, coronal, axial slices on the canvas"),
        Key("Up, Down", "next, former slice of a linked view"),
        Key("Page Up, Page Down", "ten slices of a linked view"),
        Key("Home", "all of the slice in a linked view"),
        Key("Shift and move", "the crosshair of the linked views"),
        Key("Ctrl+right-drag", "contrast; in a linked view without Ctrl"),
    ),
}
