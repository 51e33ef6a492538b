"""An offer to hold out cases for measuring, made once there are labels enough; nothing is held out behind anybody's back."""

from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from cvrl_napari.gui.session import Session
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.holding_out import cases_to_hold_out

SENTENCE = "You have labels enough to measure how good the model is: on cases that it never learns from."


class HoldOutOffer(QWidget):
    """Hidden until there is something to offer."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._cases: tuple[str, ...] = ()
        sentence = QLabel(SENTENCE)
        sentence.setWordWrap(True)
        self.button = QPushButton()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(sentence)
        layout.addWidget(self.button)
        self.button.clicked.connect(self._hold_out)
        for signal in (session.study_changed, session.case_changed, session.case_opened, session.training.changed):
            signal.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Look whether there are cases to hold out; they stay the same while the offer stands."""
        session, study = self._session, self._session.study
        may = study is not None and not study.read_only and not session.training.is_active
        self._cases = cases_to_hold_out(study, but=session.case) if study is not None and may else ()
        self.button.setText(f"Hold out {len(self._cases)} cases for measuring")
        self.button.setToolTip(f"{', '.join(self._cases)}; the box 'Held out' of a case takes it back")
        self.setVisible(bool(self._cases))

    def _hold_out(self) -> None:
        study = self._session.study
        if study is None:
            return
        for case in self._cases:
            try:
                study.set_held_out(case, True)
            except StudyError as error:
                self._session.noticed.emit(str(error), "", "")
                return
            self._session.case_changed.emit(case)
