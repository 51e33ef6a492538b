"""The two curves by which progress is judged: the loss, and the Dice on held-out cases for each class."""

import pyqtgraph as pg
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QTabWidget, QWidget

from cvrl_napari.engine.events import Planned, StepDone, Validated
from cvrl_napari.study.classes import StructureClass

SMOOTHING = 0.9
"""Share that the drawn loss keeps of its past: single patches make a raw loss unreadable."""
REDRAW_MS = 250
"""A small network makes tens of steps a second; the curve is drawn a few times a second."""
LOSS_COLOR = "#b0b0b0"
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
        self._redraw.timeout.connect(self._draw_loss)
        self._classes: tuple[StructureClass, ...] = ()
        self.clear_curves()

    def set_classes(self, classes: tuple[StructureClass, ...]) -> None:
        """Name and colour the Dice curves by these classes."""
        self._classes = classes
        self._draw_dice()

    def clear_curves(self) -> None:
        """Forget the former run."""
        self._loss: tuple[list[int], list[float]] = ([], [])
        self._dice: dict[int, tuple[list[int], list[float]]] = {}
        self._loss_plot.clear()
        self._loss_line = self._loss_plot.plot(pen=pg.mkPen(LOSS_COLOR, width=2))
        self._draw_dice()

    def add(self, event: object) -> None:
        """Take in what a run tells; events that carry neither loss nor Dice are passed over."""
        match event:
            case Planned(plan=plan):
                self.clear_curves()
                self._dice_plot.setTitle(None if plan.held_out_cases else NOT_MEASURED, size="8pt")
            case StepDone(step=step, losses={"supervised": loss}):
                steps, losses = self._loss
                losses.append(SMOOTHING * losses[-1] + (1 - SMOOTHING) * loss if losses else loss)
                steps.append(step)
                if not self._redraw.isActive():
                    self._redraw.start(REDRAW_MS)
            case Validated(step=step, dice=dice):
                for class_id, value in dice.items():
                    steps, values = self._dice.setdefault(class_id, ([], []))
                    steps.append(step)
                    values.append(value)
                if len(next(iter(self._dice.values()), ([], []))[0]) == 1:
                    self.setCurrentIndex(1)
                self._draw_dice()

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

    def _draw_loss(self) -> None:
        self._loss_line.setData(*self._loss)

    def _draw_dice(self) -> None:
        self._dice_plot.clear()
        for structure in self._classes:
            steps, values = self._dice.get(structure.id, ([], []))
            if values:
                name = f"{structure.name} {values[-1]:.2f}"
                pen = pg.mkPen(structure.color, width=2)
                self._dice_plot.plot(
                    steps, values, pen=pen, name=name, symbol="o", symbolSize=5, symbolBrush=structure.color, symbolPen=None
                )


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
