"""The row of the dock that limits the brush to a range of grey values."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QDoubleSpinBox, QGridLayout, QLabel, QWidget
from superqt import QDoubleRangeSlider

from cvrl_napari.gui.grey_range import GreyRange

LARGEST = 1e9
SPIN_WIDTH = 96


class GreyRangeRow(QWidget):
    """A switch, a slider with two handles and a number for each: the numbers can be typed, and go beyond the slider."""

    def __init__(self, grey_range: GreyRange, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._range = grey_range
        self.switch = QCheckBox("Paint only grey values")
        self.switch.setToolTip(
            "Brush and fill bucket leave voxels alone that are darker or brighter than these, in the scan's own unit (key R)"
        )
        self.from_cursor = QLabel("T: from the cursor")
        self.from_cursor.setToolTip("Point at the structure and press T: mean ± 2 SD of the grey values under the brush")
        self.slider = QDoubleRangeSlider(Qt.Orientation.Horizontal)  # type: ignore[no-untyped-call]
        self.slider.setToolTip("Darkest and brightest grey value that is painted")
        self.low, self.high = QDoubleSpinBox(), QDoubleSpinBox()
        for spin, what in ((self.low, "Darkest"), (self.high, "Brightest")):
            spin.setRange(-LARGEST, LARGEST)
            spin.setToolTip(f"{what} grey value that is painted, in the scan's own unit (HU on CT)")
            spin.setKeyboardTracking(False)
            spin.setFixedWidth(SPIN_WIDTH)
            spin.valueChanged.connect(self._on_typed)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.switch, 0, 0, 1, 2)
        layout.addWidget(self.from_cursor, 0, 1, 1, 2, Qt.AlignmentFlag.AlignRight)
        layout.addWidget(self.low, 1, 0)
        layout.addWidget(self.slider, 1, 1)
        layout.addWidget(self.high, 1, 2)
        layout.setColumnStretch(1, 1)
        self.switch.clicked.connect(grey_range.set_on)
        self.slider.valueChanged.connect(lambda ends: grey_range.set_ends(*ends))
        grey_range.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the range is now."""
        low, high = self._range.limits
        ends = self._range.ends
        decimals = 0 if high - low > 50 else 2
        for widget in (self.switch, self.slider, self.low, self.high):
            widget.blockSignals(True)
        self.switch.setChecked(self._range.is_on)
        self.slider.setRange(min(low, ends[0]), max(high, ends[1]))
        self.slider.setValue(ends)
        for spin, value in zip((self.low, self.high), ends, strict=True):
            spin.setDecimals(decimals)
            spin.setSingleStep((high - low) / 100)
            spin.setValue(value)
        for widget in (self.switch, self.slider, self.low, self.high):
            widget.blockSignals(False)
            widget.setEnabled(self._range.is_on or widget is self.switch)

    def _on_typed(self) -> None:
        self._range.set_ends(self.low.value(), self.high.value())
