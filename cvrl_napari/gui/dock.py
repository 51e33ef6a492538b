"""The dock "CVRL": the panels in the order of the work, and the dock's part in opening and quitting."""

from collections.abc import Callable, Sequence
from pathlib import Path

import napari
from platformdirs import user_data_path
from qtpy.QtCore import QEvent, QObject, Qt, QTimer, Signal
from qtpy.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QFileDialog,
    QFrame,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cvrl_napari.gui.buttons import separator, small_button
from cvrl_napari.gui.class_panel import ClassPanel
from cvrl_napari.gui.empty_panel import EmptyPanel
from cvrl_napari.gui.folding import folded
from cvrl_napari.gui.fresh_status import FreshStatus
from cvrl_napari.gui.keys_sheet import KeysSheet
from cvrl_napari.gui.lone_scans import LoneScans
from cvrl_napari.gui.looks import dock_style
from cvrl_napari.gui.mask_panel import MaskPanel
from cvrl_napari.gui.new_study import NewStudyDialog
from cvrl_napari.gui.notice import NoticeBar
from cvrl_napari.gui.reading_questions import ALL, agree_to_resample, choose_part
from cvrl_napari.gui.session import Session
from cvrl_napari.gui.shortcuts import Shortcuts
from cvrl_napari.gui.study_panel import StudyPanel
from cvrl_napari.gui.tool_box import ToolBox
from cvrl_napari.gui.tools_panel import ToolsPanel
from cvrl_napari.gui.train_panel import TrainPanel
from cvrl_napari.gui.view_panel import ViewPanel
from cvrl_napari.gui.views.canvas_edges import CanvasEdges
from cvrl_napari.gui.views.viewing import Viewing
from cvrl_napari.gui.window_keys import WindowKeys
from cvrl_napari.gui.world_position import WorldPosition
from cvrl_napari.volumes.errors import SeveralVolumesError, UnevenSlicesError

WIDTH = 380
BETWEEN_MS = 10
"""Between two steps of what takes napari long: a key or the mouse has its turn. A timer of 0 would give it none."""


def sample_folder() -> Path:
    """Return where the sample study lives: the person's own application data."""
    return user_data_path("cvrl-napari", appauthor=False) / "sample-study"


