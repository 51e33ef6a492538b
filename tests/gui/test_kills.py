"""Killed in the middle of painting: the study opens again, and what is older than five seconds is there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "bench_kills.py"


@pytest.mark.gui
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the painters are forked")
def test_ten_kills_lose_nothing_older_than_five_seconds():
    """The figures that count are those of 200 kills, in docs/benchmarks.md; this is the same script."""
    command = [sys.executable, str(SCRIPT), "--kills", "10", "--at-once", "3", "--seed", "1"]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stdout + done.stderr
