"""The dock "CVRL embeddings": what the network tells apart, below the canvas."""

from pathlib import Path

import napari
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDockWidget,
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QProgressBar,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.gui.buttons import small_button
from cvrl_napari.gui.dock import CvrlDock
from cvrl_napari.gui.embeddings.case_choice import CaseChoice
from cvrl_napari.gui.embeddings.cloud import Cloud
from cvrl_napari.gui.embeddings.computed import SCOPES, Computed
from cvrl_napari.gui.embeddings.feature_layer import FeatureLayer
from cvrl_napari.gui.embeddings.from_scan import FromScan
from cvrl_napari.gui.embeddings.health import HealthReading
from cvrl_napari.gui.embeddings.health_panel import HealthPanel
from cvrl_napari.gui.embeddings.jobs import Job
from cvrl_napari.gui.embeddings.model_change import ModelChange
from cvrl_napari.gui.embeddings.overlays import Overlays
from cvrl_napari.gui.embeddings.scatter_panel import ScatterPanel
from cvrl_napari.gui.embeddings.selection import Selection
from cvrl_napari.gui.embeddings.similarity import Similarity
from cvrl_napari.gui.embeddings.similarity_panel import LEVELS, SimilarityPanel
from cvrl_napari.gui.embeddings.travel import Travel
from cvrl_napari.gui.embeddings.under_mouse import UnderMouse
from cvrl_napari.gui.looks import BOXES

TITLE = "CVRL embeddings"
HEIGHT = 300
DELETE_MS = 300
"""Milliseconds after which a closed dock is deleted: the window is laid out and drawn by then."""


