"""What is installed, which devices there are, and what will run here, in lines that can be pasted into a bug report."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

PACKAGES = ("cvrl-napari", "torch", "monai", "napari", "npe2", "numpy", "nibabel", "SimpleITK", "pydicom")
QT_BINDINGS = ("PySide6", "PyQt6", "PyQt5", "PySide2")
NAPARI_SECONDS = 120
GB = 1e9


def examine() -> Iterator[str]:
    """Yield one line a finding; a line that starts with '!' says what is wrong and what to do."""
    yield f"{platform.platform()}, Python {platform.python_version()}"
    for name in PACKAGES:
        yield _package(name)
    memory = psutil.virtual_memory()
    yield f"Memory: {memory.available / GB:.1f} GB free of {memory.total / GB:.1f} GB"
    yield f"Disk here: {shutil.disk_usage(Path.cwd()).free / GB:.1f} GB free"
    yield from _devices()
    yield from _screen()


def _package(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"! {name} is not installed: pip install {name}"


def _devices() -> Iterator[str]:
    import torch

    from cvrl_napari.engine.device import describe_devices, pick

    for device in describe_devices():
        yield f"Device {device.kind}: {device.name}, {device.memory_bytes / GB:.1f} GB, {device.cores} CPU cores"
    cards = nvidia_cards()
    if cards and not torch.cuda.is_available():
        build = "is the CPU-only build" if torch.version.cuda is None else f"for CUDA {torch.version.cuda} cannot use it"
        yield (
            f"! There is an NVIDIA card ({', '.join(cards)}) but the installed PyTorch {build}: "
            "install the one for your card and driver from https://pytorch.org/get-started/locally/"
        )
    chosen = pick("auto")
    yield f"Training and prediction will run on: {chosen.kind} ({chosen.name})"


def nvidia_cards() -> list[str]:
    """Return the names of the NVIDIA cards that the driver knows, whether or not PyTorch can use them."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    answer = subprocess.run([program, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False)
    return answer.stdout.split("\n")[:-1] if answer.returncode == 0 else []


def _screen() -> Iterator[str]:
    """Ask napari in a process of its own: Qt aborts its process where it finds no screen."""
    if not any(_is_installed(name) for name in QT_BINDINGS):
        yield "! No Qt is installed, so napari cannot open: pip install 'cvrl-napari[qt]' (training and prediction do without)"
        return
    try:
        answer = subprocess.run(
            [sys.executable, "-m", "napari", "--info"], capture_output=True, text=True, timeout=NAPARI_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        yield f"! napari did not answer within {NAPARI_SECONDS} s: run 'napari --info' to see why"
        return
    lines = [line.strip(" -") for line in answer.stdout.splitlines()]
    graphics = [line for line in lines if line.startswith(("Qt:", "PySide", "PyQt", "GL version", "MAX_TEXTURE"))]
    yield from graphics
    if answer.returncode != 0 or not graphics:
        reasons = (line.removeprefix("WARNING:").strip() for line in answer.stderr.splitlines() if "could not" in line.lower())
        reason = next((words for words in reasons if "DPI" not in words), "no reason given")
        yield f"! napari cannot open a window here ({reason}): training and prediction do without one"


def _is_installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
