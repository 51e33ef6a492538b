"""Whatever can be pressed in the dock has a name in napari's palette and menus, and the name presses it."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from npe2 import PluginManifest
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QAbstractButton, QMenu, QTabBar

from cvrl_napari.gui import case_commands, class_commands, commands
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.keys_sheet import KeysSheet
from cvrl_napari.gui.open_dock import open_dock

from .person import settle

pytestmark = pytest.mark.gui
PACKAGE = Path(__file__).parents[2] / "cvrl_napari"
MODULES = (commands, case_commands, class_commands)

PRESSED_BY: dict[str, str] = {
    "<": "former_case",
    ">": "next_case",
    "Note…": "note",
    "Needs a look (Shift+M)": "needs_look",
    "Restore an earlier version…": "earlier_versions",
    "Add scans…": "add_scans",
    "Add a folder of scans…": "add_folder",
    "Remove from the study…": "remove_case",
    "Find 2 missing scans…": "find_missing",
    "Views": "views",
    "3D": "surfaces",
    "Ruler": "ruler",
    "Keys": "keys",
    "CT brain: 0 to 80 HU": "ct_brain",
    "CT abdomen: -150 to 250 HU": "ct_abdomen",
    "CT lung: -1350 to 150 HU": "ct_lung",
    "CT bone: -500 to 1300 HU": "ct_bone",
    "Percentiles 1 to 99": "percentiles_1_99",
    "Percentiles 0.5 to 99.5": "percentiles_05_995",
    "Percentiles 0.5 to 99.9": "percentiles_05_999",
    "All grey values": "all_grey_values",
    "+": "add_class",
    "Color…": "recolor_class",
    "Import…": "import_labels",
    "Rename (F2)": "rename_class",
    "Move up": "move_class_up",
    "Move down": "move_class_down",
    "Delete… (Del)": "delete_class",
    "This case is complete (not painted = background)": "complete",
    "Measure on it only (held out)": "hold_out",
    "Interpolate": "interpolate",
    "Grow": "grow",
    "Statistics": "statistics",
    "Fill holes": "fill_holes",
    "Keep largest": "keep_largest",
    "Smooth": "smooth",
    "Enlarge": "enlarge",
    "Shrink": "shrink",
    "Slice before": "copy_before",
    "Slice after": "copy_after",
    "all structures": "all_structures",
    "interpolate over others": "over_others",
    "fill holes in 3D": "holes_in_3d",
    "3D brush": "ball",
    "Paint only grey values": "grey_range",
    "Cancel": "cancel_tool",
    "Train semi-supervised": "train",
    "Why?": "why",
    "Pause": "pause",
    "Stop": "stop",
    "Keep training when napari closes": "keep_training",
    "Accept": "accept",
    "Only ball": "accept_class",
    "Only this slice (A)": "accept_slice",
    "Only where nothing is painted": "accept_unpainted",
    "Predict this scan": "predict",
    "Brush brings mask": "bring_mask",
    "Reject": "reject",
    "Show difference": "difference",
    "Show changes": "changes",
    "Mask…": "save_mask",
    "Labels…": "save_labels",
}
"""What a button or an entry of a menu says, and the command that presses it."""
DIRECT = {
    "New study from a folder of scans…": "new_study",
    "New…": "new_study",
    "Open a study…": "open_study",
    "Open…": "open_study",
    "Try the sample study": "sample_study",
    "✛": "crosshair",
}
"""The same, where the command does what the button does without it: it may be hidden."""
IN_PLACE = {
    *("Details", "✕", "Start a study with these 0 scans…", "Hold out 0 cases for measuring"),  # of a message, an offer
    *("Case", "Contrast", "More", "a part", "Save as…"),  # menus, whose entries are above
    *("Tools", "Options", "Earlier trainings"),  # unfold
    *("Go on", "Start from it", "From a file…", "Use for masks", "Rename…", "Delete…"),  # of the list of trainings
    "Only shell",  # accept_class, with the shell in hand
    "Embeddings…",  # a dock of its own, in the menu Plugins and in the palette by its name
}
"""What makes sense only where it stands."""


@pytest.fixture
def dock(make_napari_viewer, ball_study, qtbot) -> Iterator[CvrlDock]:
    """The dock in napari's window, its study open."""
    viewer = make_napari_viewer(show=True)
    made = CvrlDock(viewer)
    viewer.window.add_dock_widget(made, name="CVRL", area="right")
    ball_study.close()
    with qtbot.waitSignal(made.session.case_opened):
        made.open_folders([ball_study.folder])
    with qtbot.waitSignal(made.session.case_opened):
        made.session.open_case("a")
    yield made
    made.shut_down()


