"""The dock on a laptop's screen, in both themes, by keyboard alone, and by name."""

from collections import Counter

import numpy as np
import pytest
from napari.settings import get_settings
from qtpy.QtCore import QPoint, QRect, Qt
from qtpy.QtGui import QColor, QImage
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QCheckBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLineEdit,
    QListView,
    QTabBar,
    QTableView,
    QWidget,
)
from superqt import QCollapsible

from cvrl_napari.gui.case_table import STATE, STATES
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.case_choice import CaseChoice
from cvrl_napari.gui.keys import KEYS
from cvrl_napari.gui.keys_sheet import KeysSheet
from cvrl_napari.gui.looks import FOCUS_ON_DARK, FOCUS_ON_LIGHT
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.version_dialog import VersionDialog

pytestmark = pytest.mark.gui
NEEDED_CONTRAST = 4.5
"""WCAG 2.1, level AA, for text of usual size."""
BOX_WIDTH = 23
"""Pixels of a box to tick, with half the room to its text."""


@pytest.fixture
def window(make_napari_viewer):
    """A laptop's napari with the empty dock."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1366, 768)
    dock = CvrlDock(viewer)
    viewer.window.add_dock_widget(dock, name="CVRL", area="right")
    settle()
    yield viewer, dock
    dock.shut_down()


@pytest.fixture
def at_work(window, ball_study, qtbot):
    """The same with a study open, the case on view painted."""
    viewer, dock = window
    ball_study.close()
    with qtbot.waitSignal(dock.session.case_opened):
        dock.open_folders([ball_study.folder])
    with qtbot.waitSignal(dock.session.case_opened):
        dock.session.open_case("a")
    settle()
    return viewer, dock


def settle() -> None:
    for _ in range(5):
        QApplication.processEvents()


def texts(dock: QWidget) -> list[QLabel | QAbstractButton]:
    """All labels and buttons of the dock that say something now."""
    some = [one for kind in (QLabel, QAbstractButton) for one in dock.findChildren(kind)]
    return [one for one in some if one.isVisible() and one.text()]


def assert_not_cut(dock: CvrlDock) -> None:
    right = dock.mapToGlobal(QPoint(dock.width(), 0)).x()
    for one in texts(dock):
        wraps = isinstance(one, QLabel) and one.wordWrap()
        if one.height() == 0:  # folded away
            continue
        needed = one.minimumSizeHint() if wraps else one.sizeHint()
        high = one.heightForWidth(one.width()) if wraps else needed.height()
        assert one.width() >= needed.width(), f"'{one.text()}' is {one.width()} wide and needs {needed.width()}"
        assert one.height() >= high - 1, f"'{one.text()}' is cut in height"
        assert one.mapToGlobal(QPoint(one.width(), 0)).x() <= right, f"'{one.text()}' leaves the dock"


def luminance(color: np.ndarray) -> np.ndarray:
    """WCAG's relative luminance of sRGB colours (..., 3) in 0 to 255."""
    share = color / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ np.array((0.2126, 0.7152, 0.0722))


def pixels_of(widget: QWidget, area: QRect | None = None) -> np.ndarray:
    """What is drawn of a widget, RGB from 0 to 255 (row, column, 3)."""
    image = widget.grab(area if area is not None else widget.rect()).toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)[..., 2::-1]
    return pixels[:, : image.width()].copy()


def near(pixels: np.ndarray, color: np.ndarray) -> np.ndarray:
    """Where pixels (row, column, 3) are of about this color."""
    return np.abs(pixels.astype(int) - color).sum(axis=-1) < 40


def rendered_contrast(widget: QWidget, area: QRect | None = None) -> float:
    """The largest contrast between what is mostly seen of a widget and any of its pixels: ground and strokes of letters."""
    inner = pixels_of(widget, area)[3:-3, 3:-3].reshape(-1, 3)
    ground = np.array(Counter(map(tuple, inner.tolist())).most_common(1)[0][0])
    light = luminance(inner.astype(float))
    base = float(luminance(ground.astype(float)))
    return float(max((light.max() + 0.05) / (base + 0.05), (base + 0.05) / (light.min() + 0.05)))


def test_no_text_of_the_empty_dock_is_cut_on_a_laptop(window):
    assert_not_cut(window[1])


def test_at_work_no_text_is_cut_and_every_button_says_what_it_does(at_work):
    assert_not_cut(at_work[1])
    for one in at_work[1].findChildren(QAbstractButton):
        if one.isVisible() and one.text() and not isinstance(one.parentWidget(), QCollapsible):
            assert one.toolTip() or one.parentWidget().toolTip(), f"'{one.text()}' has no tooltip"


