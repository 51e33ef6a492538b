import pytest
import torch

from cvrl_napari.engine.device import available_cores, describe_devices, pick, set_threads
from cvrl_napari.engine.errors import EngineError


def test_there_is_always_a_cpu_with_memory_and_cores():
    (cpu,) = (device for device in describe_devices() if device.kind == "cpu")
    assert cpu.name
    assert cpu.memory_bytes > 2**28
    assert 1 <= cpu.cores == available_cores()
    assert pick("cpu") == cpu


def test_auto_takes_a_gpu_where_there_is_one():
    assert pick("auto").kind == ("cuda" if torch.cuda.is_available() else "cpu")
    assert torch.zeros(1, device=pick("auto").torch_device).device.type == pick("auto").kind


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is an NVIDIA GPU here")
def test_a_device_that_is_not_here_is_answered_with_a_sentence():
    with pytest.raises(EngineError) as caught:
        pick("cuda")
    assert "NVIDIA GPU" in caught.value.message
    assert "auto" in caught.value.hint


def test_threads_are_set():
    before = torch.get_num_threads()
    try:
        assert set_threads(1) == torch.get_num_threads() == 1
        assert set_threads(0) == torch.get_num_threads() == available_cores()
    finally:
        torch.set_num_threads(before)
