"""What is done with cases, and with the contrast of the one on view, by name: see `commands`."""

from cvrl_napari.gui.open_dock import choose, on_dock, press


def note() -> None:
    """Ask for the note on the case on view."""
    on_dock(lambda dock: choose(dock.study_panel.menu, "Note"))


def needs_look() -> None:
    """Mark the case on view as one to come back to, or take the mark away."""
    on_dock(lambda dock: choose(dock.study_panel.menu, "Needs a look"))


def earlier_versions() -> None:
    """Offer earlier versions of the labels on view."""
    on_dock(lambda dock: choose(dock.study_panel.menu, "Restore an earlier version"))


def add_scans() -> None:
    """Ask for scans to add to the study."""
    on_dock(lambda dock: choose(dock.study_panel.menu, "Add scans"))


def add_folder() -> None:
    """Ask for a folder of scans to add to the study."""
    on_dock(lambda dock: choose(dock.study_panel.menu, "Add a folder"))


def remove_case() -> None:
    """Ask whether the case on view shall leave the study."""
    on_dock(lambda dock: choose(dock.study_panel.menu, "Remove"))


def find_missing() -> None:
    """Ask where the scans are that have been moved."""
    on_dock(lambda dock: press(dock.study_panel.missing_button))


def ct_brain() -> None:
    """Show the grey values of a brain on CT."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "CT brain"))


def ct_abdomen() -> None:
    """Show the grey values of an abdomen on CT."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "CT abdomen"))


def ct_lung() -> None:
    """Show the grey values of a lung on CT."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "CT lung"))


def ct_bone() -> None:
    """Show the grey values of bone on CT."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "CT bone"))


def percentiles_1_99() -> None:
    """Show the scan between two percentiles of its grey values."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "Percentiles 1 to 99"))


def percentiles_05_995() -> None:
    """Show the scan between two percentiles of its grey values."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "Percentiles 0.5 to 99.5"))


def percentiles_05_999() -> None:
    """Show the scan between two percentiles of its grey values."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "Percentiles 0.5 to 99.9"))


def all_grey_values() -> None:
    """Show the scan from its darkest to its brightest grey value."""
    on_dock(lambda dock: choose(dock.view_panel.contrast_menu, "All grey values"))
