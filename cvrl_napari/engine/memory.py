"""Memory that a job gives back and takes again at each step."""

import ctypes
import platform
import sys
from pathlib import Path

import psutil

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
"""M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX of glibc's malloc.h; mallopt(3)."""
_PAD_BYTES = 64 * 2**20
"""Taken from the system at a time: large enough that one call seldom follows another."""


def keep_freed_memory() -> bool:
    """Let this process keep what it frees for its next allocation, instead of giving it back to the system; glibc only.

    The maps of a training step are tens of megabytes each. The C library would ask the system for each of them anew, which
    hands over zeros page by page: a fifth of a step of the V-Net is spent there. The process stays as large as it once was,
    so this is for the processes of jobs, which end with them, and not for a viewer.

    Returns
    -------
    bool
        Whether it is done from now on; elsewhere than on glibc nothing is changed.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return all(mallopt(option, value) for option, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1), (_TOP_PAD, _PAD_BYTES)))


def most_held(device: str) -> int:
    """Return the most bytes that this process has held so far, of the graphics card where `device` is 'cuda'."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_reserved()
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    if sys.platform == "linux":  # what getrusage says includes the parent's memory at the time of the fork
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
