"""Below the curves: how good the masks are, how sure that is, and what should worry."""

import time

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from cvrl_napari.engine.events import Planned, Validated
from cvrl_napari.engine.few_cases import intervals
from cvrl_napari.engine.watch import Watch
from cvrl_napari.gui.words import dice_line

NOT_MEASURED = "Dice: not measured, since no labeled case is held out."
TOOLTIP = """Dice is the overlap with the labels, 0 to 1, mean over the held-out cases, which the model never learns from.
Were other cases held out, the mean would lie within the interval 19 times out of 20."""


class Verdict(QLabel):
    """A few sentences on the present run; hidden before its first event."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setToolTip(TOOLTIP)
        self._watch = Watch()
        self._names: dict[int, str] = {}
        self._dice = ""
        self.hide()

    def set_names(self, names: dict[int, str]) -> None:
        """Call the structures by these names, by class id."""
        self._names = names

    def clear(self) -> None:
        """Forget the former run."""
        self._watch, self._dice = Watch(), ""
        self._show()

    def take(self, event: object) -> None:
        """Take in an event of the run."""
        match event:
            case Planned(plan=plan):
                unseen = [reason for reason in plan.reasons if reason.startswith("Not measured")]
                self._dice = "" if plan.held_out_cases else " ".join(unseen or [NOT_MEASURED])
            case Validated(per_case=per_case) if per_case:
                self._dice = dice_line(intervals(per_case), self._names)
        self._watch.take(event, time.monotonic())
        self._show()

    def _show(self) -> None:
        words = "\n".join(line for line in (self._dice, *self._watch.warnings(self._names)) if line)
        if words != self.text():
            self.setText(words)
        self.setVisible(bool(words))