class EmbeddingsDock(QWidget):
    """Everything about embeddings; made when it is opened, gone when it is closed."""

    def __init__(self, napari_viewer: napari.Viewer, main: CvrlDock | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(TITLE)
        self.setStyleSheet(BOXES)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        main = main or find_dock(napari_viewer)
        session = self._session = main.session
        self._is_open, self._was_docked, self._working = True, False, False
        self.overlays = Overlays(napari_viewer, session.layers)
        self.computed = Computed(session, self)
        self.cloud = Cloud(session, self.computed, self)
        self.selection = Selection(session, self.computed, self.cloud, self.overlays, self)
        self.similarity = Similarity(napari_viewer, session, self.computed, self.overlays, self)
        self.colors = FeatureLayer(session, self.computed, self.overlays, self)
        self.change = ModelChange(session, self.computed, self.overlays, self)
        self.travel = Travel(napari_viewer, session, self)
        self.health = HealthReading(session, self.computed, self)
        self.from_scan = FromScan(napari_viewer, session, self.computed, self.cloud, self.selection, self.similarity, self)
        self.under_mouse = UnderMouse(napari_viewer, session, self.computed, self.cloud, self)

        self.model = QComboBox()
        self.model.setToolTip("The model whose features are shown; the one saved last comes first")
        self.model.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.model.setMaximumWidth(280)
        self.cases = QComboBox()
        self.cases.addItems(list(SCOPES.values()))
        self.cases.setToolTip("The scans whose voxels are shown")
        self.level = QComboBox()
        self.level.addItems(list(LEVELS.values()))
        self.level.setToolTip("Fine: the network's last map. Coarse: its bottleneck")
        self.compute = small_button("Compute", "")
        self.follow = QCheckBox("follow")
        self.follow.setToolTip("While a training goes on, compute again whenever it saves its model: the points move along")
        self.progress = QProgressBar()
        self.progress.setFixedSize(110, 14)
        self.progress.setTextVisible(False)
        self.status = QLabel()
        self.status.hide()
        self.status.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.scatter = ScatterPanel(
            session,
            self.computed,
            self.cloud,
            self.selection,
            self.travel,
            self.from_scan,
            self.under_mouse,
            main.study_panel.editing,
        )
        self.similar = SimilarityPanel(session, self.similarity, self.colors, self.change, self.travel)
        self.health_panel = HealthPanel(self.computed, self.health)
        self.tabs = QTabWidget()
        self.tabs.addTab(self.scatter, "Scatter")
        self.tabs.addTab(self.similar, "In the scan")
        self.tabs.addTab(self.health_panel, "Health")
        self._lay_out()

        self.model.activated.connect(lambda row: self.computed.choose(model=Path(self.model.itemData(row))))
        self.cases.activated.connect(self._choose_cases)
        self.level.activated.connect(lambda row: self.computed.choose(level="high" if row else "low"))
        self.compute.clicked.connect(self._compute_or_cancel)
        self.follow.toggled.connect(self._follow)
        self.computed.state_changed.connect(self.refresh)
        for job in (self.cloud.job, self.change.job):
            job.changed.connect(self.refresh)
        for part in (self.computed, self.cloud):
            part.failed.connect(self._tell_failure)
        for notices in (self.cloud.noticed, self.travel.refused, self.selection.confirmed, self.from_scan.noticed):
            notices.connect(self._say)
        application = QApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.shut_down)
        main.closing.connect(self.shut_down)
        self.computed.look()

    def refresh(self) -> None:
        """Show what can be computed and what is under way."""
        computed = self.computed
        self._fill_models()
        job = next((one for one in self._jobs() if one.is_active), computed.job)
        self.progress.setVisible(job.is_active)
        self.progress.setValue(round(100 * job.share))
        if job.is_active:
            self._say(job.words)
        elif self._working:
            self._say("")
        self._working = job.is_active
        self.compute.setText("Cancel" if job.is_active else "Refresh" if computed.is_outdated else "Compute")
        count = len(computed.missing)
        self.compute.setEnabled(job.is_active or (computed.model is not None and (count > 0 or computed.is_outdated)))
        if computed.is_outdated:
            self.compute.setToolTip("The training has saved a newer model: compute its features")
        else:
            self.compute.setToolTip(f"Compute the features of {count} scan{'s' * (count != 1)} in the background")

    def shut_down(self) -> None:
        """End what runs, take the layers away. May be called again."""
        if not self._is_open:
            return
        self._is_open = False
        for part in (
            self.selection,
            self.similarity,
            self.colors,
            self.change,
            self.cloud,
            self.computed,
            self.travel,
            self.health,
            self.under_mouse,
        ):
            part.close()
        self.overlays.close()
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.disconnect(self.shut_down)

    # Qt

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock away for good: it loses its parent then, without a close event."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parent() is not None:
                QTimer.singleShot(0, self, self._settle_below)
            elif self._was_docked:
                self.shut_down()
                # napari only takes it out of the window: it would follow the session for ever.
                QTimer.singleShot(DELETE_MS, self, self.deleteLater)
        return super().event(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Shut down when the dock is closed."""
        self.shut_down()
        super().closeEvent(event)

    def _settle_below(self) -> None:
        """Lie below the canvas, wide: napari puts the widgets of plugins to the right."""
        holder = self.parent()
        while holder is not None and not isinstance(holder, QDockWidget):
            holder = holder.parent()
        window = self.window()
        if self._was_docked or holder is None or not isinstance(window, QMainWindow):
            return
        self._was_docked = True
        # The layer list keeps its height; the plot can then grow into the canvas.
        window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        if window.dockWidgetArea(holder) != Qt.DockWidgetArea.BottomDockWidgetArea:
            window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, holder)
        window.resizeDocks([holder], [HEIGHT], Qt.Orientation.Vertical)

    def _lay_out(self) -> None:
        beside_tabs = QWidget()
        header = QHBoxLayout(beside_tabs)
        header.setContentsMargins(0, 0, 0, 0)
        for widget in (self.model, self.cases, self.level, self.compute, self.follow):
            header.addWidget(widget)
        self.tabs.setCornerWidget(beside_tabs)
        below = QHBoxLayout()
        below.addWidget(self.progress)
        below.addWidget(self.status, stretch=1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 2)
        layout.setSpacing(2)
        layout.addWidget(self.tabs, stretch=1)
        layout.addLayout(below)

    def _fill_models(self) -> None:
        """List the models of the study; the chosen one stays chosen."""
        models = self.computed.models()
        known = [self.model.itemData(row) for row in range(self.model.count())]
        if known != [str(model) for model in models]:
            self.model.clear()
            for model in models:
                self.model.addItem(model.parent.name, str(model))
        row = self.model.findData(str(self.computed.model))
        self.model.setCurrentIndex(row)
        self.similar.offer_models(sorted(models, key=lambda model: model == self.computed.model), self.computed.model)

    def _choose_cases(self, row: int) -> None:
        """Show the cases of this row; those of the last row are checked in a list."""
        scope, study = list(SCOPES)[row], self._session.study
        if scope != "chosen" or study is None:
            self.computed.choose(scope=scope)
            return
        dialog = CaseChoice([case.id for case in study.cases], self.computed.chosen or self.computed.cases(), self)
        dialog.chosen.connect(lambda cases: self.computed.choose(scope="chosen", chosen=cases))
        dialog.finished.connect(lambda _: self.cases.setCurrentIndex(list(SCOPES).index(self.computed.scope)))
        dialog.open()

    def _jobs(self) -> tuple[Job, ...]:
        return self.computed.job, self.cloud.job, self.change.job

    def _compute_or_cancel(self) -> None:
        for job in self._jobs():
            if job.is_active:
                if job is self.cloud.job:
                    self.cloud.keep_pca()
                else:
                    job.cancel()
                return
        self.computed.compute()

    def _follow(self, on: bool) -> None:
        self.computed.follows = on
        if on and self.computed.is_outdated:
            self.computed.compute()

    def _say(self, sentence: str) -> None:
        self.status.setVisible(bool(sentence))
        self.status.setText(sentence)
        self.status.setToolTip(sentence)

    def _tell_failure(self, sentence: str, hint: str, details: str) -> None:
        self._say(f"{sentence} {hint}".strip())
        self.status.setToolTip(details or sentence)


def find_dock(viewer: napari.Viewer) -> CvrlDock:
    """Return the dock "CVRL" of a window; it is opened when it is not there."""
    for widget in viewer.window.dock_widgets.values():
        if isinstance(widget, CvrlDock):
            return widget
    _, made = viewer.window.add_plugin_dock_widget("cvrl-napari", "CVRL")
    assert isinstance(made, CvrlDock)
    return made
