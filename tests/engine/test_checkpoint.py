"""A checkpoint gives back exactly what was put in."""

import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from cvrl_napari.engine.checkpoint import load_checkpoint, save_checkpoint
from cvrl_napari.engine.errors import EngineError


def test_a_state_comes_back_bit_for_bit(tmp_path):
    state = {
        "weights": {"a.b": torch.randn(3, 4), "count": torch.tensor(7)},
        "optimizer": {
            "state": {0: {"step": torch.tensor(2.0)}, 3: {"exp_avg": torch.randn(2)}},
            "param_groups": [{"betas": (0.9, 0.99)}],
        },
        "loader": {"order": np.arange(5), "generator": np.random.default_rng(3).bit_generator.state},
        "labeled": ["x", "y"],
        "nothing": None,
    }
    save_checkpoint(tmp_path / "state.safetensors", state)
    back = load_checkpoint(tmp_path / "state.safetensors")
    assert torch.equal(back["weights"]["a.b"], state["weights"]["a.b"])
    assert back["weights"]["count"].item() == 7
    assert torch.equal(back["optimizer"]["state"][3]["exp_avg"], state["optimizer"]["state"][3]["exp_avg"])
    assert np.array_equal(back["loader"]["order"], np.arange(5))
    assert back["loader"]["generator"] == state["loader"]["generator"]
    assert (back["labeled"], back["nothing"]) == (["x", "y"], None)


def test_tensors_that_share_memory_are_kept_apart(tmp_path):
    shared = torch.arange(6.0)
    save_checkpoint(tmp_path / "s", {"all": shared, "part": shared[2:4]})
    assert load_checkpoint(tmp_path / "s")["part"].tolist() == [2.0, 3.0]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\xff" * 64])
def test_a_broken_checkpoint_is_answered_with_a_sentence(tmp_path, content):
    (tmp_path / "state").write_bytes(content)
    with pytest.raises(EngineError, match="can't be read"):
        load_checkpoint(tmp_path / "state")


def test_a_truncated_checkpoint_is_answered_with_a_sentence(tmp_path):
    save_checkpoint(tmp_path / "state", {"a": torch.randn(100)})
    data = (tmp_path / "state").read_bytes()
    (tmp_path / "state").write_bytes(data[: len(data) // 2])
    with pytest.raises(EngineError, match="can't be read"):
        load_checkpoint(tmp_path / "state")


def test_a_kill_while_writing_leaves_the_former_checkpoint_and_the_next_one_clears_up(tmp_path):
    path = tmp_path / "state.safetensors"
    save_checkpoint(path, {"step": 1})
    child = """
import os, signal, sys
from pathlib import Path
from cvrl_napari.engine.checkpoint import save_checkpoint
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
save_checkpoint(Path(sys.argv[1]), {"step": 2})
"""
    assert subprocess.run([sys.executable, "-c", child, str(path)], check=False).returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) == 2
    assert load_checkpoint(path) == {"step": 1}
    save_checkpoint(path, {"step": 3})
    assert list(tmp_path.iterdir()) == [path]
