"""What the dock shows before a study is open: the three steps of the work, and the sample one click away."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

STEPS = (
    "<b>1.</b> Open a folder of 3D scans: drop it here, or make a study of it.",
    "<b>2.</b> Paint a structure on one or a few of them.",
    "<b>3.</b> Press Train and keep painting: the masks appear on every scan you look at.",
)


class EmptyPanel(QWidget):
    """Three steps and three buttons; a fourth, on top, when a scan was opened by itself."""

    open_asked = Signal()
    new_asked = Signal()
    sample_asked = Signal()
    scans_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 8, 0, 0)
        layout.setSpacing(10)
        for step in STEPS:
            label = QLabel(step)
            label.setWordWrap(True)
            layout.addWidget(label)
        self.scans_button = QPushButton()
        self.scans_button.clicked.connect(self.scans_asked)
        layout.addWidget(self.scans_button)
        self.offer(())
        self.new_button = QPushButton("&New study from a folder of scans…")
        self.new_button.setToolTip("The scans stay where they are and are never changed")
        self.open_button = QPushButton("&Open a study…")
        self.open_button.setToolTip("A folder that holds a study.json")
        self.sample_button = QPushButton("Try the &sample study")
        self.sample_button.setToolTip("Small made-up scans, generated on this computer in a few seconds; nothing is downloaded")
        for button, signal in (
            (self.new_button, self.new_asked),
            (self.open_button, self.open_asked),
            (self.sample_button, self.sample_asked),
        ):
            button.clicked.connect(signal)
            layout.addWidget(button)
        hint = QLabel("F1 shows all keys; every command has its name in napari's palette (Ctrl+Shift+P).")
        hint.setWordWrap(True)
        layout.addWidget(hint)
        layout.addStretch(1)

    def offer(self, scans: Sequence[Path]) -> None:
        """Offer to start a study with the scans that were opened by themselves; with none the offer goes."""
        what = "this scan" if len(scans) == 1 else f"these {len(scans)} scans"
        self.scans_button.setVisible(bool(scans))
        self.scans_button.setText(f"Start a study with {what}…")
        self.scans_button.setToolTip("\n".join(str(scan) for scan in scans[:10]))
