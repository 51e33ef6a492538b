"""What is handed over reaches the disk, the newest of a case last, and what fails is kept."""

from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from cvrl_napari.gui.autosave import Autosave
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui
SHAPE = (12, 20, 16)


def labels_with(value: int) -> np.ndarray:
    labels = np.zeros(SHAPE, np.uint8)
    labels[5, 5, 5] = value
    return labels


def test_one_write_for_many_strokes(ball_study: Study, qtbot: QtBot, monkeypatch):
    monkeypatch.setattr("cvrl_napari.gui.autosave.REST_MS", 50)
    asked = []

    def snapshot():
        asked.append(1)
        return "c", labels_with(1), None

    autosave = Autosave(ball_study, snapshot)
    with qtbot.waitSignal(autosave.saved):
        for _ in range(5):
            autosave.touch()
        assert autosave.pending
    assert len(asked) == 1
    assert not autosave.pending
    assert ball_study.read_labels("c")[5, 5, 5] == 1


def test_the_newest_snapshot_of_a_case_wins_and_other_cases_are_written_too(ball_study: Study, qtbot: QtBot):
    autosave = Autosave(ball_study, lambda: None)
    for value in (1, 2, 1, 2):
        autosave.keep(("c", labels_with(value), None))
    autosave.keep(("d", labels_with(1), "complete"))
    assert autosave.flush()
    assert ball_study.read_labels("c")[5, 5, 5] == 2
    assert ball_study.read_labels("d")[5, 5, 5] == 1
    assert ball_study.case("d").state == "complete"


def test_a_failure_is_told_and_the_labels_are_written_when_they_can_be(ball_study: Study, qtbot: QtBot, monkeypatch):
    monkeypatch.setattr("cvrl_napari.gui.autosave.RETRY_MS", 50)
    autosave = Autosave(ball_study, lambda: ("c", labels_with(2), None))
    folder: Path = ball_study.folder / "labels"
    hidden = folder.rename(folder.with_name("hidden"))
    folder.write_text("not a folder")
    autosave.touch()
    with qtbot.waitSignal(autosave.failed) as failed:
        assert not autosave.flush()
    assert failed.args[0] == "c"
    assert autosave.pending
    folder.unlink()
    hidden.rename(folder)
    autosave.write()
    with qtbot.waitSignal(autosave.saved):
        pass
    assert ball_study.read_labels("c")[5, 5, 5] == 2


def test_what_is_painted_is_in_the_journal_before_it_is_saved(ball_study: Study, qtbot: QtBot, monkeypatch):
    monkeypatch.setattr("cvrl_napari.gui.autosave.REST_MS", 60_000)
    monkeypatch.setattr("cvrl_napari.gui.autosave.LONGEST_MS", 60_000)
    labels = labels_with(1)
    autosave = Autosave(ball_study, lambda: ("c", labels, None), on_view=lambda: ("c", labels))
    note = ball_study.folder / "journal" / "c.safetensors"
    autosave.touch()
    qtbot.waitUntil(note.exists)
    assert ball_study.read_labels("c") is None or ball_study.read_labels("c")[5, 5, 5] != 1
    assert autosave.flush()
    qtbot.waitUntil(lambda: not note.exists())
    assert ball_study.read_labels("c")[5, 5, 5] == 1
    labels[6, 6, 6] = 2
    autosave.touch()
    qtbot.waitUntil(note.exists)
    autosave.close()
    ball_study.close()
    with Study.open(ball_study.folder) as again:
        assert again.read_labels("c")[6, 6, 6] == 2
