"""The classes: pick one to paint with, add, rename, recolour, reorder, delete; and whether the case on view is complete."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtCore import QPoint, QSize, Qt, QTimer
from qtpy.QtGui import QColor
from qtpy.QtWidgets import (
    QCheckBox,
    QColorDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.class_order import ClassOrder
from cvrl_napari.gui.import_labels import ImportDialog
from cvrl_napari.gui.list_keys import ListKeys
from cvrl_napari.gui.questions import agreed
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.swatch import BACKGROUND_COLOR, SIZE, swatch
from cvrl_napari.gui.waiting import Waiting
from cvrl_napari.study.label_import import LabelSurvey
from cvrl_napari.study.labels import BACKGROUND

ROW_HEIGHT = 24
IMPORT_TOOLTIP = """Take over labels of this scan that were made elsewhere:
NIfTI, NRRD, MetaImage, DICOM SEG or RTSTRUCT; several files at once, one a structure"""
LABEL_FILES = "Labels (*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.mgh *.mgz *.hdr *.dcm *.seg);;All files (*)"
ID = Qt.ItemDataRole.UserRole


class ClassPanel(QWidget):
    """A row a class with its colour and key; the last row paints background."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.order = ClassOrder(session, self)
        self._working: Waiting | None = None
        self.list = QListWidget()
        self.list.setIconSize(QSize(SIZE, SIZE))
        self.list.setToolTip("Click a class, or press its number, to paint with it; double-click its name to rename it")
        self.add_button = small_button("+", "Add a structure")
        self.color_button = small_button("Color…", "Give the selected structure another color")
        self.import_button = small_button("Import…", IMPORT_TOOLTIP)
        self.more_button = small_button("More", "Rename, move or delete the selected structure (right-click its row)")
        self.menu = QMenu(self.more_button)
        self.rename_action = self.menu.addAction("Rename (F2)", self._rename)
        self.up_action = self.menu.addAction("Move up", lambda: self.order.move(session.selected_class, -1))
        self.down_action = self.menu.addAction("Move down", lambda: self.order.move(session.selected_class, 1))
        self.delete_action = self.menu.addAction("Delete… (Del)", self._delete)
        self.menu.aboutToShow.connect(self._show_menu)
        self.more_button.setMenu(self.menu)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.complete = QCheckBox("This case is complete (not painted = background)")
        self.complete.setToolTip(
            "Tick when every structure of this scan is painted: the model then learns that the rest is background.\n"
            "Unticked, what is not painted is unknown to it."
        )
        self.held_out = QCheckBox("Measure on it only (held out)")
        self.held_out.setToolTip(
            "Tick to keep the labels of this case for measuring: the model never learns from them, and the Dice curve\n"
            "tells how well it does on cases it has not seen. Not while a training is under way."
        )

        top = QHBoxLayout()
        top.addWidget(QLabel("Classes"), stretch=1)
        top.addWidget(self.add_button)
        top.addWidget(self.color_button)
        top.addWidget(self.import_button)
        top.addWidget(self.more_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addLayout(top)
        layout.addWidget(self.list)
        layout.addWidget(self.complete)
        layout.addWidget(self.held_out)

        self.add_button.clicked.connect(self._add)
        self.color_button.clicked.connect(self._recolor)
        self.import_button.clicked.connect(self.ask_for_labels)
        session.importing.looked.connect(self._ask_what_values_mean)
        self.complete.clicked.connect(session.set_complete)
        self.held_out.clicked.connect(session.set_held_out)
        session.training.changed.connect(self._show_held_out)
        self.list.customContextMenuRequested.connect(self._show_menu_at)
        self.order.counted.connect(self._ask_to_delete)
        self.order.working.connect(self._wait)
        keys: dict[int, Callable[[], object]] = {Qt.Key.Key_F2: self._rename, Qt.Key.Key_Delete: self._delete}
        keys |= {Qt.Key.Key_0 + digit: partial(session.paint_with, digit or BACKGROUND) for digit in range(10)}
        for enter in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            keys[enter] = lambda: session.paint_with(session.selected_class)
        ListKeys(self.list, keys)
        self.list.itemClicked.connect(lambda item: session.paint_with(item.data(ID)))
        self.list.currentItemChanged.connect(self._on_row)  # by the arrow keys too: what is marked is in hand
        self.list.itemChanged.connect(self._on_edited)
        session.classes_changed.connect(self._fill)
        session.class_selected.connect(self._mark)
        for signal in (session.case_opened, session.case_changed, session.study_changed):
            signal.connect(self._show_state)
        self._fill()
        self._show_state()

    def ask_for_labels(self) -> None:
        """Let the person choose label files made elsewhere for the case on view."""
        study, case = self._session.study, self._session.case
        if study is None or not case:
            return
        folder = study.case(case).scan.parent
        chosen, _ = QFileDialog.getOpenFileNames(self, f"Labels for {case}", str(folder), LABEL_FILES)
        if chosen:
            self._session.importing.look(sorted(Path(one) for one in chosen))

    def _ask_what_values_mean(self, survey: LabelSurvey) -> None:
        study, case = self._session.study, self._session.case
        if study is None or not case:
            return
        fresh = not self._session.layers.labels_array().any()
        dialog = ImportDialog(survey, study.classes, case, complete=fresh, parent=self)
        dialog.accepted.connect(lambda: self._session.importing.bring(survey, dialog.choice))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def shut_down(self) -> None:
        """Let nothing go on in the background."""
        self.list.currentItemChanged.disconnect(self._on_row)  # rows go with the window, one after the other
        self.order.close()

    def _show_menu(self) -> None:
        study, class_id = self._session.study, self._session.selected_class
        count = len(study.classes) if study is not None else 0
        can_change = study is not None and not study.read_only and class_id <= count
        self.rename_action.setEnabled(can_change)
        self.up_action.setEnabled(can_change and class_id > 1)
        self.down_action.setEnabled(can_change and class_id < count)
        self.delete_action.setEnabled(can_change and count > 1)

    def _show_menu_at(self, place: QPoint) -> None:
        item = self.list.itemAt(place)
        if item is not None:
            self._session.select_class(item.data(ID))
        self.menu.popup(self.list.viewport().mapToGlobal(place))

    def _rename(self) -> None:
        self._show_menu()
        item = self.list.currentItem()
        if item is not None and self.rename_action.isEnabled():
            self.list.editItem(item)

    def _delete(self) -> None:
        self._show_menu()
        if self.delete_action.isEnabled():
            self.order.count(self._session.selected_class)

    def _ask_to_delete(self, class_id: int, touched: str) -> None:
        study = self._session.study
        if study is None or class_id > len(study.classes):
            return
        name = study.classes[class_id - 1].name
        question = f"Delete the class '{name}'?"
        if agreed(self, "Delete a class", question, "Delete the class", more=touched, grave=True):
            self.order.delete(class_id)

    def _wait(self, working: bool) -> None:
        """Keep the hand off the labels while their values change."""
        if working and self._working is None:
            self._working = Waiting("Changing the classes in all labels…", self.window())
        elif not working and self._working is not None:
            self._working.put_away()
            self._working = None

    def _fill(self) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        study = self._session.study
        for structure in study.classes if study is not None else ():
            self._row(structure.id, structure.name, structure.color, str(structure.id) if structure.id <= 9 else "")
        self._row(BACKGROUND, "background", BACKGROUND_COLOR, "0")
        self.list.setFixedHeight(min(self.list.count(), 5) * ROW_HEIGHT + 6)
        self.list.blockSignals(False)
        self._mark(self._session.selected_class)

    def _row(self, class_id: int, name: str, color: str, key: str) -> None:
        item = QListWidgetItem(swatch(color, key), name, self.list)
        item.setData(ID, class_id)
        item.setSizeHint(QSize(0, ROW_HEIGHT))
        item.setToolTip(f"Paint with '{name}'" + (f" (key {key})" if key else ""))
        if class_id != BACKGROUND and self._can_change:
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)

    @property
    def _can_change(self) -> bool:
        """Whether there is a study that may be written to."""
        return self._session.study is not None and not self._session.study.read_only

    def _offer_changes(self) -> None:
        self.add_button.setEnabled(self._can_change)
        self.color_button.setEnabled(self._can_change and self._session.selected_class != BACKGROUND)

    def _on_row(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self._session.select_class(item.data(ID))

    def _mark(self, class_id: int) -> None:
        for index in range(self.list.count()):
            if self.list.item(index).data(ID) == class_id:
                self.list.setCurrentRow(index)
        self._offer_changes()

    def _add(self) -> None:
        """Add a class under a free name and let the person type over it."""
        study = self._session.study
        if study is None:
            return
        number = len(study.classes) + 1
        taken = {structure.name for structure in study.classes}
        name = next(name for name in (f"structure {n}" for n in range(number, 2 * number + 1)) if name not in taken)
        self._session.add_class(name)
        item = self.list.currentItem()
        if item is not None:
            self.list.editItem(item)

    def _recolor(self) -> None:
        study, class_id = self._session.study, self._session.selected_class
        if study is None or class_id == BACKGROUND:
            return
        old = study.classes[class_id - 1]
        color = QColorDialog.getColor(QColor(old.color), self, f"Color of {old.name}")
        if color.isValid():
            self._session.class_editing.recolor(class_id, color.name())

    def _on_edited(self, item: QListWidgetItem) -> None:
        """Rename after Qt has closed the editor: the list is filled anew then."""
        class_id, name = item.data(ID), item.text()
        QTimer.singleShot(0, self, lambda: self._session.class_editing.rename(class_id, name))

    def _show_state(self) -> None:
        study, case = self._session.study, self._session.case
        state = study.case(case).state if study is not None and case else "unlabeled"
        self._offer_changes()
        self.import_button.setEnabled(self._can_change and bool(case))
        self.complete.setEnabled(self._can_change and state != "unlabeled")
        self.complete.setChecked(state in ("complete", "accepted"))
        self._show_held_out()

    def _show_held_out(self) -> None:
        session = self._session
        case = session.study.case(session.case) if session.study is not None and session.case else None
        can_change = case is not None and (case.is_labeled or case.held_out) and not session.training.is_active
        self.held_out.setEnabled(can_change and session.study is not None and not session.study.read_only)
        self.held_out.setChecked(case is not None and case.held_out)
