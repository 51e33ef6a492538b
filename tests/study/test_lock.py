import os
import subprocess
import sys

import pytest

from cvrl_napari.study.errors import LockedError, StudyError
from cvrl_napari.study.study import Study

HOLDER = """
import sys
from cvrl_napari.study.study import Study
study = Study.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""

PAINTER = """
import sys
import numpy as np
from cvrl_napari.study.study import Study
study = Study.open(sys.argv[1])
labels = np.zeros((4, 5, 6), np.uint8)
labels[1, 1, 1] = 1
study.write_labels("scan_2", labels)
print("painted", flush=True)
sys.stdin.read()
"""


def test_a_second_window_is_told_who_holds_the_study(study):
    with pytest.raises(LockedError, match=f"process {os.getpid()} on .* since "):
        Study.open(study.folder)


def test_reading_needs_no_lock(study, stroke):
    with Study.open(study.folder, read_only=True) as reader:
        assert reader.cases == study.cases
        with pytest.raises(StudyError, match="reading only"):
            reader.write_labels("scan_1", stroke)
    study.write_labels("scan_1", stroke)  # the reader has not taken the writer's lock away


def test_a_closed_study_can_be_opened_again_and_no_longer_written_by_the_old_one(study):
    study.close()
    with pytest.raises(StudyError, match="reading only"):
        study.set_held_out("scan_1", True)
    Study.open(study.folder).close()


def test_the_lock_of_a_killed_process_is_free(study):
    study.close()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, study.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LockedError, match=f"process {holder.pid}"):
            Study.open(study.folder)
        holder.kill()
    Study.open(study.folder).close()


def test_what_a_killed_process_had_saved_is_said_when_the_study_opens_again(study, stroke):
    study.close()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, study.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        holder.kill()
    with Study.open(study.folder) as opened:
        assert opened.notice == ""  # nothing was painted in that session
    with subprocess.Popen(
        [sys.executable, "-c", PAINTER, study.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as painter:
        assert painter.stdout.readline() == "painted\n"
        painter.kill()
    with Study.open(study.folder) as opened:
        assert "ended unexpectedly;" in opened.notice
        assert "your painting of 'scan_2'" in opened.notice
    with Study.open(study.folder) as opened:
        assert opened.notice == ""
