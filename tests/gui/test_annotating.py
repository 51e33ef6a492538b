"""A scripted person paints three left-atrium scans with every tool, by mouse and key, and finds all of it again.

Strokes follow the reference labels. A picture of every step lies in the test's temporary folder (`pytest --basetemp=DIR`).
"""

import shutil

import nibabel
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QInputDialog, QPlainTextEdit, QPushButton, QTextEdit
from scipy.ndimage import binary_dilation

from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.import_labels import ImportDialog
from cvrl_napari.gui.masks import prediction_path
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study
from cvrl_napari.volumes.reading import read

from .person import ALT, SHIFT, Person, answering, settle, wait_until

pytestmark = [pytest.mark.gui, pytest.mark.slow, pytest.mark.timeout(400)]
ATRIUM, WALL = 1, 2
APART = 6
"""Slices from one that is painted to the next."""
Key = Qt.Key


@pytest.fixture
def atria(shared_data, tmp_path):
    """Three left-atrium scans and their labels, copied so that nothing can happen to the originals."""
    for kind in ("scans", "labels"):
        (tmp_path / kind).mkdir()
        for path in sorted((shared_data / "left_atrium" / kind).iterdir())[:3]:
            shutil.copy(path, tmp_path / kind)
    return tmp_path


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


class Annotator(Person):
    """Knows what is to be painted, and looks at what came of it."""

    def __init__(self, viewer, folder, qtbot):
        super().__init__(viewer)
        self.folder, self.qtbot = folder, qtbot
        self.open_dock()

    def open_dock(self):
        self.dock = CvrlDock(self.viewer)
        self.viewer.window.add_dock_widget(self.dock, name="CVRL", area="right")
        self.session, self.tools = self.dock.session, self.dock.tool_box.tools
        settle()

    @property
    def layer(self):
        return self.session.layers.shown.labels

    def labels(self):
        return self.session.layers.labels_array().copy()

    def begin(self):
        """Know the case on view, and go to where its atrium is largest."""
        self.reference = read(self.folder / "labels" / f"{self.session.case}.nii.gz").array == 1
        self.z = int(np.argmax(self.reference.sum(axis=(1, 2))))
        self.go_to(self.z)

    def go_to(self, z):
        self.now = z
        self.scroll_to(self.layer.data_to_world((z, 0, 0))[0], self.layer.scale[0])
        assert self.dock.tool_box.tools._pointing.plane == (0, z)

    def mm(self, y, x, z=None):
        return self.layer.data_to_world((self.now if z is None else z, y, x))

    def fill_slice(self, plane):
        self.fill(plane, self.mm, self.layer.brush_size)

    def middle(self, plane):
        """A voxel (y, x) well inside a shape."""
        y, x = np.argwhere(plane)[plane.sum() // 2]
        columns = np.flatnonzero(plane[y])
        return int(y), int(np.median(columns)) if plane[y, int(np.median(columns))] else int(x)

    def tool(self, key, modifiers=Qt.KeyboardModifier.NoModifier):
        """Work with a tool by its key; it changes something, as one step. Returns the labels before and after."""
        before = self.labels()
        with self.qtbot.waitSignal(self.tools.told, timeout=120_000):
            self.press(key, modifiers)
        after = self.labels()
        assert not np.array_equal(before, after), f"{self.dock.tools_panel.told.text()} ({key})"
        self.back_and_forth(before, after)
        return before, after

    def back_and_forth(self, before, after):
        self.undo()
        np.testing.assert_array_equal(self.labels(), before)
        self.redo()
        np.testing.assert_array_equal(self.labels(), after)

    def look(self, name):
        self.picture().save(str(self.folder / f"{name}.png"))


def test_from_an_empty_viewer_to_three_labeled_atria_with_every_tool(make_napari_viewer, qtbot, atria):
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    person = Annotator(viewer, atria, qtbot)
    person.look("01-empty")
    make_the_study(person)
    painted = [paint_and_interpolate(person)]
    next_case(person)
    painted.append(grow_and_import(person))
    next_case(person)
    painted.append(take_the_mask_over(person))
    find_all_of_it_again(person, painted)


def next_case(person):
    with person.qtbot.waitSignal(person.session.case_opened, timeout=30_000):
        person.press(Key.Key_Right, ALT)
    assert not person.session.painting.pending


def make_the_study(person):
    """New study, then the classes: one renamed, one added."""
    dock = person.dock
    person.click(dock.empty_panel.new_button)
    dialog = dock.findChild(NewStudyDialog)
    browse = next(one for one in dialog.findChildren(QPushButton) if one.text() == "…")
    person.choose_file(browse, person.folder / "scans")
    QTest.keyClicks(dialog.classes_edit, "atrium")
    dialog.folder_edit.selectAll()
    QTest.keyClicks(dialog.folder_edit, str(person.folder / "study"))
    person.look("02-new-study")
    with person.qtbot.waitSignal(person.session.case_opened, timeout=30_000):
        person.click(dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    names = dock.class_panel.list
    person.rename(names, 0, "left atrium")
    person.click(dock.class_panel.add_button)
    person.type_into_row(names, "wall")
    assert [one.name for one in person.session.study.classes] == ["left atrium", "wall"]
    assert person.session.selected_class == WALL
    person.look("03-classes")


def paint_and_interpolate(person):
    """The first case: strokes on three slices, the slices between them, and every tool that mends."""
    person.begin()
    layer, reference, z = person.layer, person.reference, person.z
    person.click(person.dock.tools.toggleButton())
    person.press(Key.Key_1)
    assert (layer.mode, person.session.selected_class) == ("paint", ATRIUM)
    size = layer.brush_size
    for _ in range(4):
        person.press(Key.Key_BracketRight)
    assert layer.brush_size == size + 4
    person.press(Key.Key_BracketLeft)
    assert layer.brush_size == size + 3

    for painted in (z - APART, z, z + APART):
        person.go_to(painted)
        before = person.labels()
        person.fill_slice(reference[painted])
        after = person.labels()
        assert reference[painted][after[painted] == ATRIUM].mean() > 0.95
        assert dice(after[painted] == ATRIUM, reference[painted]) > 0.7
        assert np.array_equal(np.delete(before, painted, 0), np.delete(after, painted, 0))
    person.look("04-strokes")

    person.go_to(z + 2)
    person.tool(Key.Key_I)
    held = slice(z - APART, z + APART + 1)
    assert dice(person.labels()[held] == ATRIUM, reference[held]) > 0.7
    person.look("05-interpolated")

    # A hole, made with napari's eraser, is filled; what it tore off the border is smoothed.
    person.go_to(z)
    inside = person.middle(reference[z])
    person.press(Key.Key_E)
    person.stroke(person.mm(*inside), person.mm(*inside))
    assert person.labels()[(z, *inside)] == 0
    person.press(Key.Key_1)
    person.tool(Key.Key_H)
    assert person.labels()[(z, *inside)] == ATRIUM
    person.tool(Key.Key_S)
    person.look("06-filled-and-smoothed")

    # A stray dab is a piece of its own.
    stray = np.argwhere(~binary_dilation(reference[z], iterations=25))[0] + 12
    person.stroke(person.mm(*stray), person.mm(*stray))
    assert person.labels()[(z, *stray)] == ATRIUM
    person.tool(Key.Key_K)
    assert person.labels()[(z, *stray)] == 0

    before, after = person.tool(Key.Key_D)
    assert (after == ATRIUM).sum() > (before == ATRIUM).sum()
    person.tool(Key.Key_D, SHIFT)
    assert (person.labels() == ATRIUM).sum() < (after == ATRIUM).sum()

    top = int(np.flatnonzero((person.labels() == ATRIUM).any(axis=(1, 2)))[-1])
    person.go_to(top + 1)
    person.tool(Key.Key_N)
    assert np.array_equal(person.labels()[top + 1] == ATRIUM, person.labels()[top] == ATRIUM)
    bottom = int(np.flatnonzero((person.labels() == ATRIUM).any(axis=(1, 2)))[0])
    person.go_to(bottom - 1)
    person.tool(Key.Key_N, SHIFT)
    assert np.array_equal(person.labels()[bottom - 1] == ATRIUM, person.labels()[bottom] == ATRIUM)

    # What is under the mouse, measured.
    person.go_to(z)
    person.point_at(person.mm(*inside))
    with person.qtbot.waitSignal(person.tools.measured, timeout=30_000) as measured:
        person.press(Key.Key_Q)
    assert measured.args[0].value == ATRIUM
    assert measured.args[0].found.voxels == (person.labels() == ATRIUM).sum()
    assert "ml" in person.dock.tools_panel.told.text()
    person.look("07-statistics")

    only_some_grey_values(person)
    in_a_linked_view(person)

    with person.qtbot.waitSignal(person.session.painting.saved, timeout=20_000):
        pass  # two seconds after the last stroke, by itself
    np.testing.assert_array_equal(person.session.study.read_labels(person.session.case), person.labels())
    assert person.session.study.case(person.session.case).state == "partial"
    person.dock.scroll_area.ensureWidgetVisible(person.dock.class_panel)
    person.click(person.dock.class_panel.complete)
    assert person.session.study.case(person.session.case).state == "complete"
    person.look("10-complete")
    return person.session.case, person.labels(), "complete"


def only_some_grey_values(person):
    """The wall, around the atrium, only where it is about as bright as under the mouse."""
    scan, z = person.session.layers.scan_array(), person.z
    ring = binary_dilation(person.labels()[z] == ATRIUM, iterations=8) & (person.labels()[z] == 0)
    y, x = np.argwhere(ring)[ring.sum() // 3]
    person.press(Key.Key_2)
    person.point_at(person.mm(y, x))
    person.press(Key.Key_T)
    grey = person.dock.tool_box.grey_range
    assert grey.is_on
    assert person.dock.tools_panel.grey.switch.isChecked()
    low, high = grey.ends
    before = person.labels()
    person.stroke(person.mm(y, x - 10), person.mm(y, x + 10))
    after = person.labels()
    new = (after == WALL) & (before != WALL)
    assert new.any()
    assert scan[new].min() >= low
    assert scan[new].max() <= high
    person.back_and_forth(before, after)
    person.look("08-grey-range")
    person.press(Key.Key_R)
    assert not grey.is_on
    # Background, painted: what the model shall know not to be the atrium.
    before = person.labels()
    person.press(Key.Key_0)
    person.stroke(person.mm(5, 5), person.mm(5, 40))
    after = person.labels()
    assert (after == BACKGROUND).sum() > 50
    person.back_and_forth(before, after)


def in_a_linked_view(person):
    """A stroke from foot to head in the coronal view is in the same labels."""
    person.press(Key.Key_F2)
    views = person.dock.viewing.views
    coronal = next(one for one in views.shown_views() if one.plane.name.lower().startswith("coronal"))
    person.qtbot.waitUntil(lambda: coronal.width() > 150)
    y, x = person.middle(person.reference[person.z])
    person.press(Key.Key_2)
    person.point_at(person.mm(y, x))
    before = person.labels()
    point = coronal._point
    at = np.array(person.layer.world_to_data(point))
    low, high = (person.layer.data_to_world((z, at[1], x)) for z in (3, 9))
    person.stroke(low, high, view=coronal)
    after = person.labels()
    new = np.argwhere((after == WALL) & (before != WALL))
    assert len(new) > 20
    assert len(np.unique(new[:, 0])) > 5, "the stroke runs from slice to slice"
    assert len(np.unique(new[:, 1])) == 1, "it lies in one coronal plane"
    person.back_and_forth(before, after)
    person.look("09-linked-views")
    person.press(Key.Key_F2)
    assert person.dock.viewing.views is None


def grow_and_import(person):
    """The second case: grown from strokes, then labels made elsewhere in their place; a note, and a second look."""
    person.begin()
    reference, z = person.reference, person.z
    for painted in (z - APART, z + APART):
        person.go_to(painted)
        plane = reference[painted]
        person.press(Key.Key_1)
        (start, end) = max(rows_of(plane), key=lambda one: one[1][1] - one[0][1])
        person.stroke(person.mm(start[0], start[1] + 8), person.mm(end[0], end[1] - 8))
        person.press(Key.Key_0)
        around = np.argwhere(plane)
        for row in (around[:, 0].min() - 12, around[:, 0].max() + 12):
            person.stroke(person.mm(row, around[:, 1].min()), person.mm(row, around[:, 1].max()))
        for column in (around[:, 1].min() - 12, around[:, 1].max() + 12):
            person.stroke(person.mm(around[:, 0].min(), column), person.mm(around[:, 0].max(), column))
    person.press(Key.Key_1)
    person.tool(Key.Key_G)
    held = slice(z - APART, z + APART + 1)
    grown = dice(person.labels()[held] == ATRIUM, reference[held])
    assert grown > 0.5, grown
    person.look("11-grown")
    bring_labels(person)
    write_a_note(person)
    wait_until(lambda: not person.session.painting.pending, "the labels were not saved")
    case = person.session.case
    return case, person.labels(), person.session.study.case(case).state


def bring_labels(person):
    """Labels made elsewhere, in the place of those painted."""
    before, case = person.labels(), person.session.case
    panel = person.dock.class_panel
    person.choose_file(panel.import_button, person.folder / "labels" / f"{case}.nii.gz")
    wait_until(lambda: panel.findChild(ImportDialog) is not None, "nobody asked what the values mean")
    dialog = panel.findChild(ImportDialog)
    person.look("12-import")
    with person.qtbot.waitSignal(person.session.confirmed, timeout=20_000):
        person.click(dialog.import_button)
    after = person.labels()
    np.testing.assert_array_equal(after == ATRIUM, person.reference)
    person.back_and_forth(before, after)


def write_a_note(person):
    """A note on the case, and a mark that it needs a second look."""
    case = person.session.case

    def write(asked):
        note = asked.findChild(QPlainTextEdit) or asked.findChild(QTextEdit)
        QTest.keyClicks(note, "veins are cut off")
        asked.accept()

    with answering(QInputDialog, write):
        person.choose(person.dock.study_panel.case_button, "Note")
    assert person.session.study.case(case).note == "veins are cut off"
    person.press(Key.Key_M, SHIFT)
    assert person.session.study.case(case).needs_look
    person.look("13-imported-with-a-note")


def rows_of(plane):
    """The first and the last voxel of a shape in each of its rows."""
    return [((y, int(x[0])), (y, int(x[-1]))) for y in range(len(plane)) if len(x := np.flatnonzero(plane[y]))]


def predict(person, case):
    """Leave a prediction for a case: its atrium two voxels too far to the side, and a wall around."""
    reference = nibabel.load(person.folder / "labels" / f"{case}.nii.gz")
    atrium = np.roll(np.asarray(reference.dataobj) == 1, 2, axis=0)
    mask = np.where(atrium, ATRIUM, np.where(binary_dilation(atrium, iterations=2), WALL, 0)).astype(np.uint8)
    path = prediction_path(person.session.study, case)
    path.parent.mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(mask, reference.affine), path)


def take_the_mask_over(person):
    """The third case has a mask: taken over by brush, slice, class, where nothing is painted and as a whole; and rejected."""
    session, panel = person.session, person.dock.mask_panel
    case = session.case
    predict(person, case)
    with person.qtbot.waitSignal(session.case_opened, timeout=30_000):
        person.press(Key.Key_Left, ALT)
    with person.qtbot.waitSignal(session.case_opened, timeout=30_000):
        person.press(Key.Key_Right, ALT)
    assert session.case == case
    assert session.has_mask
    person.begin()
    person.dock.scroll_area.ensureWidgetVisible(panel)
    mask = session.layers.mask_array().copy()
    z = person.z

    def changes(act):
        before = person.labels()
        act()
        after = person.labels()
        assert not np.array_equal(before, after)
        person.back_and_forth(before, after)
        return before, after

    # By brush: whatever class is in hand, the mask comes.
    person.press(Key.Key_1)
    person.press(Key.Key_W)
    assert panel.bring.isChecked()
    y, x = person.middle(mask[z] == ATRIUM)
    before, after = changes(lambda: person.stroke(person.mm(y, x), person.mm(y, x + 60)))
    new = after != before
    np.testing.assert_array_equal(after[new], mask[new])
    person.look("14-brush-brings-mask")
    person.press(Key.Key_W)
    assert not panel.bring.isChecked()

    person.click(panel.difference)
    assert any("ifference" in layer.name for layer in person.viewer.layers if layer.visible)
    person.look("15-difference")
    person.click(panel.difference)

    _, after = changes(lambda: person.press(Key.Key_A))
    np.testing.assert_array_equal(after[z], mask[z])
    assert not after[z + 1 :].any()

    # A stroke of background over the mask's border survives where only what is not painted is taken over.
    person.go_to(z + 3)
    person.press(Key.Key_0)
    y, x = person.middle(mask[z + 3] == ATRIUM)
    person.stroke(person.mm(y, x), person.mm(y, x + 5))
    mine = person.labels() == BACKGROUND
    assert mine.any()
    changes(lambda: person.choose(panel.accept_one_button, "Only wall"))
    assert not (person.labels()[z + 6] == ATRIUM).any()
    _, after = changes(lambda: person.choose(panel.accept_one_button, "Only where nothing is painted"))
    np.testing.assert_array_equal(after[mine], BACKGROUND)
    np.testing.assert_array_equal(after[~mine], mask[~mine])
    assert session.study.case(case).state != "accepted"

    before = person.labels()
    person.click(panel.reject_button)
    assert not session.has_mask
    assert not panel.accept_button.isEnabled()
    np.testing.assert_array_equal(person.labels(), before)
    person.click(panel.reject_button)  # it says 'Bring back' now
    np.testing.assert_array_equal(session.layers.mask_array(), mask)

    _, after = changes(lambda: person.press(Key.Key_A, SHIFT))
    np.testing.assert_array_equal(after, mask)
    person.look("16-accepted")
    wait_until(lambda: session.study.case(case).state == "accepted", "the case did not become an accepted one")
    return case, after, "accepted"


def find_all_of_it_again(person, painted):
    """Close the dock, open it again, open the study: labels, states, classes, note and mask are there."""
    person.viewer.window.remove_dock_widget(person.dock)
    settle()
    with Study.open(person.folder / "study", read_only=True) as study:
        for case, labels, state in painted:
            np.testing.assert_array_equal(study.read_labels(case), labels)
            assert study.case(case).state == state
    person.open_dock()
    with person.qtbot.waitSignal(person.session.case_opened, timeout=30_000):
        person.choose_file(person.dock.empty_panel.open_button, person.folder / "study")
    study = person.session.study
    assert [one.name for one in study.classes] == ["left atrium", "wall"]
    assert study.case(painted[1][0]).note == "veins are cut off"
    for case, labels, _ in painted:
        if case != person.session.case:
            next_case(person)
        assert person.session.case == case
        np.testing.assert_array_equal(person.labels(), labels)
    assert person.session.has_mask
    person.look("17-found-again")
    person.dock.shut_down()
