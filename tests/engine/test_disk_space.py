"""A full disk lets a run wait, and go on when there is space again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cvrl_napari.engine import events as ev
from cvrl_napari.engine.disk_space import has_space, is_disk_full
from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.storage import write_or_explain

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a limit to the size of files is POSIX's")

SMALL_DISK = """
import resource, sys
from pathlib import Path
from queue import SimpleQueue
import cvrl_napari.engine.train as engine
from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.commands import View
from cvrl_napari.engine.events import Paused, StepDone
from cvrl_napari.study.study import Study

engine.LOOK_FOR_SPACE_S = 0.05
engine.CHECKPOINT_SHARE = float("inf")
study = Study.open(Path(sys.argv[1]), read_only=True)
plan = engine.resolve(study, TrainRequest(device="cpu", steps=4, threads=1), engine.pick("cpu"))
inbox = SimpleQueue()
inbox.put(View(case="c"))
for event in engine.train(study, plan.model_copy(update={"checkpoint_seconds": 1e-9}), inbox=inbox):
    print(event.line(), flush=True)
    if isinstance(event, StepDone) and event.step == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, -1))
    if isinstance(event, Paused):
        resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
"""


def test_a_full_disk_lets_the_run_wait_and_it_goes_on_by_itself(ball_study):
    command = [sys.executable, "-c", SMALL_DISK, str(ball_study.folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
    told = [ev.parse_event(line) for line in ran.stdout.splitlines()]
    assert told, ran.stderr[-2000:]
    kinds = [event.kind for event in told if event.kind in ("adjusted", "paused", "resumed", "done")]
    assert kinds == ["adjusted", "paused", "resumed", "done"], ran.stderr[-2000:]
    (adjusted,) = [event for event in told if isinstance(event, ev.Adjusted)]
    assert "The disk is full: the training waits" in adjusted.why
    assert [event.step for event in told if isinstance(event, ev.StepDone)] == [1, 2, 3, 4]
    recorded = (Path(told[-1].run) / "events.jsonl").read_text().splitlines()
    assert [line for line in recorded if line] == ran.stdout.splitlines()  # nothing was lost meanwhile


def test_a_full_disk_is_known_also_from_its_sentence(tmp_path):
    def fail(_path):
        raise OSError(28, "No space left on device")

    with pytest.raises(StudyError) as sentence:
        write_or_explain(tmp_path / "file", fail)
    assert is_disk_full(sentence.value)
    assert not is_disk_full(PermissionError(13, "Permission denied"))
    assert not is_disk_full(StudyError("something else"))


def test_space_is_tried_out_and_nothing_is_left_of_the_attempt(tmp_path):
    assert has_space(tmp_path, 10_000)
    assert not has_space(tmp_path, 2**60)
    assert not has_space(tmp_path / "nowhere", 1)
    assert list(tmp_path.iterdir()) == []
