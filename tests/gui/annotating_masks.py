"""The steps of the walk that take over a mask, by brush, slice, class and as a whole, and that find all of it again."""

import nibabel
import numpy as np
from qtpy.QtCore import Qt
from scipy.ndimage import binary_dilation

from cvrl_napari.gui.masks import prediction_path
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.study.study import Study

from .annotator import OTHER, STRUCTURE, heard, next_case
from .person import ALT, SHIFT, settle, wait_until

Key = Qt.Key


def predict(person, case):
    """Leave a prediction for a case: its atrium two voxels too far to the side, and a wall around."""
    reference = nibabel.load(person.folder / "labels" / f"{case}.nii.gz")
    atrium = np.roll(np.asarray(reference.dataobj) == 1, 2, axis=0)
    mask = np.where(atrium, STRUCTURE, np.where(binary_dilation(atrium, iterations=2), OTHER, 0)).astype(np.uint8)
    path = prediction_path(person.session.study, case)
    path.parent.mkdir(exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(mask, reference.affine), path)


def take_the_mask_over(person):
    """The third case has a mask: taken over by brush, slice, class, where nothing is painted and as a whole; and rejected."""
    session, panel = person.session, person.dock.mask_panel
    case = session.case
    predict(person, case)
    with heard(session.case_opened, 30):
        person.press(Key.Key_Left, ALT)
    with heard(session.case_opened, 30):
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
    y, x = person.middle(mask[z] == STRUCTURE)
    before, after = changes(lambda: person.stroke(person.mm(y, x), person.mm(y, x + 60)))
    new = after != before
    np.testing.assert_array_equal(after[new], mask[new])
    person.look("15-brush-brings-mask")
    person.press(Key.Key_W)
    assert not panel.bring.isChecked()

    _, after = changes(lambda: person.press(Key.Key_A))
    np.testing.assert_array_equal(after[z], mask[z])
    assert not after[z + 1 :].any()

    # A stroke of background over the mask's border survives where only what is not painted is taken over.
    person.go_to(z + 3)
    person.press(Key.Key_0)
    y, x = person.middle(mask[z + 3] == STRUCTURE)
    person.stroke(person.mm(y, x), person.mm(y, x + 5))
    mine = person.labels() == BACKGROUND
    assert mine.any()
    changes(lambda: person.choose(panel.accept_one_button, f"Only {person.classes[1]}"))
    assert not (person.labels()[z + 6] == STRUCTURE).any()
    _, after = changes(lambda: person.choose(panel.accept_one_button, "Only where nothing is painted"))
    np.testing.assert_array_equal(after[mine], BACKGROUND)
    np.testing.assert_array_equal(after[~mine], mask[~mine])
    assert session.study.case(case).state != "accepted"

    # The stroke of background is what differs from the mask.
    person.click(panel.difference)
    shown = next(layer for layer in person.viewer.layers if "ifference" in layer.name)
    np.testing.assert_array_equal(shown.data > 0, mine & (mask > 0))
    person.look("16-difference")
    person.click(panel.difference)

    before = person.labels()
    person.click(panel.reject_button)
    assert not session.has_mask
    assert not panel.accept_button.isEnabled()
    assert session.study.case(case).needs_look
    person.undo()
    np.testing.assert_array_equal(session.layers.mask_array(), mask)
    assert not session.study.case(case).needs_look
    person.redo()
    assert not session.has_mask
    person.click(panel.reject_button)  # it says 'Bring back' now
    np.testing.assert_array_equal(session.layers.mask_array(), mask)
    np.testing.assert_array_equal(person.labels(), before)

    _, after = changes(lambda: person.press(Key.Key_A, SHIFT))
    np.testing.assert_array_equal(after, mask)
    wait_until(lambda: session.study.case(case).state == "accepted", "the case did not become an accepted one")
    wait_until(lambda: panel.saved.text().startswith("Saved"), "the panel did not say that it is saved")
    person.look("17-accepted")
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
    with heard(person.session.case_opened, 30):
        person.choose_file(person.dock.empty_panel.open_button, person.folder / "study")
    study = person.session.study
    assert [one.name for one in study.classes] == list(person.classes)
    assert study.case(painted[1][0]).note == "veins are cut off"
    for case, labels, _ in painted:
        if case != person.session.case:
            next_case(person)
        assert person.session.case == case
        np.testing.assert_array_equal(person.labels(), labels)
    assert person.session.has_mask
    person.look("18-found-again")
    person.dock.shut_down()
