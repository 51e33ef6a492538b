"""The study on top of the dock: its name, the table of its cases, and what can be done with a case."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QModelIndex, QPoint, QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QTableView,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.case_table import (
    CHANGED,
    HELD_OUT,
    ID_ROLE,
    MODEL,
    NAME,
    NEEDS_LOOK,
    STATE,
    STATES,
    VOLUMES,
    VOLUMES_ROLE,
    CaseFilter,
    CaseTable,
)
from cvrl_napari.gui.note_dialog import NoteDialog
from cvrl_napari.gui.questions import agreed
from cvrl_napari.gui.seen_labels import SeenLabels
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.study_editing import Earlier, StudyEditing
from cvrl_napari.gui.thumbnails import Thumbnails
from cvrl_napari.gui.two_line_cells import TextCell, VolumesCell
from cvrl_napari.gui.version_dialog import VersionDialog

WIDTHS = {NAME: 126, STATE: 84, MODEL: 38, VOLUMES: 89, CHANGED: 90}
"""Pixels; the first four are seen at once on a laptop."""
ROW_HEIGHT = 32
ICON = 22
LIST_HEIGHT = 150
SCAN_FILES = "Scans (*.nii *.nii.gz *.nrrd *.nhdr *.mha *.mhd *.mgh *.mgz *.hdr);;All files (*)"


class _CaseList(QTableView):
    """A table that is content with a few rows, and takes what room there is; Enter opens the row."""

    def sizeHint(self) -> QSize:
        """Ask for a header and four rows."""
        return QSize(super().sizeHint().width(), LIST_HEIGHT)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the volumes what room there is: the last column is seen as a whole or not at all."""
        super().resizeEvent(event)
        room = self.viewport().width() - sum(self.columnWidth(column) for column in (NAME, STATE, MODEL))
        beside = room - self.columnWidth(CHANGED)
        self.setColumnWidth(VOLUMES, beside if beside >= WIDTHS[VOLUMES] else max(room, WIDTHS[VOLUMES]))


