"""What the program can compute on here, and which of it a job gets."""

import os
import platform
from dataclasses import dataclass
from typing import Literal

import psutil
import torch

from cvrl_napari.config import DeviceName, Plan
from cvrl_napari.engine.errors import EngineError


@dataclass(frozen=True)
class DeviceInfo:
    """One device.

    Attributes
    ----------
    memory_bytes : int
        Of the device, all of it; for 'cpu' and 'mps' the main memory.
    cores : int
        CPU cores this process may use.
    bfloat16 : bool
        Whether the device computes in bfloat16 faster than in float32.
    """

    kind: Literal["cpu", "cuda", "mps"]
    name: str
    memory_bytes: int
    cores: int
    bfloat16: bool

    @property
    def torch_device(self) -> torch.device:
        """The device as torch names it."""
        return torch.device(self.kind)


def describe_devices() -> list[DeviceInfo]:
    """Return what can be computed on here, the fastest first; the CPU is always there and last."""
    cores = available_cores()
    memory = psutil.virtual_memory().total
    devices = []
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(torch.cuda.current_device())
        fast_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
        devices.append(DeviceInfo("cuda", card.name, card.total_memory, cores, fast_bfloat16))
    devices.append(DeviceInfo("cpu", platform.processor() or platform.machine(), memory, cores, False))
    if torch.backends.mps.is_available():
        # After the CPU: 3D convolutions are slower on MPS (pytorch#178492).
        devices.append(DeviceInfo("mps", "Apple GPU", memory, cores, False))
    return devices


def pick(name: DeviceName = "auto") -> DeviceInfo:
    """Return the device of that name; 'auto' takes an NVIDIA GPU where there is one, else the CPU.

    Raises
    ------
    EngineError
        If that device is not here.
    """
    devices = describe_devices()
    if name == "auto":
        return devices[0]
    for device in devices:
        if device.kind == name:
            return device
    what = {"cuda": "an NVIDIA GPU (cuda)", "mps": "an Apple GPU (mps)"}.get(name, f"'{name}'")
    why = " because the installed PyTorch is the CPU-only build" if name == "cuda" and torch.version.cuda is None else ""
    raise EngineError(f"This program cannot compute on {what} here{why}.", "Choose 'auto', or see `cvrl doctor`.")


def available_cores() -> int:
    """Return the CPU cores this process may use, which a cluster or container may have limited."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spare_cores(plan: Plan) -> int:
    """Return the cores beside a training on which its batches and scans may be made.

    A training on one thread always shares; OpenMP threads that wait for each other while another thread has the core of one of
    them come to a crawl.
    """
    if plan.device == "cuda":
        return max(1, available_cores() - 1)
    return max(available_cores() - plan.threads, 1 if plan.threads == 1 else 0)


def set_threads(threads: int) -> int:
    """Let torch compute on so many CPU threads, 0 for all cores; returns the number."""
    chosen = threads or available_cores()
    torch.set_num_threads(chosen)
    return chosen
