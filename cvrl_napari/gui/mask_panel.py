"""The mask on view: accept it, compare it, fade it, predict it anew, save it."""

from functools import partial
from typing import Literal

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledSlider

from cvrl_napari.engine.run_list import model_for_masks
from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.case_layers import MASK_OPACITY
from cvrl_napari.gui.difference import Marked
from cvrl_napari.gui.saving import ask_where
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.taking_over import TakingOver
from cvrl_napari.gui.words import duration

REJECT_TOOLTIP = """Hide this mask until a newer one comes, and mark the case as one that needs a look.
Your labels stay as they are; Ctrl+Z takes both back"""
SAVE_TOOLTIP = """Save the mask or the labels exactly on the scan, class names with them:
NIfTI, NRRD or MetaImage; DICOM SEG or RTSTRUCT too for a scan from DICOM"""


class MaskPanel(QWidget):
    """Everything that is done with the mask layer."""

    def __init__(self, session: Session, taking_over: TakingOver, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._taking_over = session, taking_over
        self.accept_button = small_button("Accept", "The mask becomes this case's labels (Shift+A; Ctrl+Z takes it back)")
        self.accept_one_button = small_button(
            "a part", "Only a part of the mask becomes labels: a class, a slice, what is not painted"
        )
        self.accept_menu = QMenu(self.accept_one_button)
        self.accept_one_button.setMenu(self.accept_menu)
        self.bring = QCheckBox("Brush brings mask")
        self.bring.setToolTip(
            "What you paint over, or encircle with the right button, becomes what the mask says there (key W)"
        )
        self.reject_button = small_button("Reject", REJECT_TOOLTIP)
        self.difference = QCheckBox("Show difference")
        self.difference.setToolTip("Mark where labels and mask differ")
        self.changes = QCheckBox("Show changes")
        self.changes.setToolTip("Mark what the newest mask changed; while training a new one comes every 10 s or so")
        self.opacity = QLabeledSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(0, 100)
        self.opacity.setValue(round(100 * MASK_OPACITY))
        self.opacity.setToolTip("Opacity of the mask, percent")
        self.predict_button = QPushButton("Predict this scan")
        self.save_button = small_button("Save as…", SAVE_TOOLTIP)
        self.save_menu = save_menu = QMenu(self.save_button)
        save_menu.addAction("Mask…", lambda: self.save_as("mask"))
        save_menu.addAction("Labels…", lambda: self.save_as("labels"))
        self.save_button.setMenu(save_menu)
        self.saved = QLabel()

        top = QHBoxLayout()
        top.addWidget(self.accept_button)
        top.addWidget(self.accept_one_button)
        top.addWidget(self.predict_button, stretch=1)
        correct = QHBoxLayout()
        correct.addWidget(self.bring, stretch=1)
        correct.addWidget(self.reject_button)
        fade = QHBoxLayout()
        fade.addWidget(QLabel("Opacity"))
        fade.addWidget(self.opacity, stretch=1)
        marks = QHBoxLayout()
        marks.addWidget(self.difference)
        marks.addWidget(self.changes)
        last = QHBoxLayout()
        last.addWidget(self.saved, stretch=1)
        last.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addLayout(correct)
        layout.addLayout(marks)
        layout.addLayout(fade)
        layout.addLayout(last)

        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show_saved)
        self._clock.start(1_000)
        self.accept_button.clicked.connect(lambda: session.accept())
        self.bring.clicked.connect(taking_over.bring_with_brush)
        self.reject_button.clicked.connect(self._reject_or_bring_back)
        taking_over.changed.connect(self.refresh)
        for box, other in ((self.difference, self.changes), (self.changes, self.difference)):
            box.toggled.connect(partial(self._mark, other))
        self.opacity.valueChanged.connect(lambda percent: session.layers.set_opacity(percent / 100))
        self.predict_button.clicked.connect(self._predict_or_cancel)
        session.classes_changed.connect(self._fill_menu)
        session.case_opened.connect(self._on_case_opened)
        session.mask_changed.connect(self.refresh)
        session.prediction.changed.connect(self.refresh)
        session.training.ended.connect(self.refresh)
        session.painting.painted.connect(self._show_saved)
        session.painting.saved.connect(self._show_saved)
        session.study_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Offer only what can be done now, and say why not otherwise."""
        session = self._session
        on_view = bool(session.case)
        has_mask = on_view and session.has_mask
        for button in (self.accept_button, self.accept_one_button, self.difference, self.changes, self.bring):
            button.setEnabled(has_mask)
        self.bring.setChecked(self._taking_over.brings_mask)
        can_bring_back = self._taking_over.can_bring_back
        self.reject_button.setEnabled(has_mask or can_bring_back)
        self.reject_button.setText("Bring back" if can_bring_back else "Reject")
        self.save_button.setEnabled(on_view)
        model = model_for_masks(session.study.runs_folder) if session.study is not None else None
        prediction = session.prediction
        self.predict_button.setEnabled(prediction.is_active or (on_view and model is not None))
        if prediction.is_active:
            self.predict_button.setText(" · ".join(filter(None, ("Cancel", prediction.words))))
            self.predict_button.setToolTip("Give up predicting; the mask on view stays")
        else:
            self.predict_button.setText("Predict this scan")
            with_what = f"Segment this scan with the model of run {model.parent.name}" if model else ""
            self.predict_button.setToolTip(with_what or "Train first: there is no model yet")
        self._show_saved()

    def save_as(self, what: Literal["mask", "labels"]) -> None:
        """Ask where to and save the mask or the labels on view."""
        session = self._session
        if session.study is not None and session.case:
            folder = session.study.case(session.case).scan.parent
            chosen = ask_where(self, session.layers, folder, what=what)
            if chosen is not None:
                session.save_as(*chosen, what=what)

    def _fill_menu(self) -> None:
        self.accept_menu.clear()
        for structure in self._session.study.classes if self._session.study is not None else ():
            self.accept_menu.addAction(f"Only {structure.name}", partial(self._session.accept, structure.id))
        self.accept_menu.addSeparator()
        self.accept_menu.addAction("Only this slice (A)", self._taking_over.accept_slice)
        self.accept_menu.addAction("Only where nothing is painted", self._taking_over.accept_unpainted)

    def _predict_or_cancel(self) -> None:
        if self._session.prediction.is_active:
            self._session.prediction.cancel()
        else:
            self._session.predict()

    def _reject_or_bring_back(self) -> None:
        if self._taking_over.can_bring_back:
            self._taking_over.bring_back()
        else:
            self._taking_over.reject()

    def _on_case_opened(self) -> None:
        self._show_marks()
        self.refresh()

    def _mark(self, other: QCheckBox, on: bool) -> None:
        """One of the two boxes was ticked or cleared: a voxel has one mark."""
        if on:
            other.setChecked(False)
        self._show_marks()

    def _show_marks(self) -> None:
        marked: Marked | None = "difference" if self.difference.isChecked() else "changes" if self.changes.isChecked() else None
        self._session.layers.mark(marked)

    def _show_saved(self) -> None:
        painting = self._session.painting
        seconds = painting.seconds_since_saved()
        if painting.pending:
            self.saved.setText("Saving…")
        else:
            self.saved.setText("" if seconds is None else f"Saved {duration(seconds)} ago")
        self.saved.setToolTip("Labels save themselves about 2 s after the last stroke")
