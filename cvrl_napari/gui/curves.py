"""The two curves by which progress is judged: the loss, and the Dice on held-out cases for each class."""

from collections.abc import Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

import pyqtgraph as pg
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QPen
from qtpy.QtWidgets import QTabWidget, QWidget

from cvrl_napari.engine.events import Event, Planned, StepDone, Validated
from cvrl_napari.study.classes import StructureClass

SMOOTHING = 0.9
"""Share that the drawn loss keeps of its past: single patches make a raw loss unreadable."""
REDRAW_MS = 250
"""A small network makes tens of steps a second; the curve is drawn a few times a second."""
LOSS_COLOR = "#b0b0b0"
COMPARED_COLORS = ("#4aa3df", "#b277d6", "#7fb35a", "#d65f8c", "#e07b39")
"""Of the earlier runs drawn beside the present one."""
NOT_MEASURED = "not measured: no labeled case is held out"


class Curves(QTabWidget):
    """Draw the loss on painted voxels and the Dice of one run.

    The total loss would rise as its other terms gain weight. Dice has the colours of the classes; it is empty while no case is
    held out.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dice_plot, self._loss_plot = _plot("Dice"), _plot("loss")
        self._dice_plot.setYRange(0, 1)
        self._dice_plot.addLegend(offset=(-4, -4), labelTextSize="8pt")
        self.addTab(self._loss_plot, "Loss")
        self.addTab(self._dice_plot, "Dice on held-out cases")
        self.setTabToolTip(
            0, "Loss on what is painted, smoothed, against the step: falling and then flat is what you want to see"
        )
        self.setTabToolTip(1, "Overlap with the held-out cases' labels (0 to 1), which the model never learns from")
        self.setFixedHeight(150)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.timeout.connect(self._draw_new)
        self._has_new_dice = False
        self._classes: tuple[StructureClass, ...] = ()
        self._compared: list[_Compared] = []
        self.clear_curves()

    def set_classes(self, classes: tuple[StructureClass, ...]) -> None:
        """Name and colour the Dice curves by these classes."""
        self._classes = classes
        self._draw_dice()

    def clear_curves(self) -> None:
        """Forget the former run."""
        self._loss: tuple[list[int], list[float]] = ([], [])
        self._dice: dict[int, tuple[list[int], list[float]]] = {}
        self._draw_all()

    def compare(self, runs: Sequence[tuple[str, Sequence[Event]]]) -> None:
        """Draw the loss and the mean Dice of these runs, name and events of each, dashed beside the present one's."""
        self._compared = [_Compared.of(name, events) for name, events in runs]
        self._draw_all()
        self._draw_loss()

    @property
    def is_comparing(self) -> bool:
        """Whether earlier runs are drawn."""
        return bool(self._compared)

    def add(self, event: object) -> None:
        """Take in what a run tells; events that carry neither loss nor Dice are passed over."""
        match event:
            case Planned(plan=plan):
                self.clear_curves()
                self._dice_plot.setTitle(None if plan.held_out_cases else NOT_MEASURED, size="8pt")
            case StepDone(step=step, losses={"supervised": loss}):
                steps, losses = self._loss
                losses.append(_smoothed(losses, loss))
                steps.append(step)
                self._draw_soon()
            case Validated(step=step, dice=dice):
                for class_id, value in dice.items():
                    steps, values = self._dice.setdefault(class_id, ([], []))
                    steps.append(step)
                    values.append(value)
                if len(next(iter(self._dice.values()), ([], []))[0]) == 1:
                    self.setCurrentIndex(1)
                self._has_new_dice = True
                self._draw_soon()

    def latest_dice(self) -> dict[int, float]:
        """Return the last measured Dice by class id."""
        return {class_id: values[-1] for class_id, (_, values) in self._dice.items()}

    def drawn_loss(self) -> tuple[list[int], list[float]]:
        """Return steps and smoothed losses as they are drawn."""
        steps, losses = self._loss_line.getData()
        return ([], []) if steps is None else (list(steps), list(losses))

    def legend(self) -> list[str]:
        """Return the names of the drawn Dice curves."""
        return [str(curve.name()) for curve in self._dice_plot.listDataItems()]

    def dice_title(self) -> str:
        """Return what stands above the Dice curves, or the empty string."""
        title = self._dice_plot.plotItem.titleLabel
        return str(title.text) if title.isVisible() else ""

    def _draw_soon(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start(REDRAW_MS)

    def _draw_new(self) -> None:
        self._draw_loss()
        if self._has_new_dice:
            self._draw_dice()

    def _draw_all(self) -> None:
        self._loss_plot.clear()
        for pen, run in zip(_dashed(), self._compared, strict=False):
            self._loss_plot.plot(*run.loss, pen=pen, name=run.name)
        self._loss_line = self._loss_plot.plot(pen=pg.mkPen(LOSS_COLOR, width=2))
        self._draw_dice()

    def _draw_loss(self) -> None:
        self._loss_line.setData(*self._loss)

    def _draw_dice(self) -> None:
        self._has_new_dice = False
        self._dice_plot.clear()
        for pen, run in zip(_dashed(), self._compared, strict=False):
            words = f"{run.name} {run.dice[1][-1]:.2f}" if run.dice[1] else f"{run.name} not measured"
            self._dice_plot.plot(*run.dice, pen=pen, name=words)
        for structure in self._classes:
            steps, values = self._dice.get(structure.id, ([], []))
            if values:
                name = f"{structure.name} {values[-1]:.2f}"
                pen = pg.mkPen(structure.color, width=2)
                self._dice_plot.plot(
                    steps, values, pen=pen, name=name, symbol="o", symbolSize=5, symbolBrush=structure.color, symbolPen=None
                )


class _Compared(NamedTuple):
    """Steps and values of an earlier run: its smoothed loss, and its Dice, mean over the classes."""

    name: str
    loss: tuple[list[int], list[float]]
    dice: tuple[list[int], list[float]]

    @classmethod
    def of(cls, name: str, events: Sequence[Event]) -> "_Compared":
        run = cls(name, ([], []), ([], []))
        for event in events:
            match event:
                case StepDone(step=step, losses={"supervised": loss}):
                    run.loss[0].append(step)
                    run.loss[1].append(_smoothed(run.loss[1], loss))
                case Validated(step=step, dice=dice) if dice:
                    run.dice[0].append(step)
                    run.dice[1].append(sum(dice.values()) / len(dice))
        return run


def _smoothed(before: list[float], loss: float) -> float:
    return SMOOTHING * before[-1] + (1 - SMOOTHING) * loss if before else loss


def _dashed() -> Iterator[QPen]:
    return (pg.mkPen(color, width=1.5, style=Qt.PenStyle.DashLine) for color in cycle(COMPARED_COLORS))


def _plot(left: str) -> pg.PlotWidget:
    plot = pg.PlotWidget(background=None)
    plot.setLabel("bottom", "step")
    plot.setLabel("left", left)
    for side in ("bottom", "left"):
        plot.getAxis(side).enableAutoSIPrefix(False)  # "loss (x0.001)" is no word of a clinician
    plot.setMouseEnabled(x=False, y=False)
    plot.setMenuEnabled(False)
    plot.hideButtons()
    return plot