def test_all_texts_can_be_read_in_both_themes(at_work):
    _, dock = at_work
    dock.empty_panel.show()
    dock.notice.tell("Something went wrong that should not.", "Try again.", "")
    for theme in ("light", "dark"):
        get_settings().appearance.theme = theme
        settle()
        for one in texts(dock):
            # What cannot be pressed now is exempt (WCAG 1.4.3, inactive components); a part of a letter tells nothing.
            if one.isEnabled() and one.visibleRegion().boundingRect().height() > 8:
                beside = QRect(BOX_WIDTH, 0, one.width() - BOX_WIDTH, one.height()) if isinstance(one, QCheckBox) else None
                assert rendered_contrast(one, beside) >= NEEDED_CONTRAST, f"'{one.text()}' in the {theme} theme"


def test_tools_lists_fields_and_dialogs_can_be_read_in_both_themes(at_work, tmp_path):
    """Everything with words in it that is no label or button of the folded dock, as it is drawn."""
    _, dock = at_work
    dock.study_panel.search.setText("a")
    for theme in ("light", "dark"):
        get_settings().appearance.theme = theme
        for fold in dock.findChildren(QCollapsible):
            fold.expand(animate=False)
        study = dock.session.study
        dialogs = [KeysSheet(dock), NewStudyDialog([study.case("a").scan], dock), VersionDialog("a", (), study.classes, dock)]
        for dialog in dialogs:
            dialog.show()
        settle()
        checked = []
        for one in [widget for root in (dock, *dialogs) for widget in root.findChildren(QWidget)]:
            area = one.visibleRegion().boundingRect()
            is_button = isinstance(one, QAbstractButton | QLabel) and bool(one.text())
            if not one.isVisible() or not one.isEnabled() or area.height() < 10 or area.width() < 10:
                continue
            if isinstance(one, QHeaderView | QComboBox | QTabBar | QLineEdit) or is_button:
                if isinstance(one, QCheckBox):
                    area = QRect(BOX_WIDTH, 0, one.width() - BOX_WIDTH, one.height())
                words = getattr(one, "text", lambda: "")() or one.objectName() or type(one).__name__
                checked.append(words)
                assert rendered_contrast(one, area) >= NEEDED_CONTRAST, f"{type(one).__name__} '{words}' in the {theme} theme"
            elif isinstance(one, QListView | QTableView):
                for row in range(min(one.model().rowCount(), 4)):
                    cell = one.visualRect(one.model().index(row, 0))
                    words = cell.adjusted(max(one.iconSize().width(), 20), 0, 0, 0)  # beside its picture
                    if one.viewport().rect().contains(words):
                        assert rendered_contrast(one.viewport(), words) >= NEEDED_CONTRAST, f"row {row} of {one}, {theme} theme"
        assert {"Interpolate", "3D brush", "Scans", "Cancel", "QHeaderView"} <= set(checked)
        for dialog in dialogs:
            dialog.close()
            dialog.deleteLater()


