"""The scripted demonstration, from a real click to the printed Dice."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cvrl_napari.study.phantom import create_phantom

pytestmark = [pytest.mark.gui, pytest.mark.slow]


def test_the_scripted_demonstration_measures_and_leaves(tmp_path: Path):
    folder = tmp_path / "study"
    create_phantom(folder, size=0.4).close()
    command = [sys.executable, "-m", "cvrl_napari.gui.demo", "--folder", str(folder), "--minutes", "0.2", "--scripted"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr
    assert re.search(r"first overlay: \d+\.\d$", run.stdout, re.MULTILINE)
    assert re.search(r"labels only \(\d+ steps\): [01]\.\d{3}$", run.stdout, re.MULTILINE)
    assert re.search(r"CVRL \(\d+ steps\): [01]\.\d{3}$", run.stdout, re.MULTILINE)
    assert (folder / "demo.png").stat().st_size > 10_000
