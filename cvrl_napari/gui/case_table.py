"""The cases of a study as a table that is asked only for the rows in view, and its filter."""

from datetime import datetime
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtGui import QColor

from cvrl_napari.gui.looks import is_light_theme
from cvrl_napari.gui.seen_labels import Seen, SeenLabels
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.thumbnails import Thumbnails, thumbnail_path
from cvrl_napari.gui.two_line_cells import Volume
from cvrl_napari.study.case import Case
from cvrl_napari.study.storage import label_path

STATES = {
    "unlabeled": ("○ unlabeled", ("#b4b4b4", "#545454"), "Nothing is painted; the model learns from the scan alone"),
    "partial": ("◐ partial", ("#e0b050", "#6f4800"), "Some of it is painted; what is not painted is unknown to the model"),
    "complete": ("● complete", ("#7cc47c", "#1c5c20"), "Everything is painted; what is not painted is background"),
    "accepted": (
        "✓ accepted",
        ("#7cb8e0", "#154f7c"),
        "A predicted mask was accepted; what is not painted is background",
    ),
}
"""State: words, colours on dark and on light ground, tooltip."""
HELD_OUT = "◆ held out"
HELD_OUT_TOOLTIP = "Measured only: the model never learns from it, so its Dice tells how good the model is"
NEEDS_LOOK = ("⚑ needs a look", ("#e9977e", "#8f2f10"))
SEEN: dict[Seen, tuple[str, str]] = {
    "": ("", ""),
    "seen": ("✓", "The model has learned from these labels as they are now"),
    "since": ("•", "Painted or changed since: the model has not seen these labels yet"),
}
COLUMNS = ("Case", "State", "Seen", "Volume, ml", "Changed")
NAME, STATE, MODEL, VOLUMES, CHANGED = range(5)
HEADER_TOOLTIPS = (
    "Name of the case; click to sort",
    "What is painted; click to sort",
    "Whether the present model has seen the labels: ✓ seen, • painted since",
    "Volume of what is painted, millilitres, a number a structure; point at a row to read their names",
    "When labels were last saved",
)
ID_ROLE = Qt.ItemDataRole.UserRole
SORT_ROLE = ID_ROLE + 1
VOLUMES_ROLE = ID_ROLE + 2
"""What is painted on the case: a tuple of `Volume`."""
Index = QModelIndex | QPersistentModelIndex
_PARENT = QModelIndex()


