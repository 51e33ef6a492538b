"""The one big button, what it needs, and how the training it started goes."""

import time
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.events import Event, Planned, StepDone, Validated
from cvrl_napari.engine.outlook_words import outlook_line, outlook_reasons
from cvrl_napari.engine.unfinished import UnfinishedRun, past_events, unfinished_run
from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.curves import Curves
from cvrl_napari.gui.folding import folded as _folded
from cvrl_napari.gui.foresight import Foresight
from cvrl_napari.gui.forms import form_of, read_form
from cvrl_napari.gui.hold_out_offer import HoldOutOffer
from cvrl_napari.gui.outliving import Outliving
from cvrl_napari.gui.run_history import RunHistory
from cvrl_napari.gui.runs_panel import RunsPanel
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.verdict import Verdict
from cvrl_napari.gui.words import foreseen_lines, go_on_line, overlay_line, plan_line, progress_line

OPTIONS = ("method", "contrast", "preset", "device", "steps", "minutes", "seed")
TITLES = {"cvrl": "Train semi-supervised", "mean_teacher": "Train mean teacher", "supervised": "Train on labels only"}
BUTTON_STYLE = """
QPushButton { font-size: 14px; font-weight: bold; padding: 8px; }
QPushButton:enabled { background: #2f6fb0; color: white; }
"""