def test_boxes_to_tick_are_seen_in_both_themes(at_work):
    _, dock = at_work
    dock.tools.expand(animate=False)
    for theme in ("light", "dark"):
        get_settings().appearance.theme = theme
        settle()
        for one in dock.findChildren(QCheckBox):
            if one.isVisible() and one.isEnabled() and one.visibleRegion().boundingRect().height() > 15:
                row = luminance(pixels_of(one)[one.height() // 2, :BOX_WIDTH].astype(float))
                ground = row[-1]  # between the box and its text
                edge = row[np.argmax(np.abs(row - ground) > 0.02)]
                ratio = (max(edge, ground) + 0.05) / (min(edge, ground) + 0.05)
                assert ratio >= 3, f"the box of '{one.text()}' in the {theme} theme"


def test_every_state_of_a_case_can_be_read_in_both_themes(at_work):
    """Each state in turn on a case that is not the one on view, and on the one that is."""
    _, dock = at_work
    study, panel = dock.session.study, dock.study_panel
    for theme in ("light", "dark"):
        get_settings().appearance.theme = theme
        for state in STATES:
            for case in ("a", "b"):
                study.set_state(case, state)
                panel.table.update_case(case)
                settle()
                index = panel.rows.mapFromSource(panel.table.index(panel.table.row_of(case), STATE))
                panel.list.scrollTo(index)
                area = panel.list.visualRect(index)
                assert area.height() > 15
                assert rendered_contrast(panel.list.viewport(), area) >= NEEDED_CONTRAST, f"{state}, {case}, {theme} theme"


def test_the_white_of_train_can_be_read_on_its_blue():
    blue, white = QColor("#2f6fb0"), 1.0
    base = luminance(np.array([blue.red(), blue.green(), blue.blue()], float))
    assert (white + 0.05) / (base + 0.05) >= NEEDED_CONTRAST


def test_the_keyboard_alone_reaches_everything(at_work, qtbot):
    _, dock = at_work
    dock.window().activateWindow()
    qtbot.waitUntil(dock.window().isActiveWindow)
    dock.study_panel.setFocus()
    reached: set[QWidget] = set()
    for _ in range(120):
        QTest.keyClick(dock.window().focusWidget() or dock, Qt.Key.Key_Tab)
        focused = dock.window().focusWidget()
        if focused is None or focused in reached:
            break
        reached.add(focused)
    # Fields that belong to a slider or a spin box are reached with it.
    wanted = {
        one for one in (*dock.findChildren(QAbstractButton), dock.study_panel.search) if one.isVisible() and one.isEnabled()
    }
    missed = {one.objectName() or one.text() for one in wanted - reached if one.focusPolicy() & Qt.FocusPolicy.TabFocus}
    assert not missed
    unreachable = {one.text() for one in wanted if not one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.text()}
    assert not unreachable, "no Tab leads there"


def test_f1_shows_all_keys_and_f6_goes_round(at_work, qtbot):
    _, dock = at_work
    window = dock.window()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_F6)
    first = window.focusWidget()
    QTest.keyClick(window, Qt.Key.Key_F6)
    second = window.focusWidget()
    assert dock.isAncestorOf(first) != dock.isAncestorOf(second)
    QTest.keyClick(window, Qt.Key.Key_F1)
    qtbot.waitUntil(lambda: bool(dock.findChildren(KeysSheet)))
    (sheet,) = dock.findChildren(KeysSheet)
    said = {label.text() for label in sheet.findChildren(QLabel)}
    assert {key.keys for keys in KEYS.values() for key in keys} <= said
    assert sheet.sizeHint().height() < 700
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not dock.findChildren(KeysSheet))


def test_what_has_the_focus_is_seen_in_both_themes(at_work, qtbot):
    """Without its rim nobody who works with keys alone knows where they go."""
    viewer, dock = at_work
    window = dock.window()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    some = (dock.study_panel.case_button, dock.study_panel.search, dock.study_panel.state, dock.class_panel.complete)
    for theme, rim in (("dark", FOCUS_ON_DARK), ("light", FOCUS_ON_LIGHT)):
        viewer.theme = theme
        accent = np.array(QColor(rim).getRgb()[:3])
        for one in (*some, dock.train_panel.options.toggleButton()):
            dock.study_panel.list.setFocus()
            settle()
            before = near(pixels_of(one), accent)
            ground = np.array(Counter(map(tuple, pixels_of(one)[3:-3, 3:-3].reshape(-1, 3).tolist())).most_common(1)[0][0])
            one.setFocus()
            settle()
            assert near(pixels_of(one), accent).sum() > before.sum() + 30, f"{theme}: {one}"
            light, dark = sorted((float(luminance(color.astype(float))) + 0.05 for color in (accent, ground)), reverse=True)
            assert light / dark > 3, f"{theme}: {one}"


def test_the_theme_of_this_window_counts_not_that_of_the_settings(at_work):
    """Ctrl+Shift+T gives the window another theme and leaves the settings alone."""
    viewer, dock = at_work
    colors = set()
    for theme in ("dark", "light"):
        viewer.theme = theme
        settle()
        index = dock.study_panel.table.index(0, STATE)
        colors.add(index.data(Qt.ItemDataRole.ForegroundRole).name())
        dock.study_panel.search.clear()
        assert rendered_contrast(dock.study_panel.search) >= NEEDED_CONTRAST, theme
    assert colors == set(STATES["complete"][1])


def test_boxes_of_lists_are_seen_in_both_themes(at_work):
    viewer, dock = at_work
    for theme in ("dark", "light"):
        viewer.theme = theme
        choice = CaseChoice(["a", "b"], ["a"], dock)
        choice.open()
        settle()
        row = choice.list.visualItemRect(choice.list.item(1))
        box = QRect(row.left(), row.top(), 20, row.height())
        assert rendered_contrast(choice.list.viewport(), box) > 3, theme
        choice.reject()
