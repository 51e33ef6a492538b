"""What a person is asked while one file is opened: which of its volumes, and whether its slices may be resampled."""

from qtpy.QtCore import Qt, QThread
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.questions import agreed
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError


def can_ask() -> bool:
    """Say whether a dialog can be answered: there is a window on the screen, and this is the thread that draws it."""
    application = QApplication.instance()
    if not isinstance(application, QApplication) or QThread.currentThread() != application.thread():
        return False
    return any(window.isVisible() for window in application.topLevelWidgets())


ALL = -1
"""Stands for all volumes of a file, as the channels of a case."""


def choose_part(error: SeveralVolumesError, *, channels: bool = False) -> int | None:
    """Ask which volume of a file to open, counted from 0; None when the person would rather not.

    With `channels` they may be taken all together, as channels: `ALL`.
    """
    dialog = PartDialog(error, _window(), channels=channels)
    chosen = dialog.part if dialog.exec() else None
    dialog.deleteLater()
    return chosen


def agree_to_resample(error: UnevenSlicesError) -> bool:
    """Ask whether a series without a regular grid may be resampled to one; the sentence of `error` is the reason."""
    more = "Resampling interpolates between the slices, at their usual distance. A mask then lies on the new, regular grid."
    return agreed(_window(), "Resample the slices?", str(error), "Resample to a regular grid", more=more)


def _window() -> QWidget | None:
    """Return the window a question belongs to: the active one, else the main window, whose looks it then has."""
    windows = (window for window in QApplication.topLevelWidgets() if isinstance(window, QMainWindow) and window.isVisible())
    return QApplication.activeWindow() or next(windows, None)


class PartDialog(QDialog):
    """A slider and a number: the volumes of a file, counted from 1 as people do."""

    def __init__(self, error: SeveralVolumesError, parent: QWidget | None = None, *, channels: bool = False) -> None:
        super().__init__(parent)
        self._all = False
        self.setWindowTitle("Which volume?")
        self.setMinimumWidth(380)
        words = QLabel(
            f"{error.path.name} holds {error.count} volumes: time points, echoes or channels. Which shall be opened?"
        )
        words.setWordWrap(True)
        words.setToolTip(str(error.path))
        self.slider, self.number = QSlider(Qt.Orientation.Horizontal), QSpinBox()
        for control in (self.slider, self.number):
            control.setRange(1, error.count)
            control.setToolTip(f"1 is the first volume, {error.count} the last")
        self.slider.valueChanged.connect(self.number.setValue)
        self.number.valueChanged.connect(self.slider.setValue)
        self.number.setSuffix(f" of {error.count}")
        tip = "The network sees all volumes at once; you paint on the first. Every case needs as many"
        self.all_button = small_button("All, as channels", tip)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Use this one")
        self.all_button.setVisible(channels)
        self.all_button.clicked.connect(self._take_all)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(words)
        row = QHBoxLayout()
        row.addWidget(self.slider, stretch=1)
        row.addWidget(self.number)
        layout.addLayout(row)
        below = QHBoxLayout()
        below.addWidget(self.all_button)
        below.addWidget(self.buttons, stretch=1)
        layout.addLayout(below)
        self.slider.setFocus()

    @property
    def part(self) -> int:
        """The chosen volume, counted from 0, or `ALL`."""
        return ALL if self._all else self.number.value() - 1

    def _take_all(self) -> None:
        self._all = True
        self.accept()