class TrainPanel(QWidget):
    """Starts `session.train` and follows `session.training`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        training = session.training
        self.button = QPushButton(TITLES["cvrl"])
        self.button.setStyleSheet(BUTTON_STYLE)
        self.button.setToolTip("Learn from painted and unpainted scans together; go on painting while it trains")
        self.go_on = QPushButton()
        self.go_on.setToolTip(
            "The newest training was stopped before its end: go on from where it was saved, with all that was painted since"
        )
        self.missing = QLabel()
        self.missing.setWordWrap(True)
        self.form = form_of(TrainRequest, OPTIONS)
        self.options = _folded(
            "Options", self.form.native, "Method, size and length of the training; the defaults suit most studies"
        )
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(10)
        self.progress = QLabel()
        self.pause = QPushButton("Pause")
        self.pause.setToolTip("Wait after the present step, and give the processor back")
        self.stop = QPushButton("Stop")
        self.stop.setToolTip("Save the model and end")
        self.keep_going = QCheckBox("Keep training when napari closes")
        self.keep_going.setToolTip(
            "The training goes on by itself until its end; open the study again to see it, pause or stop it.\n"
            "Leave the computer on and stay logged in. Without this it saves and ends with napari."
        )
        self.plan = QLabel()
        self.plan.setWordWrap(True)
        self.why_button = small_button("Why?", "The reasons for these choices", checkable=True)
        self.why = QLabel()
        self.why.setWordWrap(True)
        self.curves = Curves()
        self.verdict = Verdict()
        self.hold_out = HoldOutOffer(session)
        self.outliving = Outliving(session, self)
        self.history = RunHistory(session, self)
        self.foresight = Foresight(session, self.request, self)
        self.runs = RunsPanel(self.history, self.request)
        self.earlier = _folded(
            "Earlier trainings", self.runs, "Compare them, go on, start from one, choose whose masks are shown"
        )
        self.overlay = QLabel()
        self.overlay.setWordWrap(True)

        self._running = QWidget()
        grid = QGridLayout(self._running)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.bar, 0, 0, 1, 3)
        grid.addWidget(self.progress, 1, 0)
        grid.addWidget(self.pause, 1, 1)
        grid.addWidget(self.stop, 1, 2)
        grid.addWidget(self.keep_going, 2, 0, 1, 3)
        grid.setColumnStretch(0, 1)
        self._planned = QWidget()
        line = QHBoxLayout(self._planned)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.plan, stretch=1)
        line.addWidget(self.why_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.button, self._planned, self.why, self.go_on, self.missing, self.options, self._running):
            layout.addWidget(widget)
        for widget in (self.curves, self.verdict, self.overlay, self.hold_out, self.earlier):
            layout.addWidget(widget)

        self._clock = QTimer(self)
        self._clock.timeout.connect(self._show_overlay_line)
        self.why_button.toggled.connect(self.refresh)
        self.button.clicked.connect(lambda: session.train(self.request()))
        self.go_on.clicked.connect(self._go_on)
        self.pause.clicked.connect(self._pause_or_resume)
        self.stop.clicked.connect(training.stop)
        self.keep_going.clicked.connect(self.outliving.keep_going)
        self.form.changed.connect(self._on_options_changed)
        self.foresight.changed.connect(self.refresh)
        training.event_received.connect(self.curves.add)
        training.event_received.connect(self._add_past)
        training.event_received.connect(self.verdict.take)
        self.history.compared.connect(self._compare)
        self.history.going_on.connect(self._take_up)
        training.changed.connect(self.refresh)
        training.ended.connect(self._look_for_unfinished)
        session.painting.painted.connect(self.refresh)
        session.case_changed.connect(self.refresh)
        session.case_opened.connect(self.refresh)
        session.study_changed.connect(self._on_study_changed)
        session.classes_changed.connect(self._on_classes_changed)
        self._unfinished: UnfinishedRun | None = None
        self.refresh()

    def request(self) -> TrainRequest:
        """Return what the options ask for."""
        return read_form(self.form, TrainRequest)

    def set_options(self, **values: object) -> None:
        """Fill in options by name, as if they had been typed."""
        self.form.update(values)

    def close_history(self) -> None:
        """Read no more of the earlier trainings, look for no more that go on, and ask no more for plans."""
        self.outliving.close()
        self.history.close()
        self.foresight.close()

    def refresh(self) -> None:
        """Show the present state of things."""
        training = self._session.training
        active = training.is_active
        missing = "" if active else self._session.reason_not_to_train() or self.foresight.refusal
        self.button.setVisible(not active)
        self.button.setEnabled(not missing)
        self.go_on.setVisible(not active and self._unfinished is not None)
        self.missing.setText(missing)
        self.missing.setVisible(bool(missing) and not active)
        self.options.setVisible(not active)
        self._running.setVisible(active)
        self.progress.setText(progress_line(training))
        self.bar.setRange(0, training.total)
        self.bar.setValue(training.step)
        self.pause.setText("Resume" if training.phase == "paused" else "Pause")
        self.pause.setEnabled(training.may_steer and training.phase in ("running", "paused"))
        self.stop.setEnabled(training.may_steer and training.phase != "stopping")
        self.keep_going.setEnabled(training.may_steer)
        self.keep_going.setChecked(training.keeps_going)
        plan, reasons = self._plan_on_view()
        self._planned.setVisible(bool(plan))
        self.plan.setText(plan)
        self.why.setText("\n".join(f"• {reason}" for reason in reasons))
        self.curves.setVisible(training.plan is not None or self.curves.is_comparing)
        self.why.setVisible(self._planned.isVisibleTo(self) and self.why_button.isChecked())
        self._show_overlay_line()
        if active != self._clock.isActive():
            self._clock.start(1_000) if active else self._clock.stop()

    def _plan_on_view(self) -> tuple[str, tuple[str, ...]]:
        """Return what is being done, or would be, in at most two lines, and the reasons."""
        training, foreseen = self._session.training, self.foresight.foreseen
        if training.is_active:
            return (plan_line(training.plan), (*training.plan.reasons, *training.adjustments)) if training.plan else ("", ())
        if foreseen is None or self._session.reason_not_to_train():
            return "", ()
        in_full = f"{plan_line(foreseen.plan)}; {outlook_line(foreseen)}."
        return foreseen_lines(foreseen), (in_full, *outlook_reasons(foreseen))

    def _on_options_changed(self) -> None:
        self.button.setText(TITLES[self.request().method])
        self.foresight.look_again()

    def _show_overlay_line(self) -> None:
        training = self._session.training
        since = None if training.overlay_at is None else time.monotonic() - training.overlay_at
        words = overlay_line(training, since) if training.is_active else ""
        self.overlay.setText(words)
        self.overlay.setVisible(bool(words))

    def _pause_or_resume(self) -> None:
        training = self._session.training
        if training.phase == "paused":
            training.resume()
        else:
            training.pause()

    def _go_on(self) -> None:
        if self._unfinished is not None:
            self._session.train(TrainRequest(), resume=self._unfinished.path)

    def _compare(self, runs: list[tuple[str, list[Event]]]) -> None:
        self.curves.compare(runs)
        self.refresh()

    def _take_up(self, run: UnfinishedRun) -> None:
        """Another run than the newest one goes on: its are the curves."""
        self._unfinished = run

    def _add_past(self, event: object) -> None:
        """Let the curves of a run that goes on begin at its beginning."""
        if isinstance(event, Planned) and self._unfinished is not None and Path(event.run) == self._unfinished.path:
            for past in past_events(self._unfinished.path):
                if isinstance(past, StepDone | Validated) and past.step <= self._unfinished.step:
                    self.curves.add(past)

    def _look_for_unfinished(self) -> None:
        study = self._session.study
        can_write = study is not None and not study.read_only
        self._unfinished = unfinished_run(study.runs_folder, classes=len(study.classes)) if study and can_write else None
        if self._unfinished is not None:
            self.go_on.setText(go_on_line(self._unfinished))
        self.refresh()

    def _on_study_changed(self) -> None:
        self.curves.clear_curves()
        self.verdict.clear()
        self.why_button.setChecked(False)
        self._look_for_unfinished()

    def _on_classes_changed(self) -> None:
        if self._session.study is not None:
            self.curves.set_classes(self._session.study.classes)
            self.verdict.set_names(self.history.class_names())
            self._look_for_unfinished()
