"""UMAP and t-SNE from the scatter: told before how long they take, told how far they are, and given up at any time."""

import time

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from cvrl_napari.engine.events import Progress
from cvrl_napari.gui.embeddings.jobs import Job

pytestmark = pytest.mark.gui


def test_how_long_a_projection_takes_is_told_before(dock):
    texts = [dock.scatter.method.itemText(row) for row in range(3)]
    assert texts[0] == "PCA"
    assert all(text.endswith((" s", " min")) for text in texts[1:])


def test_a_projection_that_is_canceled_leaves_pca(dock, qtbot):
    places = dock.cloud.places
    dock.scatter.method.setCurrentIndex(2)
    qtbot.waitUntil(lambda: dock.cloud.job.is_active)
    assert not dock.progress.isHidden()
    assert not dock.status.isHidden()
    QTest.mouseClick(dock.compute, Qt.MouseButton.LeftButton)
    assert not dock.cloud.job.is_active
    assert dock.scatter.method.currentText() == "PCA"
    assert dock.status.text() == "PCA stays."
    np.testing.assert_array_equal(dock.cloud.places, places)


def test_points_that_would_leave_the_view_take_it_along(dock, qtbot):
    plot, places = dock.scatter.plot, dock.cloud.places
    before = plot._box.viewRange()
    plot.set_places(places[::-1], smoothly=True)
    assert plot._box.viewRange() == before, "all stay in view: it stands still"
    plot.set_places(5 * places + 3, smoothly=True)
    assert plot._inside(5 * places + 3).all()


def test_the_time_left_is_reckoned_from_the_first_progress(qtbot, monkeypatch):
    """UMAP compiles for half a minute before its first step: that must not be taken for its pace."""
    now = [1_000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    job = Job()
    job._first = None
    told = []
    for after, done in ((30, 10), (10, 30), (10, 50)):
        now[0] += after
        job._on_event(Progress(what="Projecting", done=done, total=100))
        told.append(job.words)
    assert told == ["Projecting", "Projecting, 35 s left", "Projecting, 25 s left"]
