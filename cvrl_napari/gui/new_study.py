"""The one dialog for a new study: the scans, the structures to look for, and where the study shall live."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from platformdirs import user_documents_path
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QFormLayout, QHBoxLayout, QLabel, QLineEdit, QWidget

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.series_picker import SeriesChoice


def default_study_folder(scans: Path) -> Path:
    """Suggest a folder that can be written to: beside the scans, else inside them, else in the person's documents."""
    folder = scans if scans.is_dir() else scans.parent
    name = f"{folder.name or 'my'}-study"
    places = (folder.parent, folder, user_documents_path())
    place = next((place for place in places if os.access(place, os.W_OK)), user_documents_path())
    candidate, number = place / name, 1
    while candidate.exists():
        number += 1
        candidate = place / f"{name}-{number}"
    return candidate


class NewStudyDialog(QDialog):
    """Ask for scans, class names and the study folder. Scans are referred to where they lie and never changed."""

    def __init__(self, scans: Sequence[Path] = (), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("New study")
        self.setMinimumWidth(480)
        self._scans = tuple(scans)
        self.scans_edit = QLineEdit(str(scans[0]) if len(scans) == 1 else f"{len(scans)} files" if scans else "")
        self.scans_edit.setReadOnly(True)
        self.scans_edit.setToolTip("Folder with the 3D scans: NIfTI, NRRD, MHA or DICOM")
        self.classes_edit = QLineEdit()
        self.classes_edit.setPlaceholderText("left atrium, ...")
        self.classes_edit.setToolTip("Names of the structures you will paint, separated by commas; more can be added later")
        self.channels_edit = QLineEdit()
        self.channels_edit.setPlaceholderText("one; or what the names end in: t1, t2")
        self.channels_edit.setToolTip(
            "Leave empty for one image a case. For several images of the same body (T1 and T2, say) type what their file names"
            " end in, separated by commas: the network sees them all, and you paint on the first"
        )
        self.folder_edit = QLineEdit(str(default_study_folder(scans[0])) if scans else "")
        self.folder_edit.setToolTip("A new folder for your labels, the trained models and the predicted masks")
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Make the study")

        layout = QFormLayout(self)
        layout.addRow("Scans", self._with_browse(self.scans_edit, self._browse_scans))
        layout.addRow("Structures to segment", self.classes_edit)
        layout.addRow("Images of a case", self.channels_edit)
        layout.addRow("Study folder", self._with_browse(self.folder_edit, self._browse_folder))
        layout.addRow(QLabel("Scans stay where they are and are never changed."))
        layout.addRow(self.buttons)
        self._is_asked = False
        self.buttons.accepted.connect(self._make)
        self.buttons.rejected.connect(self.reject)
        for edit in (self.scans_edit, self.classes_edit, self.folder_edit):
            edit.textChanged.connect(self._check)
        self._series = SeriesChoice(self)
        self._series.chosen.connect(self._on_series_chosen)
        self._series.looked.connect(self._on_looked)
        self.finished.connect(self._series.close)
        self.classes_edit.setFocus()
        self._look()
        self._check()

    @property
    def scans(self) -> tuple[Path, ...]:
        """The chosen scan files or folders of scans."""
        return self._scans

    @property
    def classes(self) -> list[str]:
        """The names typed, in order."""
        return _names(self.classes_edit)

    @property
    def channels(self) -> list[str]:
        """What the names of the images of a case end in, the one to paint on first; empty for one image a case."""
        return _names(self.channels_edit)

    @property
    def folder(self) -> Path:
        """Where the study shall live."""
        return Path(self.folder_edit.text().strip()).expanduser()

    def _with_browse(self, edit: QLineEdit, browse: Callable[[], None]) -> QHBoxLayout:
        button = small_button("…", "Choose a folder")
        button.clicked.connect(browse)
        row = QHBoxLayout()
        row.addWidget(edit)
        row.addWidget(button)
        return row

    def _browse_scans(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder with the scans")
        if chosen:
            self._scans = (Path(chosen),)
            self.folder_edit.setText(str(default_study_folder(Path(chosen))))
            self.scans_edit.setText(chosen)
            self._look()

    def _look(self) -> None:
        """Of a folder with several DICOM series the person chooses, once they are known."""
        if len(self._scans) == 1 and self._scans[0].is_dir():
            self._series.look(self._scans[0])

    def _make(self) -> None:
        """Close the dialog, as soon as it is known whether there is a choice to be made."""
        self._is_asked = self._series.is_looking
        if not self._is_asked:
            self.accept()

    def _on_looked(self) -> None:
        if self._is_asked and self.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled():
            self.accept()
        self._is_asked = False

    def _on_series_chosen(self, folder: Path, scans: list[Path]) -> None:
        self._scans = tuple(scans)
        self.scans_edit.setText(f"{len(scans)} scans in {folder}" if scans else "")

    def _browse_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder in which the study is made")
        if chosen:
            self.folder_edit.setText(str(Path(chosen) / Path(self.folder_edit.text() or "my-study").name))

    def _check(self) -> None:
        ready = bool(self._scans and self.classes and self.folder_edit.text().strip())
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(ready)


def _names(edit: QLineEdit) -> list[str]:
    return [name.strip() for name in edit.text().split(",") if name.strip()]
