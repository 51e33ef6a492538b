"""Which DICOM series of a folder become scans of a study: a list with pictures, the likely ones ticked."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.gui.background import Background
from cvrl_napari.gui.buttons import small_button
from cvrl_napari.volumes.dicom_catalog import THUMBNAIL_PIXELS, Series, list_series, needs_choice, thumbnail
from cvrl_napari.volumes.finding import find_files

_PICTURE = 72
"""Side of a picture in the list, in pixels of the screen."""
_COLUMNS = ("Series", "Modality", "Size", "Spacing (mm)", "Study")


class SeriesPicker(QDialog):
    """One row a series, with its middle slice; the arrow keys move, Space ticks, Enter takes what is ticked."""

    def __init__(self, series: Sequence[Series], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Which series?")
        self.resize(900, 520)
        self._series = tuple(series)
        words = QLabel("There are several DICOM series. Tick those that become scans of the study.")
        words.setWordWrap(True)
        self.rows = QTreeWidget()
        self.rows.setHeaderLabels(_COLUMNS)
        self.rows.setRootIsDecorated(False)
        self.rows.setUniformRowHeights(True)
        self.rows.setWordWrap(True)  # beside a picture there is room for some lines
        self.rows.setIconSize(QSize(_PICTURE, _PICTURE))
        self.rows.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.rows.setAccessibleName("DICOM series")
        self._fill()
        self.all_button = small_button("Select &all", "Tick every series")
        self.none_button = small_button("Select &none", "Untick every series")
        self.all_button.clicked.connect(partial(self._tick_all, Qt.CheckState.Checked))
        self.none_button.clicked.connect(partial(self._tick_all, Qt.CheckState.Unchecked))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        below = QHBoxLayout()
        below.addWidget(self.all_button)
        below.addWidget(self.none_button)
        below.addStretch(1)
        below.addWidget(self.buttons)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        layout.addWidget(self.rows)
        layout.addLayout(below)

        self.rows.itemChanged.connect(self._count)
        self._count()
        if self._series:
            self.rows.setCurrentItem(self._items()[0])
        self.rows.setFocus()
        self._background = Background(self)
        self.finished.connect(self._background.close)
        for number, one in enumerate(self._series):
            self._background.run(partial(thumbnail, one), partial(self._show, number), partial(self._show_none, number))

    def chosen(self) -> list[Path]:
        """Return the paths of the ticked series, as `read` takes them."""
        return [one.path for one, item in zip(self._series, self._items(), strict=True) if _is_ticked(item)]

    def _fill(self) -> None:
        studies = list(dict.fromkeys(one.study for one in self._series))
        empty = QPixmap(_PICTURE, _PICTURE)
        empty.fill(Qt.GlobalColor.transparent)
        for one in self._series:
            item = QTreeWidgetItem(self.rows, _words(one, studies.index(one.study) + 1))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked if one.preselected else Qt.CheckState.Unchecked)
            item.setIcon(0, QIcon(empty))
            item.setToolTip(0, str(one.path))
        header = self.rows.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.rows.setColumnHidden(_COLUMNS.index("Study"), len(studies) == 1)

    def _items(self) -> list[QTreeWidgetItem]:
        items = [self.rows.topLevelItem(number) for number in range(len(self._series))]
        return [item for item in items if item is not None]

    def _tick_all(self, state: Qt.CheckState) -> None:
        for item in self._items():
            item.setCheckState(0, state)

    def _count(self) -> None:
        ticked = sum(map(_is_ticked, self._items()))
        button = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        button.setText(f"Use {ticked} series")
        button.setEnabled(ticked > 0)

    def _show(self, number: int, picture: npt.NDArray[np.uint8]) -> None:
        pixmap = _pixmap(picture)
        icon = QIcon(pixmap)
        icon.addPixmap(pixmap, QIcon.Mode.Selected)  # Qt would tint it
        self._items()[number].setIcon(0, icon)

    def _show_none(self, number: int, error: Exception) -> None:
        self._items()[number].setToolTip(0, str(error))


class SeriesChoice(QObject):
    """Look through a folder in the background and, where it holds several series, ask which of them are meant.

    Signals
    -------
    chosen(Path, list)
        The folder and the scans in it that were chosen, other files than DICOM included; an empty list when the person
        would rather not. Not sent when there is nothing to ask.
    looked
        The folder has been looked through, and the question, if there was one, is answered.
    """

    chosen = Signal(object, list)
    looked = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._window = parent
        self._background = Background(self)
        self._folder: Path | None = None

    @property
    def is_looking(self) -> bool:
        """Whether a folder is being looked through."""
        return self._folder is not None

    def look(self, folder: Path) -> None:
        """Look through a folder; one that was being looked through is forgotten."""
        self._folder = folder
        search = partial(list_series, folder, lambda: self._folder == folder)
        self._background.run(search, partial(self._ask, folder), partial(self._give_up, folder))

    def close(self) -> None:
        """Stop looking."""
        self._folder = None
        self._background.close()

    def _ask(self, folder: Path, series: list[Series]) -> None:
        if folder != self._folder:
            return
        if needs_choice(series):
            picker = SeriesPicker(series, self._window)
            taken = [*picker.chosen(), *find_files(folder)] if picker.exec() else []
            picker.deleteLater()
            self.chosen.emit(folder, taken)
        self._end(folder)

    def _give_up(self, folder: Path, _error: Exception) -> None:
        """Whoever makes the study meets the same error and tells it."""
        self._end(folder)

    def _end(self, folder: Path) -> None:
        if folder == self._folder:
            self._folder = None
            self.looked.emit()


def _is_ticked(item: QTreeWidgetItem) -> bool:
    return item.checkState(0) == Qt.CheckState.Checked


def _words(one: Series, study: int) -> list[str]:
    parts = f"{one.parts} volumes of " if one.parts > 1 else ""
    size = parts + " x ".join(str(count) for count in one.size)
    spacing = " x ".join(f"{mm:.3g}" if mm else "?" for mm in one.spacing)
    return [one.name, one.modality, size, spacing, f"Study {study}"]


def _pixmap(picture: npt.NDArray[np.uint8]) -> QPixmap:
    """Return a picture on a black square, so that all rows are alike."""
    height, width = picture.shape
    square = np.zeros((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS), np.uint8)
    top, left = (THUMBNAIL_PIXELS - height) // 2, (THUMBNAIL_PIXELS - width) // 2
    square[top : top + height, left : left + width] = picture
    image = QImage(square.tobytes(), THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, THUMBNAIL_PIXELS, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image)
