"""The dock's actions by name, for napari's command palette and menus: each finds the open dock, or opens it.

The manifest names these functions; napari calls them without arguments. What cannot be pressed now does nothing here too.
"""

from cvrl_napari.gui.open_dock import choose, on_dock, press


def open_study() -> None:
    """Ask for a study folder."""
    on_dock(lambda dock: dock.ask_for_study())


def new_study() -> None:
    """Ask for scans and make a study of them."""
    on_dock(lambda dock: dock.ask_for_new_study())


def sample_study() -> None:
    """Make and open the sample study."""
    on_dock(lambda dock: dock.empty_panel.sample_asked.emit())


def next_case() -> None:
    """Open the next case."""
    on_dock(lambda dock: dock.study_panel.next_button.click())


def former_case() -> None:
    """Open the case before."""
    on_dock(lambda dock: dock.study_panel.previous_button.click())


def train() -> None:
    """Press Train."""
    on_dock(lambda dock: dock.train_panel.button.click())


def pause() -> None:
    """Pause the training, or resume it."""
    on_dock(lambda dock: dock.train_panel.pause.click())


def stop() -> None:
    """Stop the training; its model is saved."""
    on_dock(lambda dock: dock.train_panel.stop.click())


def go_on() -> None:
    """Go on with the training that was stopped."""
    on_dock(lambda dock: press(dock.train_panel.go_on))


def keep_training() -> None:
    """Keep the training going when napari closes, or let it end then."""
    on_dock(lambda dock: press(dock.train_panel.keep_going))


def why() -> None:
    """Show the reasons for the plan of the training, or hide them."""
    on_dock(lambda dock: press(dock.train_panel.why_button))


def predict() -> None:
    """Predict the scan on view, or give it up."""
    on_dock(lambda dock: dock.mask_panel.predict_button.click())


def accept() -> None:
    """Turn the mask into labels."""
    on_dock(lambda dock: dock.mask_panel.accept_button.click())


def difference() -> None:
    """Show where labels and mask differ, or hide it."""
    on_dock(lambda dock: dock.mask_panel.difference.click())


def changes() -> None:
    """Show what the newest mask changed, or hide it."""
    on_dock(lambda dock: dock.mask_panel.changes.click())


def import_labels() -> None:
    """Ask for labels made elsewhere."""
    on_dock(lambda dock: dock.class_panel.import_button.click())


def add_class() -> None:
    """Add a structure."""
    on_dock(lambda dock: dock.class_panel.add_button.click())


def complete() -> None:
    """Say that the case on view is complete, or take it back."""
    on_dock(lambda dock: dock.class_panel.complete.click())


def hold_out() -> None:
    """Only measure on the case on view, or learn from it again."""
    on_dock(lambda dock: dock.class_panel.held_out.click())


def save_mask() -> None:
    """Ask where to save the mask on view."""
    on_dock(lambda dock: choose(dock.mask_panel.save_menu, "Mask"))


def save_labels() -> None:
    """Ask where to save the labels on view."""
    on_dock(lambda dock: choose(dock.mask_panel.save_menu, "Labels"))


def views() -> None:
    """Open or close the linked views."""
    on_dock(lambda dock: dock.view_panel.views_button.click())


def surfaces() -> None:
    """Show structures in 3D, or slices again."""
    on_dock(lambda dock: dock.view_panel.surfaces_button.click())


def crosshair() -> None:
    """Draw the crosshair of the linked views on the canvas too, or not."""
    on_dock(lambda dock: dock.viewing.show_lines(not dock.viewing.has_lines))


def ruler() -> None:
    """Turn the ruler on or off."""
    on_dock(lambda dock: dock.view_panel.ruler_button.click())


def keys() -> None:
    """Show the sheet of keys."""
    on_dock(lambda dock: dock.view_panel.keys_button.click())


def interpolate() -> None:
    """Fill the slices between painted ones."""
    on_dock(lambda dock: dock.tools_panel.buttons["Interpolate"].click())


def grow() -> None:
    """Grow a structure from its strokes."""
    on_dock(lambda dock: dock.tools_panel.buttons["Grow"].click())


def statistics() -> None:
    """Measure the structure in hand."""
    on_dock(lambda dock: dock.tools_panel.buttons["Statistics"].click())


def fill_holes() -> None:
    """Fill the holes of a structure."""
    on_dock(lambda dock: dock.tools_panel.buttons["Fill holes"].click())


def keep_largest() -> None:
    """Erase all pieces of a structure but the largest."""
    on_dock(lambda dock: dock.tools_panel.buttons["Keep largest"].click())


def smooth() -> None:
    """Smooth the surface of a structure."""
    on_dock(lambda dock: dock.tools_panel.buttons["Smooth"].click())


def enlarge() -> None:
    """Let a structure grow by mm."""
    on_dock(lambda dock: dock.tools_panel.buttons["Enlarge"].click())


def shrink() -> None:
    """Take mm off a structure."""
    on_dock(lambda dock: dock.tools_panel.buttons["Shrink"].click())


def copy_before() -> None:
    """Copy the slice before."""
    on_dock(lambda dock: dock.tools_panel.buttons["Slice before"].click())


def copy_after() -> None:
    """Copy the slice after."""
    on_dock(lambda dock: dock.tools_panel.buttons["Slice after"].click())


def accept_slice() -> None:
    """Turn the mask into labels on the slice on view."""
    on_dock(lambda dock: choose(dock.mask_panel.accept_menu, "Only this slice"))


def accept_unpainted() -> None:
    """Turn the mask into labels where nothing is painted."""
    on_dock(lambda dock: choose(dock.mask_panel.accept_menu, "Only where nothing is painted"))


def reject() -> None:
    """Hide the mask on view, or bring it back."""
    on_dock(lambda dock: dock.mask_panel.reject_button.click())


def bring_mask() -> None:
    """Let the brush bring the mask, or the class in hand again."""
    on_dock(lambda dock: dock.mask_panel.bring.click())


def grey_range() -> None:
    """Limit the brush to a range of grey values, or not."""
    on_dock(lambda dock: dock.tools_panel.grey.switch.click())


def ball() -> None:
    """Paint in 3D, or on the slice alone."""
    on_dock(lambda dock: dock.tools_panel.ball.click())
