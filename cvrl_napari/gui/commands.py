"""The dock's actions by name, for napari's command palette and menus: each finds the open dock, or opens it.

The manifest names these functions; napari calls them without arguments. What cannot be pressed now does nothing here too.
"""

from collections.abc import Callable

import napari
from qtpy.QtWidgets import QApplication

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


def _with_dock(act: Callable[[CvrlDock], object]) -> None:
    dock = open_dock()
    if dock is not None:
        act(dock)


def open_study() -> None:
    """Ask for a study folder."""
    _with_dock(lambda dock: dock.ask_for_study())


def new_study() -> None:
    """Ask for scans and make a study of them."""
    _with_dock(lambda dock: dock.ask_for_new_study())


def sample_study() -> None:
    """Make and open the sample study."""
    _with_dock(lambda dock: dock.empty_panel.sample_asked.emit())


def next_case() -> None:
    """Open the next case."""
    _with_dock(lambda dock: dock.study_panel.step(1))


def former_case() -> None:
    """Open the case before."""
    _with_dock(lambda dock: dock.study_panel.step(-1))


def train() -> None:
    """Press Train."""
    _with_dock(lambda dock: dock.train_panel.button.click())


def pause() -> None:
    """Pause the training, or resume it."""
    _with_dock(lambda dock: dock.train_panel.pause.click())


def stop() -> None:
    """Stop the training; its model is saved."""
    _with_dock(lambda dock: dock.train_panel.stop.click())


def predict() -> None:
    """Predict the scan on view."""
    _with_dock(lambda dock: dock.session.predict())


def accept() -> None:
    """Turn the mask into labels."""
    _with_dock(lambda dock: dock.mask_panel.accept_button.click())


def difference() -> None:
    """Show where labels and mask differ, or hide it."""
    _with_dock(lambda dock: dock.mask_panel.difference.click())


def changes() -> None:
    """Show what the newest mask changed, or hide it."""
    _with_dock(lambda dock: dock.mask_panel.changes.click())


def import_labels() -> None:
    """Ask for labels made elsewhere."""
    _with_dock(lambda dock: dock.class_panel.ask_for_labels())


def add_class() -> None:
    """Add a structure."""
    _with_dock(lambda dock: dock.class_panel.add_button.click())


def complete() -> None:
    """Say that the case on view is complete, or take it back."""
    _with_dock(lambda dock: dock.class_panel.complete.click())


def hold_out() -> None:
    """Only measure on the case on view, or learn from it again."""
    _with_dock(lambda dock: dock.class_panel.held_out.click())


def save_mask() -> None:
    """Ask where to save the mask on view."""
    _with_dock(lambda dock: dock.mask_panel.save_as("mask"))


def save_labels() -> None:
    """Ask where to save the labels on view."""
    _with_dock(lambda dock: dock.mask_panel.save_as("labels"))


def views() -> None:
    """Open or close the linked views."""
    _with_dock(lambda dock: dock.view_panel.views_button.click())


def surfaces() -> None:
    """Show structures in 3D, or slices again."""
    _with_dock(lambda dock: dock.view_panel.surfaces_button.click())


def crosshair() -> None:
    """Draw the crosshair of the linked views on the canvas too, or not."""
    _with_dock(lambda dock: dock.viewing.show_lines(not dock.viewing.has_lines))


def ruler() -> None:
    """Turn the ruler on or off."""
    _with_dock(lambda dock: dock.view_panel.ruler_button.click())


def keys() -> None:
    """Show the sheet of keys."""
    _with_dock(lambda dock: dock.show_keys())


def interpolate() -> None:
    """Fill the slices between painted ones."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Interpolate"].click())


def grow() -> None:
    """Grow a structure from its strokes."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Grow"].click())


def statistics() -> None:
    """Measure the structure in hand."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Statistics"].click())


def fill_holes() -> None:
    """Fill the holes of a structure."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Fill holes"].click())


def keep_largest() -> None:
    """Erase all pieces of a structure but the largest."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Keep largest"].click())


def smooth() -> None:
    """Smooth the surface of a structure."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Smooth"].click())


def enlarge() -> None:
    """Let a structure grow by mm."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Enlarge"].click())


def shrink() -> None:
    """Take mm off a structure."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Shrink"].click())


def copy_before() -> None:
    """Copy the slice before."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Slice before"].click())


def copy_after() -> None:
    """Copy the slice after."""
    _with_dock(lambda dock: dock.tools_panel.buttons["Slice after"].click())


def accept_slice() -> None:
    """Turn the mask into labels on the slice on view."""
    _with_dock(lambda dock: dock.tool_box.taking_over.accept_slice())


def accept_unpainted() -> None:
    """Turn the mask into labels where nothing is painted."""
    _with_dock(lambda dock: dock.tool_box.taking_over.accept_unpainted())


def reject() -> None:
    """Hide the mask on view, or bring it back."""
    _with_dock(lambda dock: dock.mask_panel.reject_button.click())


def bring_mask() -> None:
    """Let the brush bring the mask, or the class in hand again."""
    _with_dock(lambda dock: dock.mask_panel.bring.click())


def grey_range() -> None:
    """Limit the brush to a range of grey values, or not."""
    _with_dock(lambda dock: dock.tools_panel.grey.switch.click())


def ball() -> None:
    """Paint in 3D, or on the slice alone."""
    _with_dock(lambda dock: dock.tools_panel.ball.click())
