"""The rooms of the house import each other downwards only, and each process loads only what it needs."""

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import nibabel
import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[1]
LISTED_WHEELS = {
    canonicalize_name(line) for line in (CHECKOUT / ".ci" / "bare-machine.txt").read_text().splitlines() if line[:1] != "#"
}
GUI_MODULES = {"qtpy", "PySide6", "PyQt6", "napari", "magicgui", "superqt", "vispy", "pyqtgraph"}


def modules_after(statements: str) -> set[str]:
    """Top-level names in `sys.modules` after a fresh interpreter ran `statements`."""
    program = f"{statements}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.splitlines()[-1].split())


HIDE_ALL_BUT_WHAT_IS_THERE = """
import sys
from importlib.metadata import packages_distributions

owned = packages_distributions()
hidden = {module for module, owners in owned.items() if not there & {owner.lower().replace("_", "-") for owner in owners}}

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name in hidden:
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)

sys.meta_path.insert(0, Hidden())
"""


def with_their_requirements(*names: str) -> set[str]:
    """Distributions and all that they require."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = [Requirement(line) for line in requires(name) or []]
            waiting += [canonicalize_name(one.name) for one in needed if not one.marker or one.marker.evaluate({"extra": ""})]
    return found


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
    loaded = modules_after("import cvrl_napari.cli.main, cvrl_napari.cli.benchmark")
    assert not loaded & {"SimpleITK", "sklearn", "platformdirs", *GUI_MODULES}


def test_torch_numpy_and_the_listed_wheels_are_enough_for_a_benchmark(tmp_path: Path) -> None:
    """What a machine without a package index lacks is made absent here; distances are the one thing loaded late."""
    mask = np.zeros((8, 8, 8), np.uint8)
    mask[2:5, 2:5, 2:5] = 1
    nibabel.save(nibabel.Nifti1Image(mask, np.eye(4)), tmp_path / "mask.nii.gz")
    loaded = modules_after(
        f"there = {with_their_requirements('torch', 'numpy') | LISTED_WHEELS | {'cvrl-napari'}!r}\n"
        f"{HIDE_ALL_BUT_WHAT_IS_THERE}\n"
        "import cvrl_napari.cli.main, cvrl_napari.cli.benchmark\n"
        "from cvrl_napari.engine.evaluate import evaluate\n"
        "from pathlib import Path\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "assert evaluate(folder, folder).cases[0].hd95_mm == 0"
    )
    assert "monai" in loaded


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
