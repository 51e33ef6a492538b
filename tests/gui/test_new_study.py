"""Where a new study is suggested, and what the dialog needs before it lets go."""

import os
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from cvrl_napari.gui import new_study
from cvrl_napari.gui.new_study import NewStudyDialog, default_study_folder

pytestmark = pytest.mark.gui


def test_beside_the_scans_and_never_over_something(tmp_path: Path):
    (tmp_path / "mri").mkdir()
    assert default_study_folder(tmp_path / "mri") == tmp_path / "mri-study"
    (tmp_path / "mri-study").mkdir()
    assert default_study_folder(tmp_path / "mri") == tmp_path / "mri-study-2"


def test_not_where_nothing_may_be_written(tmp_path: Path, monkeypatch):
    """Asked of the file system by `os.access`, which says yes to everything for an administrator: so it is told here."""
    scans, documents = tmp_path / "archive" / "mri", tmp_path / "documents"
    scans.mkdir(parents=True)
    documents.mkdir()
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) == documents)
    monkeypatch.setattr(new_study, "user_documents_path", lambda: documents)
    assert default_study_folder(scans) == documents / "mri-study"


def test_it_asks_for_names_before_it_lets_go(tmp_path: Path, qtbot: QtBot):
    dialog = NewStudyDialog([tmp_path])
    qtbot.addWidget(dialog)
    make = dialog.buttons.button(dialog.buttons.StandardButton.Ok)
    assert not make.isEnabled()
    qtbot.keyClicks(dialog.classes_edit, " left atrium,, wall ")
    assert make.isEnabled()
    assert dialog.classes == ["left atrium", "wall"]
    assert dialog.scans == (tmp_path,)
