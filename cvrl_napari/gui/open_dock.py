"""The dock of the napari window in front, for those who only know what shall be done on it."""

from collections.abc import Callable

import napari
from qtpy.QtWidgets import QAbstractButton, QApplication, QMenu

from cvrl_napari.gui.dock import CvrlDock


def open_dock() -> CvrlDock | None:
    """Return the dock of the present napari window, opened when it is not there; None without a window."""
    viewer = napari.current_viewer()
    if viewer is None:
        return None
    for widget in QApplication.allWidgets():
        if isinstance(widget, CvrlDock) and widget.belongs_to(viewer):
            return widget
    _, dock = viewer.window.add_plugin_dock_widget("cvrl-napari", "CVRL")
    assert isinstance(dock, CvrlDock)
    return dock


def on_dock(act: Callable[[CvrlDock], object]) -> None:
    """Do something on that dock."""
    dock = open_dock()
    if dock is not None:
        act(dock)


def press(button: QAbstractButton) -> None:
    """Press a button that is there now and then, if it is to be seen."""
    if button.isVisible():
        button.click()


def choose(menu: QMenu, words: str) -> None:
    """Choose the entry of a menu that begins with these words, if it can be chosen now."""
    menu.aboutToShow.emit()  # what cannot be chosen is said then
    for action in menu.actions():
        if action.text().startswith(words):
            action.trigger()
            return
