"""The dialog that says what the values of label files made elsewhere stand for, before any of it becomes labels."""

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QInputDialog,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.gui.import_choice import IGNORED, ImportChoice
from cvrl_napari.gui.swatch import BACKGROUND_COLOR, swatch
from cvrl_napari.study.classes import StructureClass, distinct_colors
from cvrl_napari.study.label_import import LabelFile, LabelSurvey, suggest_class
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.volumes.naming import scan_name

NEW_CLASS = -1
FILE, VALUE, NAME, VOXELS, BECOMES = range(5)
WIDTH, MOST_ROWS, ROW_HEIGHT = 600, 10, 30


class ImportDialog(QDialog):
    """A row for each value of each file, with the class it becomes; `choice` once it is accepted.

    A file that looks like a scan is said to be one first; who knows better presses `show_values`.
    """

    def __init__(
        self,
        survey: LabelSurvey,
        classes: Sequence[StructureClass],
        case: str,
        *,
        complete: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Import labels for {case}")
        self.setMinimumWidth(WIDTH)
        self._classes, self._new = tuple(classes), list[str]()
        self._boxes: dict[tuple[int, int], QComboBox] = {}
        self.table = QTableWidget(0, 5)
        self.table.setHorizontalHeaderLabels(["File", "Value", "Name in the file", "Voxels", "Becomes"])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QTableWidget.SelectionMode.NoSelection)
        self.table.setTabKeyNavigation(False)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is chosen stands in its rows
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(BECOMES, QHeaderView.ResizeMode.Stretch)
        self.doubt = QLabel("\n".join(_doubt(file) for file in survey.like_scans))
        self.doubt.setWordWrap(True)
        self.show_values = QPushButton("They are labels: show the values")
        self.show_values.setToolTip("Say for each value which structure it is")
        self.show_values.setAutoDefault(False)

        words = [QLabel("What was painted of these classes before is replaced; Ctrl+Z takes the import back.")]
        if len(survey.files) > 1:
            words.append(QLabel("Where two files overlap, the later one in the list counts."))
        strangers = [one for one in survey.files if not one.on_grid]
        for one in strangers:
            grids = f"{one.path.name}: {one.grid}\nThe scan: {survey.scan_grid}"
            words.append(QLabel(f"A file lies on another grid than the scan.\n{grids}"))
        self.resample = QCheckBox("Resample to the scan's grid (nearest neighbour: borders move by up to half a voxel)")
        self.resample.setToolTip("Each voxel of the scan gets the label that lies nearest to its center, within its grid")
        self.resample.setVisible(bool(strangers))
        self.complete = QCheckBox("This case is complete then (not painted = background)")
        self.complete.setChecked(complete)
        self.complete.setToolTip(
            "Tick when the files hold every structure of this scan: the model then learns that the rest is background"
        )
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.import_button = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.import_button.setText("Import")
        self._values = QWidget()
        values = QVBoxLayout(self._values)
        values.setContentsMargins(0, 0, 0, 0)
        values.addWidget(self.table)
        for label in words:
            label.setWordWrap(True)
            values.addWidget(label)
        for widget in (self.resample, self.complete):
            values.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.addWidget(self.doubt)
        layout.addWidget(self.show_values, alignment=Qt.AlignmentFlag.AlignLeft)
        for part in (self._values, self.buttons):
            layout.addWidget(part)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.resample.toggled.connect(self._check)
        self.show_values.clicked.connect(lambda: self._ask(survey))
        if survey.like_scans:
            self._values.hide()
            self.import_button.setEnabled(False)
        else:
            self._ask(survey)

    @property
    def choice(self) -> ImportChoice:
        """What is chosen at the moment."""
        mapping = {key: int(box.currentData()) for key, box in self._boxes.items()}
        used = sorted({class_id for class_id in mapping.values() if len(self._classes) < class_id < BACKGROUND})
        renumbered = {old: len(self._classes) + place for place, old in enumerate(used, start=1)}
        return ImportChoice(
            {key: renumbered.get(class_id, class_id) for key, class_id in mapping.items()},
            tuple(self._new[old - len(self._classes) - 1] for old in used),
            self.resample.isChecked(),
            self.complete.isChecked(),
        )

    def box(self, file: int, value: int) -> QComboBox:
        """Return the class picker of a value."""
        return self._boxes[file, value]

    def _ask(self, survey: LabelSurvey) -> None:
        for doubtful in (self.doubt, self.show_values):
            doubtful.hide()
        self._fill(survey)
        self._values.show()
        self._check()

    def _fill(self, survey: LabelSurvey) -> None:
        alone = len(survey.files) == 1
        for number, file in enumerate(survey.files):
            values = list(file.counts)
            for value in values:
                row = self.table.rowCount()
                self.table.insertRow(row)
                name = file.names.get(value, "")
                texts = (file.path.name, str(value), name, f"{file.counts[value]:,}")
                for column, text in enumerate(texts):
                    item = QTableWidgetItem(text)
                    item.setToolTip(str(file.path) if column == FILE else text)
                    if column in (VALUE, VOXELS):
                        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                    self.table.setItem(row, column, item)
                about = f"value {value} of {file.path.name}"
                wanted = suggest_class(file.path, value, values, file.names, self._classes, alone=alone)
                self._boxes[number, value] = box = self._picker(wanted, name or ("" if alone else scan_name(file.path)), about)
                self.table.setCellWidget(row, BECOMES, box)
        self.table.setColumnHidden(FILE, alone)
        self.table.setColumnHidden(NAME, not any(file.names for file in survey.files))
        rows = min(max(self.table.rowCount(), 1), MOST_ROWS)
        self.table.setFixedHeight(rows * ROW_HEIGHT + 30)
        if self._boxes:
            next(iter(self._boxes.values())).setFocus()

    def _picker(self, wanted: int, name: str, about: str) -> QComboBox:
        box = QComboBox()
        box.setToolTip(f"What {about} stands for")
        box.setAccessibleName(about)
        box.addItem("ignore", IGNORED)
        for one in self._classes:
            box.addItem(swatch(one.color, ""), one.name, one.id)
        box.addItem(swatch(BACKGROUND_COLOR, ""), "background (painted)", BACKGROUND)
        box.addItem("new class…", NEW_CLASS)
        box.setCurrentIndex(box.findData(wanted))
        box.activated.connect(lambda _: self._on_chosen(box, name))
        box.currentIndexChanged.connect(lambda _: self._check())
        return box

    def _on_chosen(self, box: QComboBox, name: str) -> None:
        """Ask for the name of a new class, and offer it to every row."""
        if box.currentData() != NEW_CLASS:
            return
        number = len(self._classes) + len(self._new) + 1
        typed, agreed = QInputDialog.getText(self, "New class", "Name of the structure", text=name or f"structure {number}")
        typed = typed.strip()[:100]
        taken = {one.name.casefold(): one.id for one in self._classes}
        taken |= {one.casefold(): len(self._classes) + place for place, one in enumerate(self._new, start=1)}
        class_id = taken.get(typed.casefold(), number) if agreed and typed and number < BACKGROUND else IGNORED
        if class_id == number:
            self._new.append(typed)
            for other in self._boxes.values():
                other.insertItem(other.findData(BACKGROUND), swatch(distinct_colors(number)[-1], ""), typed, number)
        box.setCurrentIndex(box.findData(class_id))

    def _check(self) -> None:
        chosen = any(box.currentData() > 0 for box in self._boxes.values())
        resampled = self.resample.isHidden() or self.resample.isChecked()
        self.import_button.setEnabled(chosen and resampled)
        reason = "" if chosen else "Choose a class for one of the values first"
        self.import_button.setToolTip(reason or ("" if resampled else "Tick that it may be resampled first"))


def _doubt(file: LabelFile) -> str:
    return (
        f"{file.path.name} has {len(file.counts)} different values and looks like a scan, not labels:"
        " press Cancel and choose a label file."
    )
