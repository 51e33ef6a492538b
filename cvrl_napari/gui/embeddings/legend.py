"""The legend: a row a group with its color, name and count; a click hides or shows its points."""

from collections.abc import Sequence

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtWidgets import QListWidget, QListWidgetItem, QWidget

from cvrl_napari.gui.embeddings.coloring import Group
from cvrl_napari.gui.swatch import SIZE, swatch

ROW_HEIGHT = 22


class Legend(QListWidget):
    """Shows groups; emits which are shown.

    Signals
    -------
    shown_changed : object
        list of bool, one a group.
    """

    shown_changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._groups: tuple[Group, ...] = ()
        self.setIconSize(QSize(SIZE - 4, SIZE - 4))
        self.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # the count stays readable
        self.setToolTip("Click a row to hide its points, again to show them")
        self.itemClicked.connect(self._toggle)

    def show_groups(self, groups: Sequence[Group], counts: Sequence[int]) -> None:
        """List groups and how many points each has; groups that were listed before stay shown or hidden."""
        hidden = {group.name for group, shown in zip(self._groups, self.shown(), strict=True) if not shown}
        same = tuple(groups) == self._groups
        self._groups = tuple(groups)
        self.clear()
        for group, count in zip(groups, counts, strict=True):
            item = QListWidgetItem(swatch(group.color, ""), f"{group.name}  {count:,}", self)
            item.setData(Qt.ItemDataRole.UserRole, not (same and group.name in hidden))
            item.setSizeHint(QSize(0, ROW_HEIGHT))
            self._draw(item)

    def shown(self) -> list[bool]:
        """Say of each group whether its points are shown."""
        return [bool(self.item(row).data(Qt.ItemDataRole.UserRole)) for row in range(self.count())]

    def mark(self, class_id: int) -> None:
        """Write the group of this class in bold."""
        for row, group in enumerate(self._groups):
            font = self.item(row).font()
            font.setBold(group.class_id == class_id)
            self.item(row).setFont(font)

    def toggle(self, row: int) -> None:
        """Hide or show the points of a group, as a click does."""
        self._toggle(self.item(row))

    def _toggle(self, item: QListWidgetItem) -> None:
        item.setData(Qt.ItemDataRole.UserRole, not item.data(Qt.ItemDataRole.UserRole))
        self._draw(item)
        self.shown_changed.emit(self.shown())

    def _draw(self, item: QListWidgetItem) -> None:
        font = item.font()
        font.setStrikeOut(not item.data(Qt.ItemDataRole.UserRole))
        item.setFont(font)
