"""The similarity tool's button, threshold, and what is done with its map."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt import QLabeledDoubleSlider

from cvrl_napari.gui.buttons import shortened, small_button
from cvrl_napari.gui.embeddings.feature_layer import FeatureLayer
from cvrl_napari.gui.embeddings.model_change import ModelChange
from cvrl_napari.gui.embeddings.similarity import THRESHOLD, Match, Similarity
from cvrl_napari.gui.embeddings.travel import Travel
from cvrl_napari.gui.session import Session

HOW = "Move over the scan: the slice shows what looks alike to the network. Click: the whole scan is compared."
ITSELF = "itself, before it learned more"
LEVELS = {"low": "fine features", "high": "coarse features"}


class SimilarityPanel(QWidget):
    """Drives `similarity`."""

    def __init__(
        self,
        session: Session,
        similarity: Similarity,
        colors: FeatureLayer,
        change: ModelChange,
        travel: Travel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._similarity, self._change, self._travel = session, similarity, change, travel
        self.button = small_button("Show similar voxels", HOW, checkable=True)
        self.level = QComboBox()
        self.level.addItems(list(LEVELS.values()))
        self.level.setToolTip("Fine: the network's last map, borders and texture. Coarse: its bottleneck, where in the body")
        self.threshold = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0.0, 1.0)
        self.threshold.setSingleStep(0.01)  # type: ignore[arg-type]
        self.threshold.setValue(THRESHOLD)
        self.threshold.setToolTip("Show what is at least this similar (cosine of the features, 1: the same)")
        self.paint_button = small_button("Paint", "")
        self.mean_button = small_button("Like", "")
        self.find_button = small_button(
            "Find in the unlabeled scans", "List the unlabeled scans whose features are computed by their best match"
        )
        self.clear_button = small_button("Clear", "Take the map away")
        self.colors = QCheckBox("Features as colors")
        self.colors.setToolTip("Color the scan on view by its features: what has the same color looks alike to the network")
        self.other = QComboBox()
        self.other.setMinimumContentsLength(12)
        self.other.setToolTip(
            "Color what the model above sees differently from another one on the scan on view.\n"
            "The other model's features are computed first where they are not there."
        )
        self.notice = QLabel(HOW)
        self.notice.setWordWrap(True)
        self.matches = QListWidget()
        self.matches.setToolTip(
            "How similar the best match is (1: the same), the scan, and how much of it is as similar as the slider wants.\n"
            "Click a scan to open it at its best match."
        )
        self._lay_out()

        self.button.toggled.connect(similarity.switch)
        self.level.currentIndexChanged.connect(lambda row: similarity.choose("high" if row else "low"))
        self.threshold.valueChanged.connect(similarity.set_threshold)
        self.paint_button.clicked.connect(lambda: similarity.paint(session.selected_class))
        self.mean_button.clicked.connect(lambda: similarity.like_class(session.selected_class))
        self.find_button.clicked.connect(similarity.find)
        self.clear_button.clicked.connect(similarity.clear)
        self.colors.toggled.connect(colors.switch)
        self.other.activated.connect(lambda row: change.compare(Path(self.other.itemData(row)) if row else None))
        self.matches.itemClicked.connect(self._go)
        similarity.changed.connect(self.refresh)
        similarity.noticed.connect(lambda sentence: self.notice.setText(sentence or HOW))
        change.noticed.connect(lambda sentence: self.notice.setText(sentence or HOW))
        similarity.confirmed.connect(self.notice.setText)
        similarity.found.connect(self._list)
        session.class_selected.connect(self.refresh)
        session.classes_changed.connect(self.refresh)
        self.offer_models([])
        self.refresh()

    def offer_models(self, models: Sequence[Path], chosen: Path | None = None) -> None:
        """List what to compare the chosen model with, itself among them; the one that is compared with stays."""
        offered: list[tuple[str, str | None]] = [("no other model", None)]
        offered += [(ITSELF if model == chosen else model.parent.name, str(model)) for model in models]
        if [(self.other.itemText(row), self.other.itemData(row)) for row in range(self.other.count())] != offered:
            self.other.clear()
            for words, model in offered:
                self.other.addItem(words, model)
        self.other.setCurrentIndex(max(0, self.other.findData(str(self._change.other))))
        self.other.setEnabled(bool(models))

    def refresh(self, _: object = None) -> None:
        """Offer what can be done now."""
        session, similarity = self._session, self._similarity
        classes = session.study.classes if session.study is not None else ()
        name = next((one.name for one in classes if one.id == session.selected_class), "background")
        self.button.setChecked(similarity.is_on)
        self.paint_button.setText(f"Paint as {shortened(name, self.paint_button)}")
        self.paint_button.setToolTip(f"Paint what is shown as {name}, where nothing is painted yet (Ctrl+Z takes it back)")
        self.mean_button.setText(f"Like the painted {shortened(name, self.mean_button)}")
        self.mean_button.setToolTip(f"Compare the whole scan with the mean of what is painted as {name} on it")
        self.paint_button.setEnabled(similarity.has_map)
        self.find_button.setEnabled(similarity.has_map)
        self.clear_button.setEnabled(similarity.has_map)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setVerticalSpacing(4)
        grid.addWidget(self.button, 0, 0)
        grid.addWidget(self.level, 0, 1)
        grid.addWidget(self.mean_button, 1, 0, 1, 2, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(QLabel("At least"), 2, 0)
        grid.addWidget(self.threshold, 2, 1)
        buttons = QHBoxLayout()
        for button in (self.paint_button, self.clear_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        buttons.addWidget(self.colors)
        models = QHBoxLayout()
        models.addWidget(QLabel("What differs from"))
        models.addWidget(self.other, stretch=1)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addLayout(grid)
        left.addLayout(buttons)
        left.addLayout(models)
        left.addWidget(self.notice)
        left.addStretch(1)
        right.addWidget(self.find_button)
        right.addWidget(self.matches, stretch=1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addLayout(left, stretch=3)
        row.addLayout(right, stretch=2)

    def _list(self, matches: list[Match]) -> None:
        self.matches.clear()
        for match in matches:
            share = f"{100 * match.share:.1f} % of it"
            item = QListWidgetItem(f"{match.similarity:.3f}  {match.case}  {share}", self.matches)
            item.setData(Qt.ItemDataRole.UserRole, match)

    def _go(self, item: QListWidgetItem) -> None:
        match = item.data(Qt.ItemDataRole.UserRole)
        self._travel.go(match.case, match.voxel)