class CaseTable(QAbstractTableModel):
    """Rows are made when a view asks for them; what was asked for is kept until the case changes."""

    def __init__(self, session: Session, seen: SeenLabels, thumbnails: Thumbnails, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._seen, self._thumbnails = session, seen, thumbnails
        self._cases: list[Case] = []
        self._rows: dict[str, int] = {}
        session.case_changed.connect(self.update_case)
        session.classes_changed.connect(lambda: self._tell(0, len(self._cases) - 1))
        session.measuring.all_measured.connect(lambda: self._tell(0, len(self._cases) - 1))
        seen.changed.connect(lambda: self._tell(0, len(self._cases) - 1))
        thumbnails.ready.connect(self._on_thumbnail)

    def fill(self) -> None:
        """Show the cases of the session's study."""
        self.beginResetModel()
        study = self._session.study
        self._cases = list(study.cases) if study is not None else []
        self._rows = {case.id: row for row, case in enumerate(self._cases)}
        self.endResetModel()

    def row_of(self, case_id: str) -> int:
        """Return the row of a case, or -1."""
        return self._rows.get(case_id, -1)

    def update_case(self, case_id: str) -> None:
        """Something about this case is new."""
        row = self._rows.get(case_id)
        if row is not None and self._session.study is not None:
            self._cases[row] = self._session.study.case(case_id)
            self._tell(row, row)

    def rowCount(self, parent: Index = _PARENT) -> int:
        """Count the cases."""
        return 0 if parent.isValid() else len(self._cases)

    def columnCount(self, parent: Index = _PARENT) -> int:
        """Count the columns."""
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Name the columns."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.ToolTipRole:
            return HEADER_TOOLTIPS[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Say what a cell shows."""
        case, column = self._cases[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(case, column)
        if role == ID_ROLE:
            return case.id
        if role == SORT_ROLE:
            return self._sort_key(case, column)
        if role == VOLUMES_ROLE:
            return self._volumes(case)
        if role == Qt.ItemDataRole.ForegroundRole and column == STATE:
            on_dark, on_light = NEEDS_LOOK[1] if case.needs_look else STATES[case.state][1]
            return QColor(on_light if is_light_theme() else on_dark)
        if role == Qt.ItemDataRole.DecorationRole and column == NAME:
            return self._thumbnails.picture(case)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._tooltip(case, column)
        if role == Qt.ItemDataRole.TextAlignmentRole and column == MODEL:
            return Qt.AlignmentFlag.AlignCenter
        return None

    def state_words(self, case: Case) -> str:
        """Say in words what state a case is in, all that the filter looks for."""
        words = HELD_OUT if case.held_out and case.is_labeled else STATES[case.state][0]
        return f"{words} {NEEDS_LOOK[0]}" if case.needs_look else words

    def case_at(self, row: int) -> Case:
        """Return the case in a row of the table, unsorted."""
        return self._cases[row]

    def _text(self, case: Case, column: int) -> str:
        if column == NAME:
            return f"{case.id} ✎" if case.note else case.id
        if column == STATE:
            return NEEDS_LOOK[0] if case.needs_look else self.state_words(case)
        if column == MODEL:
            return SEEN[self._seen.of(case.id)][0]
        if column == VOLUMES:
            return "  ".join(f"{one.name} {one.number}" for one in self._volumes(case))
        changed = self._changed_at(case)
        return "" if changed is None else f"{changed:%Y-%m-%d %H:%M}"

    def _volumes(self, case: Case) -> tuple[Volume, ...]:
        study = self._session.study
        classes = {one.id: one for one in study.classes} if study is not None else {}
        known = [(classes.get(class_id), ml) for class_id, ml in self._session.measuring.volumes.get(case.id, {}).items()]
        return tuple(Volume(one.name, one.color, ml) for one, ml in known if one is not None)

    def _sort_key(self, case: Case, column: int) -> Any:
        if column == STATE:
            return f"{int(not case.needs_look)}{list(STATES).index(case.state)}{case.id.casefold()}"
        if column == VOLUMES:
            return sum(self._session.measuring.volumes.get(case.id, {}).values())
        if column == NAME:
            return self._rows[case.id]  # the study's order
        if column == CHANGED:
            changed = self._changed_at(case)
            return 0.0 if changed is None else changed.timestamp()
        return self._text(case, column)

    def _tooltip(self, case: Case, column: int) -> str:
        if column == STATE:
            accepted = f"\nAccepted by a person, {_in_words(case.accepted_at)}" if case.accepted_at else ""
            look = "Somebody wants it looked at again\n" if case.needs_look else ""
            return f"{look}{HELD_OUT_TOOLTIP if case.held_out else STATES[case.state][2]}{accepted}"
        if column == MODEL:
            return SEEN[self._seen.of(case.id)][1]
        if column == VOLUMES:
            return "\n".join(f"{one.name}: {one.number} ml" for one in self._volumes(case)) or HEADER_TOOLTIPS[column]
        if column == NAME:
            from html import escape

            study = self._session.study
            picture = thumbnail_path(study, case) if study is not None else None
            shown = f'<img src="{escape(str(picture))}"><br>' if picture is not None and picture.is_file() else ""
            note = f"<br><i>{escape(case.note)}</i>" if case.note else ""
            return f"{shown}{escape(str(case.scan))}{note}"
        return HEADER_TOOLTIPS[column]

    def _changed_at(self, case: Case) -> datetime | None:
        study = self._session.study
        try:
            return datetime.fromtimestamp(label_path(study.folder, case.id).stat().st_mtime) if study is not None else None
        except OSError:
            return None

    def _on_thumbnail(self, case_id: str) -> None:
        row = self._rows.get(case_id)
        if row is not None:
            self._tell(row, row)

    def _tell(self, first: int, last: int) -> None:
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(COLUMNS) - 1))


def _in_words(moment: str) -> str:
    """Say a moment of a study file, ISO 8601, as the clock on the wall does."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return moment


class CaseFilter(QSortFilterProxyModel):
    """Sorts by what a column means, and shows the cases whose name, state or note holds all the words asked for."""

    def __init__(self, table: CaseTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._words, self._state = "", ""
        self.setSourceModel(table)
        self.setSortRole(SORT_ROLE)
        self.setDynamicSortFilter(True)

    def shown(self) -> list[str]:
        """Return the ids of the cases that are shown, in their present order."""
        return [self.index(row, NAME).data(ID_ROLE) for row in range(self.rowCount())]

    @property
    def is_asked_for_some(self) -> bool:
        """Whether only some cases are wanted."""
        return bool(self._words or self._state)

    def look_for(self, words: str, state: str) -> None:
        """Show the cases that hold these words and are in this state, in words; empty strings ask for nothing."""
        self._words, self._state = words.casefold(), state
        self.invalidate()

    def filterAcceptsRow(self, row: int, parent: Index) -> bool:
        """Say whether a case is shown."""
        case = self._table.case_at(row)
        state = self._table.state_words(case)
        text = f"{case.id} {state} {case.note}".casefold()
        return self._state in state and all(word in text for word in self._words.split())
