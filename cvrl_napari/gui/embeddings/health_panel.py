"""The health of the representation: four curves over the training, how the features repeat each other, and a sentence."""

from pathlib import Path

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from cvrl_napari.engine.health import Health
from cvrl_napari.gui.embeddings.computed import Computed
from cvrl_napari.gui.embeddings.health import HealthReading

CURVES = {
    "effective_rank": ("effective rank", "How many directions the features use; the more the better, 1 is a collapse"),
    "spread": ("spread", "How far the features lie apart; 0 when all voxels look the same"),
    "alignment": ("alignment", "How far the same voxel moves between two views of it; 0 is best"),
    "uniformity": ("uniformity", "How evenly the features use their room; the lower the better, 0 is a collapse"),
}
"""Field of `LevelHealth`: title, tooltip."""
COLOR, OTHER_COLOR = "#7cb8e0", "#e0b050"
CORRELATION = "Correlation of each feature in one view (row) with each in the other (column): a clean diagonal is best"
NOTHING = "nothing"
BETWEEN_MS = 10
"""Between the plots that are made one after the other: a key or the mouse has its turn. A timer of 0 would give it none."""


class HealthPanel(QWidget):
    """Draws `health`. The plots are made when it is first seen, one a round of the event loop: each takes 50 ms."""

    def __init__(self, computed: Computed, health: HealthReading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._computed, self._health = computed, health
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.other = QComboBox()
        self.other.setToolTip(
            "Draw the curves of another run beside: one trained with the option contrast on 'batch' shows\n"
            "what the contrast along the features is for"
        )
        self.plots: dict[str, pg.PlotWidget] = {}
        self.map: pg.ImageItem | None = None
        self._make = QTimer(self)
        self._make.setInterval(BETWEEN_MS)
        self._make.timeout.connect(self._make_next)
        top, self._row = QHBoxLayout(), QHBoxLayout()
        top.addWidget(_key(COLOR))
        top.addWidget(self.sentence, stretch=1)
        top.addWidget(_key(OTHER_COLOR))
        top.addWidget(QLabel("Compare with"))
        top.addWidget(self.other)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(top)
        layout.addLayout(self._row, stretch=1)

        self.other.activated.connect(self._compare)
        health.changed.connect(self.refresh)
        computed.state_changed.connect(self._fill)
        self._fill()
        self.refresh()

    @property
    def is_drawn(self) -> bool:
        """Whether all plots are made and can be seen."""
        return self.map is not None and not self._make.isActive()

    def refresh(self) -> None:
        """Draw what was read last."""
        reading = self._health.reading
        self.sentence.setText(reading.sentence)
        for name in self.plots:
            self._draw_curve(name)
        self._draw_map()

    def _draw_curve(self, name: str) -> None:
        reading = self._health.reading
        self.plots[name].clear()
        for health, color in ((reading.other, OTHER_COLOR), (reading.health, COLOR)):
            if health is not None:
                self._draw(self.plots[name], health, name, color)

    def _draw_map(self) -> None:
        if self.map is not None:
            correlation = self._health.reading.correlation
            self._map_plot.setVisible(correlation is not None)
            if correlation is not None:
                self.map.setImage(correlation.T, levels=(-1, 1))
                self._map_plot.autoRange(padding=0)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin with the plots."""
        super().showEvent(event)
        if self.map is None:
            self.setUpdatesEnabled(False)  # else each plot is laid out and drawn anew when the next one comes
            self._make.start()

    def _make_next(self) -> None:
        name = next((one for one in CURVES if one not in self.plots), None)
        if name is None and self.map is None:
            self._make_map()
            return
        if name is None:
            self._make.stop()
            self.setUpdatesEnabled(True)
            return
        self.plots[name] = _plot(*CURVES[name])
        self._row.addWidget(self.plots[name])
        self._draw_curve(name)

    def _make_map(self) -> None:
        self.map = pg.ImageItem()
        self.map.setColorMap(pg.colormap.get("CET-D1"))
        self._map_plot = _plot("correlation", CORRELATION)
        self._map_plot.addItem(self.map)
        self._map_plot.setAspectLocked(True)
        self._map_plot.invertY(True)
        for side in ("left", "bottom"):
            self._map_plot.hideAxis(side)
        self._row.addWidget(self._map_plot)
        self._draw_map()

    def _draw(self, plot: pg.PlotWidget, health: Health, name: str, color: str) -> None:
        values: np.ndarray = getattr(health.levels[self._computed.level], name)
        steps = health.steps[-len(values) :] if len(values) else np.zeros(0)
        plot.plot(steps, values, pen=pg.mkPen(color, width=2), symbol="o", symbolSize=4, symbolBrush=color, symbolPen=None)

    def _fill(self) -> None:
        """List the other runs; the chosen one stays chosen."""
        runs = self._health.runs()
        if [self.other.itemData(row) for row in range(1, self.other.count())] != [str(run) for run in runs] or not runs:
            self.other.clear()
            self.other.addItem(NOTHING)
            for run in runs:
                self.other.addItem(run.name, str(run))
        self.other.setCurrentIndex(max(0, self.other.findData(str(self._health.other))))
        self.other.setEnabled(bool(runs))

    def _compare(self, row: int) -> None:
        self._health.compare(Path(self.other.itemData(row)) if row else None)


def _key(color: str) -> QLabel:
    """Return a line in the color of a run's curves, to stand before its words."""
    key = QLabel("\N{EM DASH}")
    key.setStyleSheet(f"color: {color}; font-weight: bold;")
    return key


def _plot(title: str, tooltip: str) -> pg.PlotWidget:
    plot = pg.PlotWidget(background=None, enableMenu=False)
    plot.setTitle(title, size="8pt")
    plot.setToolTip(tooltip)
    for side in ("bottom", "left"):
        plot.getAxis(side).enableAutoSIPrefix(False)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    return plot
