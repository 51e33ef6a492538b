"""A bar in the dock that says what happened and what to do; details unfold, nothing pops up."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from cvrl_napari.gui.buttons import small_button

STYLE = "NoticeBar {{ border: 1px solid {0}; border-left: 4px solid {0}; border-radius: 3px; }}"
TROUBLE, GOOD_NEWS = "#d9a441", "#6f8f9f"


class NoticeBar(QFrame):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sentence = QLabel()
        self.hint = QLabel()
        for label in (self.sentence, self.hint):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.action = small_button("", "")
        self._act: Callable[[], object] | None = None
        self.more = small_button("Details", "What the program wrote when it happened", checkable=True)
        self.dismiss = small_button("✕", "Put this message away")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setMaximumHeight(120)

        words = QVBoxLayout()
        words.setContentsMargins(0, 0, 0, 0)
        words.addWidget(self.sentence)
        words.addWidget(self.hint)
        words.addWidget(self.action, alignment=Qt.AlignmentFlag.AlignLeft)
        top = QHBoxLayout()
        top.addLayout(words, stretch=1)
        top.addWidget(self.more, alignment=Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.dismiss, alignment=Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 4, 4)
        layout.addLayout(top)
        layout.addWidget(self.details)
        self.more.toggled.connect(self.details.setVisible)
        self.dismiss.clicked.connect(self.hide)
        self.action.clicked.connect(self._on_action)
        self.tell("", "", "")

    def tell(self, sentence: str, hint: str, details: str, *, good: bool = False) -> None:
        """Show a sentence, what to do and the folded details; an empty sentence puts the bar away.

        `good` news has a quiet border, trouble an amber one.
        """
        self.setStyleSheet(STYLE.format(GOOD_NEWS if good else TROUBLE))
        self.sentence.setText(sentence)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.details.setPlainText(details)
        self.more.setVisible(bool(details))
        self.more.setChecked(False)
        self.details.hide()
        self.action.hide()
        self.setVisible(bool(sentence))

    def offer(self, words: str, tooltip: str, act: Callable[[], object]) -> None:
        """Put a button under the message that is shown, until the next one comes."""
        self.action.setText(words)
        self.action.setToolTip(tooltip)
        self._act = act
        self.action.show()

    def _on_action(self) -> None:
        if self._act is not None:
            self._act()