def of(module: ModuleType) -> set[str]:
    """Return the commands of a module."""
    ours = {name for name, one in vars(module).items() if getattr(one, "__module__", "") == module.__name__}
    return {name for name in ours if not name.startswith("_")}


def test_the_manifest_has_every_command_in_a_menu():
    contributions = PluginManifest.from_file(PACKAGE / "napari.yaml").contributions
    for module in MODULES:
        named = {one.python_name.rpartition(":")[2] for one in contributions.commands if module.__name__ in one.python_name}
        assert named == of(module)
    titles = [one.title for one in contributions.commands]
    assert len(set(titles)) == len(titles), "two commands of one name cannot be told apart"


@pytest.mark.filterwarnings("ignore:libpyside. Failed to disconnect")  # a box that tells of `toggled` only
def test_every_button_and_entry_is_pressed_by_its_command(dock):
    dock.study_panel.editing.missing.emit(2)
    dock.session.layers.set_mask(dock.session.layers.labels_array().copy())
    dock.session.mask_changed.emit()
    by_name = {name: getattr(module, name) for module in MODULES for name in of(module)}
    pressables: dict[str, QAbstractButton | QAction] = {}
    for button in dock.findChildren(QAbstractButton):
        if button.text() and not isinstance(button.parent(), QTabBar):
            pressables.setdefault(button.text().replace("&", ""), button)
    for menu in dock.findChildren(QMenu):
        pressables |= {action.text(): action for action in menu.actions() if action.text()}
    assert set(pressables) - set(PRESSED_BY) - set(DIRECT) - IN_PLACE == set(), "they have no command"
    assert set(PRESSED_BY) | set(DIRECT) | IN_PLACE == set(pressables)
    assert set(PRESSED_BY.values()) | set(DIRECT.values()) | {"go_on"} == set(by_name)
    for menu in (dock.study_panel.menu, dock.class_panel.menu):
        menu.aboutToShow.disconnect()  # which would say what cannot be chosen now
    for words, command in PRESSED_BY.items():
        pressed: list[str] = []
        one = pressables[words]
        signal = one.triggered if isinstance(one, QAction) else one.clicked
        signal.disconnect()
        signal.connect(lambda *_, pressed=pressed, words=words: pressed.append(words))
        one.setEnabled(True)
        if isinstance(one, QAbstractButton):
            for above in (one, *_above(one, dock)):
                above.setVisible(True)
                above.setEnabled(True)
        by_name[command]()
        assert pressed == [words], f"{command} does not press '{words}'"


def _above(one: QAbstractButton, dock: CvrlDock) -> Iterator:
    above = one.parentWidget()
    while above is not None and above is not dock:
        yield above
        above = above.parentWidget()


def test_names_work_on_the_open_dock_and_do_nothing_that_cannot_be_done_now(dock, qtbot):
    assert open_dock() is dock
    for absent in (case_commands.find_missing, class_commands.cancel_tool, class_commands.accept_class, commands.accept_slice):
        absent()
    dock.session.select_class(255)
    class_commands.accept_class()
    class_commands.delete_class()
    assert not dock.notice.isVisible()
    assert len(dock.session.study.classes) == 2
    commands.views()
    assert dock.viewing.views is not None
    commands.crosshair()
    assert not dock.viewing.has_lines
    commands.views()
    assert dock.viewing.views is None
    with qtbot.waitSignal(dock.session.case_opened):
        commands.next_case()
    assert dock.session.case == "b"
    commands.keys()
    assert dock.findChildren(KeysSheet)
    case_commands.ct_lung()
    assert tuple(dock.session.layers.shown.image.contrast_limits) == (-1350, 150)
    case_commands.needs_look()
    assert dock.session.study.case("b").needs_look
    class_commands.holes_in_3d()
    assert dock.tool_box.tools.whole_volume
    mask = dock.session.layers.labels_array().copy()
    mask[0, 0, 0:2] = 1, 2
    dock.session.layers.set_mask(mask)
    dock.session.select_class(2)
    class_commands.accept_class()
    assert dock.session.layers.labels_array()[0, 0, 0:2].tolist() == [0, 2]
    settle()
