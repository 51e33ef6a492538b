"""The rooms of the house import each other downwards only, and each process loads only what it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
GUI_MODULES = {"qtpy", "PySide6", "PyQt6", "napari", "magicgui", "superqt", "vispy", "pyqtgraph"}


def modules_after(statements: str) -> set[str]:
    """Top-level names in `sys.modules` after a fresh interpreter ran `statements`."""
    program = f"{statements}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.splitlines()[-1].split())


def modules_of(room: str) -> list[str]:
    """Names of all modules of a room."""
    files = sorted((CHECKOUT / "cvrl_napari" / room).rglob("*.py"))
    return [".".join(file.relative_to(CHECKOUT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def test_contracts_between_the_rooms_are_kept() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([program, "--no-cache"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout


def test_training_loads_no_window() -> None:
    loaded = modules_after("import cvrl_napari.engine.train")
    assert "torch" in loaded
    assert not loaded & GUI_MODULES


def test_training_starts_without_the_slow_libraries() -> None:
    assert not modules_after("import cvrl_napari.engine.train") & {"monai", "sklearn", "pandas", "skimage"}


def test_a_benchmark_on_nifti_scans_does_without_windows_and_simpleitk() -> None:
    """docs/benchmarks.md lists what a machine without a network needs: nothing else is imported."""
    loaded = modules_after("import cvrl_napari.cli.main, cvrl_napari.cli.benchmark")
    assert not loaded & {"SimpleITK", "sklearn", "platformdirs", *GUI_MODULES}


def test_the_viewer_process_loads_no_torch() -> None:
    loaded = modules_after("\n".join(f"import {name}" for name in modules_of("gui")))
    assert "napari" in loaded
    assert not loaded & {"torch", "monai"}


@pytest.mark.parametrize("room", ["volumes", "study"])
def test_a_study_is_read_without_torch_and_window(room: str) -> None:
    loaded = modules_after("\n".join(f"import {name}" for name in modules_of(room)))
    assert not loaded & {"torch", "monai", *GUI_MODULES}


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["--version"]])
def test_help_loads_neither_torch_nor_a_window(arguments: list[str]) -> None:
    loaded = modules_after(
        f"import sys; sys.argv = ['cvrl', *{arguments}]\n"
        "from cvrl_napari.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as leaving:\n    assert not leaving.code"
    )
    assert "cvrl_napari" in loaded
    assert not loaded & {"torch", "monai", "numpy", *GUI_MODULES}
