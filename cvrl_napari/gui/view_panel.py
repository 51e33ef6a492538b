"""A line of buttons for looking: linked views, 3D, ruler, contrast, and the sheet of keys."""

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QMenu, QPushButton, QWidget

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.contrast import CT_WINDOWS, PERCENTILES, percentile_words
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.views.viewing import Viewing

VIEWS_TOOLTIP = """Axial, coronal and sagittal views side by side, linked by a crosshair (F2).
Click, or hold Shift and move, to point at a place in all of them; paint in any"""
LINES_TOOLTIP = "Draw the crosshair of the linked views on the canvas too (F5); it gives way to the brush"
SURFACES_TOOLTIP = "Structures as smooth surfaces in 3D, and back to slices (F3)"
RULER_TOOLTIP = "Measure in mm: click two points, or drag, in any view (F4); turned off, the lines go"
CONTRAST_TOOLTIP = """Grey values shown: window and level, kept for each case.
Right-drag in a linked view, Ctrl+right-drag on the canvas: to the right widens the window, up brightens"""
KEYS_TOOLTIP = "All keys on one sheet (F1)"


class ViewPanel(QWidget):
    """Turns `viewing` on and off, and shows what is on."""

    keys_asked = Signal()

    def __init__(self, session: Session, viewing: Viewing, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._viewing = session, viewing
        self.views_button = small_button("V&iews", VIEWS_TOOLTIP, checkable=True)
        self.lines_button = small_button("✛", LINES_TOOLTIP, checkable=True)
        self.lines_button.setAccessibleName("Crosshair on the canvas")
        self.surfaces_button = small_button("&3D", SURFACES_TOOLTIP, checkable=True)
        self.ruler_button = small_button("&Ruler", RULER_TOOLTIP, checkable=True)
        self.contrast_button = small_button("&Contrast", CONTRAST_TOOLTIP)
        self.contrast_menu = self._contrast_menu()
        self.contrast_button.setMenu(self.contrast_menu)
        self.keys_button = small_button("&Keys", KEYS_TOOLTIP)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        for button in self._buttons():
            line.addWidget(button)
        line.addStretch(1)
        line.addWidget(self.keys_button)
        self.views_button.clicked.connect(lambda on: viewing.show_views(on, beside=self))
        self.lines_button.clicked.connect(viewing.show_lines)
        self.surfaces_button.clicked.connect(viewing.surfaces.turn)
        self.ruler_button.clicked.connect(viewing.ruler.turn)
        self.keys_button.clicked.connect(self.keys_asked)
        viewing.changed.connect(self.refresh)
        session.case_opened.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is on; without a case there is nothing to look at."""
        for button in self._buttons():
            button.setEnabled(bool(self._session.case))
        self.views_button.setChecked(self._viewing.views is not None)
        self.lines_button.setVisible(self._viewing.views is not None)
        self.lines_button.setChecked(self._viewing.has_lines)
        self.surfaces_button.setChecked(self._viewing.surfaces.is_on)
        self.ruler_button.setChecked(self._viewing.ruler.is_on)

    def _buttons(self) -> tuple[QPushButton, ...]:
        return self.views_button, self.lines_button, self.surfaces_button, self.ruler_button, self.contrast_button

    def _contrast_menu(self) -> QMenu:
        menu = QMenu(self.contrast_button)
        contrast = self._viewing.contrast
        for window in CT_WINDOWS:
            menu.addAction(window.words, partial(contrast.use_window, window))
        menu.addSeparator()  # below: for MR, whose grey values have no unit
        for low, high in PERCENTILES:
            menu.addAction(percentile_words(low, high), partial(contrast.use_percentiles, low, high))
        return menu
