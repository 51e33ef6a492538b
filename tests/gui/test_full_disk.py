"""The disk fills while somebody paints: it is said, nothing on disk is lost, and the painting is saved once there is room."""

import os
import subprocess
import sys

import pytest

from cvrl_napari.study.study import Study

PAINTS_ON_A_FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
import cvrl_napari.gui.autosave as autosave
from cvrl_napari.gui.session import Session

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
application = QApplication([])
autosave.RETRY_MS = 100
session = Session(ViewerModel())
session.training.get_ready = lambda: None
said = []
session.noticed.connect(lambda sentence, hint, _: said.append((sentence, hint)))

def wait(condition):
    while not condition():
        application.processEvents()

session.open_study(Path(sys.argv[1]))
wait(lambda: session.case == "c")
session.open_case("a")
wait(lambda: session.case == "a")
before = session.study.read_labels("a").copy()
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (60, hard))
painted = np.random.default_rng(0).integers(0, 3, before.shape).astype(np.uint8)
session.painting.bring({1, 2}, painted, complete=False)
assert not session.save_now()
assert np.array_equal(session.study.read_labels("a"), before)
wait(lambda: any("could not be saved" in one or "Cannot write" in one for one, _ in said))
print([one for one in said if one[0]][-1])
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
wait(lambda: not session.painting.pending)
assert np.array_equal(session.study.read_labels("a"), painted)
assert said[-1][0] == ""
session.shut_down()
print("saved")
"""


@pytest.mark.gui
@pytest.mark.skipif(sys.platform == "win32", reason="limits a file's size by a means of Unix")
def test_a_full_disk_is_said_and_what_was_painted_is_saved_when_there_is_room(ball_study: Study):
    ball_study.close()
    command = [sys.executable, "-c", PAINTS_ON_A_FULL_DISK, str(ball_study.folder)]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "free some space" in done.stdout
    assert "saving is tried again" in done.stdout
    assert done.stdout.endswith("saved\n")
