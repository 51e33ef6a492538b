"""Damaged files of every format, read in a process of their own: see fuzz_readers.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

MUTATIONS = int(os.environ.get("CVRL_FUZZ_MUTATIONS", "2000"))
SEED = int(os.environ.get("CVRL_FUZZ_SEED", "0"))
FUZZER = Path(__file__).with_name("fuzz_readers.py")


def test_a_damaged_file_is_opened_or_refused_with_a_sentence_in_little_time_and_memory(tmp_path):
    program = [sys.executable, FUZZER, tmp_path, str(MUTATIONS), str(SEED)]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    current = tmp_path / "current"
    assert done.returncode == 0, f"ended at {current.read_text() if current.exists() else 'the start'}: {done.stderr[-3000:]}"
    *wrong, totals = [json.loads(line) for line in done.stdout.splitlines()]
    assert not wrong
    assert sum(totals["counts"].values()) >= MUTATIONS
    for kind in totals["formats"]:  # else the mutations are too mild or too wild to tell anything
        assert totals["counts"].get(f"{kind}: opened", 0) > MUTATIONS / 500
        assert totals["counts"].get(f"{kind}: refused", 0) > MUTATIONS / 500