class StudyPanel(QWidget):
    """Shows `session.study`; choosing a row opens its case. Emits what needs a dialog of the dock."""

    open_asked = Signal()
    new_asked = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.editing = StudyEditing(session, self)
        self.seen = SeenLabels(session, self)
        self.thumbnails = Thumbnails(self)
        self.table = CaseTable(session, self.seen, self.thumbnails, self)
        self.rows = CaseFilter(self.table, self)
        self.title = QElidingLabel()
        self.title.setStyleSheet("font-weight: bold;")
        self.counts = QLabel()
        self.counts.setToolTip("Training learns from the labeled and the unlabeled scans; held-out cases only measure it")
        self.open_button = small_button("Open…", "Open another study folder (or drop it here)")
        self.new_button = small_button("New…", "Make a study from a folder of scans (or drop the folder here)")
        self.missing_button = small_button("", "Choose a folder: moved or renamed scans below it are known by their content")
        self.search = QLineEdit()
        self.search.setPlaceholderText("search cases")
        self.search.setClearButtonEnabled(True)
        self.search.setToolTip("Show the cases whose name, state or note contains these words")
        self.state = QComboBox()
        self.state.setToolTip("Show the cases in this state only")
        self.state.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.state.setMinimumContentsLength(8)
        self.state.setMaximumWidth(112)
        self.state.addItem("all", "")
        for words in (*(one[0] for one in STATES.values()), HELD_OUT, NEEDS_LOOK[0]):
            self.state.addItem(words, words)
        self.previous_button = small_button("<", "Former case in the table (Alt+Left)")
        self.next_button = small_button(">", "Next case in the table (Alt+Right)")
        self.case_button = small_button("Case", "Note, second look, earlier versions, add and remove scans (right-click a row)")
        self.menu = QMenu(self)
        self.note_action = self.menu.addAction("Note…", self.ask_for_note)
        self.look_action = self.menu.addAction("Needs a look (Shift+M)", self.toggle_look)
        self.look_action.setCheckable(True)
        self.versions_action = self.menu.addAction("Restore an earlier version…", self.editing.look_for_versions)
        self.menu.addSeparator()
        self.menu.addAction("Add scans…", self._ask_for_scans)
        self.menu.addAction("Add a folder of scans…", self._ask_for_folder)
        self.remove_action = self.menu.addAction("Remove from the study…", self.ask_to_remove)
        self.menu.aboutToShow.connect(self._show_menu)
        self.case_button.setMenu(self.menu)
        self.list = self._make_list()

        first, second, third = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.title, stretch=1)
        first.addWidget(self.open_button)
        first.addWidget(self.new_button)
        second.addWidget(self.counts, stretch=1)
        second.addWidget(self.missing_button)
        third.addWidget(self.search, stretch=1)
        for widget in (self.state, self.previous_button, self.next_button, self.case_button):
            third.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        for line in (first, second, third):
            layout.addLayout(line)
        layout.addWidget(self.list)

        self.open_button.clicked.connect(self.open_asked)
        self.new_button.clicked.connect(self.new_asked)
        self.missing_button.clicked.connect(self._ask_where_scans_are)
        self.search.textChanged.connect(self._filter)
        self.state.currentIndexChanged.connect(self._filter)
        self.previous_button.clicked.connect(lambda: self.step(-1))
        self.next_button.clicked.connect(lambda: self.step(1))
        self.editing.missing.connect(self._show_missing)
        self.editing.looked.connect(self._offer_versions)
        session.study_changed.connect(self._fill)
        session.case_changed.connect(self._count)
        session.case_opened.connect(self._mark)
        self._show_missing(0)
        self._fill()

    def step(self, by: int) -> None:
        """Open the next (1) or the former (-1) case of those that the table shows, in the order it shows them."""
        self._session.step_case(by, self.rows.shown())

    def shut_down(self) -> None:
        """Let nothing go on in the background."""
        for job in (self.editing, self.seen, self.thumbnails):
            job.close()

    def ask_for_note(self) -> None:
        """Let the person write about the case on view."""
        study, case = self._session.study, self._session.case
        if study is not None and case:
            dialog = NoteDialog(case, study.case(case).note, self)
            dialog.accepted.connect(lambda: self.editing.set_note(case, dialog.note))
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.open()

    def ask_to_remove(self) -> None:
        """Ask whether the case on view shall leave the study, and remove it."""
        case = self._session.case
        if not case:
            return
        kept = "The scan itself is not touched, and what was painted on it is kept: add the scan again to have it back."
        if agreed(self, "Remove a case", f"Remove '{case}' from the study?", "Remove the case", more=kept):
            self.editing.remove(case)

    def _make_list(self) -> QTableView:
        made = _CaseList()
        made.setModel(self.rows)
        made.setSortingEnabled(True)
        made.sortByColumn(NAME, Qt.SortOrder.AscendingOrder)
        made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        made.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        made.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        made.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        made.setShowGrid(False)
        made.setWordWrap(False)
        made.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # scans often differ in the end of their names
        made.setTabKeyNavigation(False)
        made.setIconSize(QSize(ICON, ICON))
        made.verticalHeader().hide()
        made.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        made.horizontalHeader().setHighlightSections(False)
        made.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, width in WIDTHS.items():
            made.setColumnWidth(column, width)
        made.setToolTip("Click a case to open it; what is painted is saved by itself")
        for column in (NAME, STATE, CHANGED):
            made.setItemDelegateForColumn(column, TextCell(made.iconSize(), made))
        made.setItemDelegateForColumn(VOLUMES, VolumesCell(VOLUMES_ROLE, made))
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        made.customContextMenuRequested.connect(self._show_menu_at)
        made.clicked.connect(self._open_row)
        made.activated.connect(self._open_row)
        return made

    def _open_row(self, index: QModelIndex) -> None:
        if index.data(ID_ROLE) != self._session.case:
            self._session.open_case(index.data(ID_ROLE))

    def _fill(self) -> None:
        study = self._session.study
        self.thumbnails.open(study)
        self.table.fill()
        if study is None:
            return
        self.title.setText(study.folder.name)
        self.title.setToolTip(str(study.folder))
        self._count()
        self._mark(self._session.case)

    def _count(self) -> None:
        study = self._session.study
        if study is not None:
            labeled, unlabeled, held_out = (
                len(study.labeled_cases()),
                len(study.unlabeled_cases()),
                len(study.held_out_cases()),
            )
            words = f"{labeled} labeled · {unlabeled} unlabeled" + (f" · {held_out} held out" if held_out else "")
            if self.rows.is_asked_for_some:
                words = f"{self.rows.rowCount()} of {len(study.cases)} shown"
            self.counts.setText(words + (" · for reading only" if study.read_only else ""))

    def _filter(self) -> None:
        self.rows.look_for(self.search.text(), self.state.currentData())
        self._count()

    def _mark(self, case_id: str) -> None:
        """Show which row is on view, without opening it again."""
        index = self.rows.mapFromSource(self.table.index(self.table.row_of(case_id), NAME))
        if index.isValid():
            self.list.setCurrentIndex(index)
            self.list.scrollTo(index)
        else:
            self.list.clearSelection()

    # What can be done with a case

    def _show_menu(self) -> None:
        study, case = self._session.study, self._session.case
        can_change = study is not None and bool(case) and not study.read_only
        for action in (self.note_action, self.look_action, self.versions_action, self.remove_action):
            action.setEnabled(can_change)
        self.look_action.setChecked(can_change and study is not None and study.case(case).needs_look)

    def _show_menu_at(self, place: QPoint) -> None:
        """The menu is about the case on view: the row under the pointer is opened first."""
        index = self.list.indexAt(place)
        if index.isValid() and index.data(ID_ROLE) != self._session.case:
            self._session.open_case(index.data(ID_ROLE))
        self.menu.popup(self.list.viewport().mapToGlobal(place))

    def toggle_look(self) -> None:
        """Mark the case on view as one to be looked at again, or take the mark away."""
        if self._session.case:
            self.editing.toggle_needs_look(self._session.case)

    def _ask_for_scans(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(self, "Scans to add to the study", "", SCAN_FILES)
        if chosen:
            self.editing.add([Path(one) for one in chosen])

    def _ask_for_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "A folder whose scans are added to the study")
        if chosen:
            self.editing.add([Path(chosen)])

    def _ask_where_scans_are(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "A folder below which the missing scans are now")
        if chosen:
            self.editing.find_moved(Path(chosen))

    def _show_missing(self, count: int) -> None:
        study = self._session.study
        self.missing_button.setVisible(count > 0 and study is not None and not study.read_only)
        self.missing_button.setText("Find 1 missing scan…" if count == 1 else f"Find {count} missing scans…")

    def _offer_versions(self, case_id: str, found: Sequence[Earlier]) -> None:
        study = self._session.study
        if study is None:
            return
        dialog = VersionDialog(case_id, found, study.classes, self)
        dialog.accepted.connect(lambda: self.editing.restore(case_id, dialog.chosen.labels))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
