"""In a list F2 and Delete belong to its row, elsewhere to the window."""

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QLineEdit, QListWidget, QVBoxLayout, QWidget

from cvrl_napari.gui.list_keys import ListKeys

pytestmark = pytest.mark.gui


def test_a_key_of_the_list_is_its_own_where_the_list_has_the_focus(qtbot: QtBot):
    window, rows, elsewhere, heard = QWidget(), QListWidget(), QLineEdit(), []
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    layout.addWidget(rows)
    layout.addWidget(elsewhere)
    rows.addItems(["one", "two"])
    QShortcut(QKeySequence("F2"), window, lambda: heard.append("window"))
    ListKeys(rows, {Qt.Key.Key_F2: lambda: heard.append("rename"), Qt.Key.Key_Delete: lambda: heard.append("delete")})
    with qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    rows.setFocus()
    qtbot.waitUntil(rows.hasFocus)
    qtbot.keyClick(rows, Qt.Key.Key_F2)
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    qtbot.keyClick(rows, Qt.Key.Key_Delete, Qt.KeyboardModifier.ShiftModifier)
    assert heard == ["rename", "delete"]
    qtbot.keyClick(rows, Qt.Key.Key_Down)  # its other keys stay as they were
    assert rows.currentRow() == 1
    elsewhere.setFocus()
    qtbot.waitUntil(elsewhere.hasFocus)
    qtbot.keyClick(elsewhere, Qt.Key.Key_F2)
    assert heard == ["rename", "delete", "window"]
