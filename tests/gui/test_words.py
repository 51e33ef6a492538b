"""Times and progress as a person says them."""

import pytest

from cvrl_napari.gui.training import Training
from cvrl_napari.gui.words import counted, duration, overlay_line, progress_line

pytestmark = pytest.mark.gui


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59, "59 s"), (59.9, "1 min"), (360, "6 min"), (3600, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations(seconds: float, words: str):
    assert duration(seconds) == words


def test_one_is_not_many():
    assert [counted(number, "voxel") for number in (0, 1, 2, 1234)] == ["0 voxels", "1 voxel", "2 voxels", "1,234 voxels"]


def test_progress_in_each_phase(qapp):
    training = Training(lambda event: True)
    training.step, training.total, training.seconds_left = 412, 2000, 90.0
    words = {}
    for phase in ("running", "paused", "stopping"):
        training.phase = phase
        words[phase] = progress_line(training)
    assert words == {
        "running": "412 / 2,000  2 min left",
        "paused": "412 / 2,000  paused",
        "stopping": "412 / 2,000  saving the model…",
    }


def test_the_overlay_line_speaks_of_strokes_on_their_way_first(qapp):
    training = Training(lambda event: True)
    assert overlay_line(training, None) == ""
    training.strokes_seen = 3
    assert overlay_line(training, 4.0) == "overlay updated 4 s ago · model has seen your 3 latest strokes"
    training.phase = "running"
    training.stroke("c")
    assert overlay_line(training, 4.0) == "overlay updated 4 s ago · new stroke on the way to the model"
