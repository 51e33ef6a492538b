"""The steps of the walk that paint: a study, strokes, every tool, a linked view, growing, labels made elsewhere, a note."""

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton
from scipy.ndimage import binary_dilation
from skimage.measure import find_contours

from cvrl_napari.gui.import_labels import ImportDialog
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.note_dialog import NoteDialog
from cvrl_napari.study.labels import BACKGROUND

from .annotator import APART, OTHER, STRUCTURE, dice, heard
from .person import SHIFT, answering, wait_until

Key = Qt.Key


def make_the_study(person):
    """New study, then the classes: one renamed, one added."""
    dock = person.dock
    person.click(dock.empty_panel.new_button)
    dialog = dock.findChild(NewStudyDialog)
    browse = next(one for one in dialog.findChildren(QPushButton) if one.text() == "…")
    person.choose_file(browse, person.folder / "scans")
    QTest.keyClicks(dialog.classes_edit, "heart")
    dialog.folder_edit.selectAll()
    QTest.keyClicks(dialog.folder_edit, str(person.folder / "study"))
    person.look("02-new-study")
    with heard(person.session.case_opened, 30):
        person.click(dialog.buttons.button(dialog.buttons.StandardButton.Ok))
    names = dock.class_panel.list
    person.rename(names, 0, person.classes[0])
    person.click(dock.class_panel.add_button)
    person.type_into_row(names, person.classes[1])
    assert [one.name for one in person.session.study.classes] == list(person.classes)
    assert person.session.selected_class == OTHER
    person.look("03-classes")


def paint_and_interpolate(person):
    """The first case: strokes on three slices, the slices between them, and every tool that mends."""
    person.begin()
    layer, reference, z = person.layer, person.reference, person.z
    person.click(person.dock.tools.toggleButton())
    person.press(Key.Key_1)
    assert (layer.mode, person.session.selected_class) == ("paint", STRUCTURE)
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
        assert reference[painted][after[painted] == STRUCTURE].mean() > 0.95
        assert dice(after[painted] == STRUCTURE, reference[painted]) > 0.7
        assert np.array_equal(np.delete(before, painted, 0), np.delete(after, painted, 0))
    person.look("04-strokes")

    person.go_to(z + 2)
    person.tool(Key.Key_I)
    held = slice(z - APART, z + APART + 1)
    assert dice(person.labels()[held] == STRUCTURE, reference[held]) > 0.7
    person.look("05-interpolated")

    # A hole, made with napari's eraser, is filled; what it tore off the border is smoothed.
    person.go_to(z)
    inside = person.middle(reference[z])
    person.press(Key.Key_E)
    person.stroke(person.mm(*inside), person.mm(*inside))
    assert person.labels()[(z, *inside)] == 0
    person.press(Key.Key_1)
    person.tool(Key.Key_H)
    assert person.labels()[(z, *inside)] == STRUCTURE
    person.tool(Key.Key_S)
    person.look("06-filled-and-smoothed")

    # A stray dab is a piece of its own.
    stray = np.argwhere(~binary_dilation(reference[z], iterations=25))[0] + 12
    person.stroke(person.mm(*stray), person.mm(*stray))
    assert person.labels()[(z, *stray)] == STRUCTURE
    person.tool(Key.Key_K)
    assert person.labels()[(z, *stray)] == 0

    before, after = person.tool(Key.Key_D)
    assert (after == STRUCTURE).sum() > (before == STRUCTURE).sum()
    person.tool(Key.Key_D, SHIFT)
    assert (person.labels() == STRUCTURE).sum() < (after == STRUCTURE).sum()

    top = int(np.flatnonzero((person.labels() == STRUCTURE).any(axis=(1, 2)))[-1])
    person.go_to(top + 1)
    person.tool(Key.Key_N)
    assert np.array_equal(person.labels()[top + 1] == STRUCTURE, person.labels()[top] == STRUCTURE)
    bottom = int(np.flatnonzero((person.labels() == STRUCTURE).any(axis=(1, 2)))[0])
    person.go_to(bottom - 1)
    person.tool(Key.Key_N, SHIFT)
    assert np.array_equal(person.labels()[bottom - 1] == STRUCTURE, person.labels()[bottom] == STRUCTURE)

    # What is under the mouse, measured.
    person.go_to(z)
    person.point_at(person.mm(*inside))
    with heard(person.tools.measured, 30) as measured:
        person.press(Key.Key_Q)
    assert measured.values[0].value == STRUCTURE
    assert measured.values[0].found.voxels == (person.labels() == STRUCTURE).sum()
    assert "ml" in person.dock.tools_panel.told.text()
    person.look("07-statistics")

    only_some_grey_values(person)
    in_a_linked_view(person)

    with heard(person.session.painting.saved, 20):
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
    ring = binary_dilation(person.labels()[z] == STRUCTURE, iterations=8) & (person.labels()[z] == 0)
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
    new = (after == OTHER) & (before != OTHER)
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
    wait_until(lambda: coronal.width() > 150, "the views did not open")
    y, x = person.middle(person.reference[person.z])
    person.press(Key.Key_2)
    person.point_at(person.mm(y, x))
    before = person.labels()
    point = coronal._point
    at = np.array(person.layer.world_to_data(point))
    low, high = (person.layer.data_to_world((z, at[1], x)) for z in (3, 9))
    person.stroke(low, high, view=coronal)
    after = person.labels()
    new = np.argwhere((after == OTHER) & (before != OTHER))
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
        person.trace([person.mm(*place) for place in around(plane, person.layer.brush_size // 2 + 3)])
    person.look("11-strokes-to-grow-from")
    person.press(Key.Key_1)
    person.tool(Key.Key_G)
    held = slice(z - APART, z + APART + 1)
    grown = dice(person.labels()[held] == STRUCTURE, reference[held])
    assert grown > 0.6, grown
    person.look("12-grown")
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
    person.look("13-import")
    with heard(person.session.confirmed, 20):
        person.click(dialog.import_button)
    after = person.labels()
    np.testing.assert_array_equal(after == STRUCTURE, person.reference)
    person.back_and_forth(before, after)


def write_a_note(person):
    """A note on the case, and a mark that it needs a second look."""
    case = person.session.case

    def write(asked):
        QTest.keyClicks(asked.text, "veins are cut off")
        QTest.keyClick(asked.text, Key.Key_Tab)
        QTest.keyClick(asked.focusWidget(), Key.Key_Return)

    with answering(NoteDialog, write):
        person.choose(person.dock.study_panel.case_button, "Note")
    assert person.session.study.case(case).note == "veins are cut off"
    person.press(Key.Key_M, SHIFT)
    assert person.session.study.case(case).needs_look
    person.look("14-imported-with-a-note")


def around(plane, away):
    """Places (y, x) of an outline round the largest piece of a shape, so many voxels away from it, closed."""
    outline = max(find_contours(binary_dilation(plane, iterations=away).astype(float), 0.5), key=len)
    return [*outline[::6], outline[0]]


def rows_of(plane):
    """The first and the last voxel of a shape in each of its rows."""
    return [((y, int(x[0])), (y, int(x[-1]))) for y in range(len(plane)) if len(x := np.flatnonzero(plane[y]))]
