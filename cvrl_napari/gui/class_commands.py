"""What is done with the structure in hand, and how tools work on it, by name: see `commands`."""

from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.open_dock import choose, on_dock, press
from cvrl_napari.study.labels import BACKGROUND


def rename_class() -> None:
    """Let the person type over the name of the structure in hand."""
    on_dock(lambda dock: choose(dock.class_panel.menu, "Rename"))


def recolor_class() -> None:
    """Ask for another color of the structure in hand."""
    on_dock(lambda dock: dock.class_panel.color_button.click())


def move_class_up() -> None:
    """Give the structure in hand the number before."""
    on_dock(lambda dock: choose(dock.class_panel.menu, "Move up"))


def move_class_down() -> None:
    """Give the structure in hand the number after."""
    on_dock(lambda dock: choose(dock.class_panel.menu, "Move down"))


def delete_class() -> None:
    """Ask whether the structure in hand shall go."""
    on_dock(lambda dock: choose(dock.class_panel.menu, "Delete"))


def accept_class() -> None:
    """Turn the structure in hand of the mask into labels."""
    on_dock(_accept_class)


def _accept_class(dock: CvrlDock) -> None:
    study, class_id = dock.session.study, dock.session.selected_class
    if study is not None and class_id != BACKGROUND:
        dock.mask_panel.accept_menu.actions()[class_id - 1].trigger()


def all_structures() -> None:
    """Let the tools work on all structures, or on the one in hand."""
    on_dock(lambda dock: dock.tools_panel.all_classes.click())


def over_others() -> None:
    """Let 'Interpolate' write over other structures, or not."""
    on_dock(lambda dock: dock.tools_panel.over_others.click())


def holes_in_3d() -> None:
    """Let 'Fill holes' fill what is closed on all sides, or slice by slice."""
    on_dock(lambda dock: dock.tools_panel.whole_volume.click())


def cancel_tool() -> None:
    """Forget what a tool is working out."""
    on_dock(lambda dock: press(dock.tools_panel.cancel))