class CvrlDock(QWidget):
    """Everything a clinician does with a study; behaviour lives in `session`.

    Signals
    -------
    closing
        The session is about to end: whoever uses it lets go.
    """

    closing = Signal()

    def __init__(self, napari_viewer: napari.Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("CVRL")
        self._dress()
        self.setAcceptDrops(True)
        self.setMinimumWidth(WIDTH)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._viewer = napari_viewer
        napari_viewer.events.theme.connect(self._dress)
        self.session = Session(napari_viewer, self)
        self.tool_box = ToolBox(napari_viewer, self.session, self)
        keys: dict[str, Callable[[], None]] = {
            "Alt-Left": lambda: self.study_panel.step(-1),
            "Alt-Right": lambda: self.study_panel.step(1),
            "Shift-M": lambda: self.study_panel.toggle_look(),
        }
        self._shortcuts: Shortcuts | None = Shortcuts(napari_viewer, self.session, {**self.tool_box.keys, **keys})
        self.edges = CanvasEdges(napari_viewer)
        self.position = WorldPosition(napari_viewer)
        self._status = FreshStatus(napari_viewer, self.session, self)
        self.lone_scans = LoneScans(napari_viewer, self)
        self.viewing = Viewing(napari_viewer, self.session, self)
        self._window: QWidget | None = None
        self._embeddings: QWidget | None = None

        self.notice = NoticeBar()
        self.busy = QLabel()
        self.busy_bar = QProgressBar()
        self.busy_bar.setRange(0, 0)
        self.busy_bar.setTextVisible(False)
        self.busy_bar.setFixedHeight(6)
        self.empty_panel = EmptyPanel()
        self.study_panel = StudyPanel(self.session)
        self.view_panel = ViewPanel(self.session, self.viewing)
        self.class_panel = ClassPanel(self.session)
        self.tools_panel = ToolsPanel(self.session, self.tool_box)
        self.tools = folded("Tools", self.tools_panel, "Interpolate, grow, mend, measure; what the brush may paint")
        self.train_panel = TrainPanel(self.session)
        self.mask_panel = MaskPanel(self.session, self.tool_box.taking_over)
        self.embeddings_button = small_button("Embeddings…", "See what the network tells apart, in a second dock below")
        self.embeddings_button.clicked.connect(self.open_embeddings)
        self._work = QWidget()
        work = QVBoxLayout(self._work)
        work.setContentsMargins(0, 0, 0, 0)
        work.addWidget(self.study_panel, stretch=1)
        work.addWidget(self.view_panel)
        for panel in (self.class_panel, self.train_panel, self.mask_panel):
            work.addWidget(separator())
            work.addWidget(panel)
            if panel is self.class_panel:
                work.addWidget(self.tools)
        work.addWidget(self.embeddings_button, alignment=Qt.AlignmentFlag.AlignLeft)

        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(6, 6, 6, 6)
        for widget in (self.notice, self.busy, self.busy_bar, self.empty_panel):
            column.addWidget(widget)
        column.addWidget(self._work, stretch=1)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.scroll_area)

        self.session.noticed.connect(self._tell)
        self.session.confirmed.connect(self._confirm)
        self.session.locked.connect(self._offer_reading_only)
        self.session.busy.connect(self._on_busy)
        self.session.choice_needed.connect(self._ask_how_to_read)
        self.session.study_changed.connect(self._on_study_changed)
        for asking in (self.empty_panel, self.study_panel):
            asking.open_asked.connect(self.ask_for_study)
            asking.new_asked.connect(self.ask_for_new_study)
        self.empty_panel.scans_asked.connect(lambda: self.ask_for_new_study([one.scan for one in self.lone_scans.images]))
        self.window_keys = WindowKeys(self, napari_viewer, self.viewing, self.show_keys)
        self.view_panel.keys_asked.connect(self.show_keys)
        self.lone_scans.changed.connect(self._offer_lone_scans)
        self.empty_panel.sample_asked.connect(lambda: self.session.create_sample(sample_folder()))
        application = QApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.shut_down)
        self._on_busy("")
        self._on_study_changed()
        QTimer.singleShot(0, self, self._watch_window)

    def belongs_to(self, viewer: napari.Viewer) -> bool:
        """Say whether this dock works on that viewer, and has not shut down."""
        return self._shortcuts is not None and self._viewer is viewer

    def ask_for_study(self) -> None:
        """Let the person choose a study folder, and open it."""
        chosen = QFileDialog.getExistingDirectory(self, "Open a study (a folder that holds a study.json)")
        if chosen:
            self.open_folders([Path(chosen)])

    def ask_for_new_study(self, scans: Sequence[Path] = ()) -> None:
        """Ask for scans, class names and a folder in one dialog, and make the study."""
        dialog = NewStudyDialog([path for path in scans or () if isinstance(path, Path)], self)
        opened = {one.scan: one for one in self.lone_scans.images}

        def make() -> None:
            chosen = [opened.get(path, path) for path in dialog.scans]
            self.session.create_study(dialog.folder, chosen, dialog.classes, channels=dialog.channels)

        dialog.accepted.connect(make)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def open_folders(self, paths: Sequence[Path]) -> None:
        """A study folder is opened; anything else is offered as the scans of a new study."""
        study = next((path for path in paths if (path / "study.json").is_file()), None)
        if study is not None:
            self.session.open_study(study)
        elif paths:
            self.ask_for_new_study(paths)

    def open_embeddings(self) -> None:
        """Open the second dock, or bring it to the front."""
        from cvrl_napari.gui.embeddings.dock import TITLE, EmbeddingsDock

        shown = self._viewer.window.dock_widgets.get(TITLE)
        if shown is not None:
            shown.parentWidget().show()
            shown.parentWidget().raise_()
        elif self._embeddings is None:
            # Made in one round of the event loop and put into the window in another: napari takes as long for that.
            self._embeddings = EmbeddingsDock(self._viewer, self)
            QTimer.singleShot(BETWEEN_MS, self, self._add_embeddings)

    def _add_embeddings(self) -> None:
        from cvrl_napari.gui.embeddings.dock import TITLE

        made, self._embeddings = self._embeddings, None
        if made is not None and self._shortcuts is not None:
            self._viewer.window.add_dock_widget(made, name=TITLE, area="bottom")

    def show_keys(self) -> None:
        """Show the sheet of keys beside the work."""
        KeysSheet(self).show()

    def shut_down(self) -> None:
        """Save, end what runs, give lock and keys back. May be called again."""
        if self._shortcuts is None:
            return
        self._shortcuts.close()
        self._shortcuts = None
        self.closing.emit()
        self.viewing.close()
        self.study_panel.shut_down()
        self.class_panel.shut_down()
        self.tool_box.close()
        self.train_panel.close_history()
        self.session.shut_down()
        self.edges.close()
        self._viewer.events.theme.disconnect(self._dress)
        self._status.close()
        self.position.close()
        self.lone_scans.close()
        if self._window is not None:
            self._window.removeEventFilter(self)
            self._window = None
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.disconnect(self.shut_down)

    # Qt

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take what lies on this computer's disks."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped."""
        event.acceptProposedAction()
        self.open_folders([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])

    def showEvent(self, event: QShowEvent) -> None:
        """Watch the window the dock is shown in."""
        super().showEvent(event)
        self._watch_window()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock away for good: it loses its parent then, without a close event."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and self._window is not None:
            self.shut_down()
        return super().event(event)

    def _watch_window(self) -> None:
        """Watch the main window: a dock gets no close event when napari quits."""
        if self._window is None and self._shortcuts is not None and self.window() is not self:
            self._window = self.window()
            self._window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Shut down when the main window closes."""
        if watched is self._window and event.type() == QEvent.Type.Close:
            self.shut_down()
        return super().eventFilter(watched, event)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Shut down when the dock itself is closed."""
        self.shut_down()
        super().closeEvent(event)

    def _dress(self, _event: object = None) -> None:
        self.setStyleSheet(dock_style())

    def _tell(self, sentence: str, hint: str, details: str) -> None:
        self.notice.tell(sentence, hint, details)
        if sentence:
            self.scroll_area.ensureWidgetVisible(self.notice)

    def _offer_reading_only(self, folder: Path) -> None:
        tooltip = "Look at scans and labels, and save masks elsewhere; nothing in the study is changed"
        self.notice.offer("Open for reading only", tooltip, lambda: self.session.open_study(folder, read_only=True))

    def _confirm(self, sentence: str, more: str) -> None:
        self.notice.tell(sentence, more, "", good=True)

    def _ask_how_to_read(self, case_id: str, error: SeveralVolumesError | UnevenSlicesError) -> None:
        if isinstance(error, SeveralVolumesError):
            part = choose_part(error, channels=True)
            if part == ALL:
                self.session.read_as_channels(case_id, error)
            elif part is not None:
                self.session.read_as(case_id, part=part)
        elif agree_to_resample(error):
            self.session.read_as(case_id, resample=True)

    def _on_busy(self, what: str) -> None:
        self.busy.setText(what)
        self.busy.setVisible(bool(what))
        self.busy_bar.setVisible(bool(what))

    def _on_study_changed(self) -> None:
        is_open = self.session.study is not None
        if self.session.study is not None:
            self.lone_scans.leave_to_study([case.scan for case in self.session.study.cases])
        self._offer_lone_scans()
        self.empty_panel.setVisible(not is_open)
        self._work.setVisible(is_open)

    def _offer_lone_scans(self) -> None:
        self.empty_panel.offer(() if self.session.study is not None else [one.scan for one in self.lone_scans.images])
