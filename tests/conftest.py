"""What every test stands on: settings of its own, a screen where there is none, the real scans next to the checkout."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cvrl_napari.config import AugmentConfig, ConsistencyConfig, ContrastConfig, NetConfig, OptimizerConfig, Plan

SHARED_DATA = Path(os.environ.get("CVRL_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SCREEN = "1600x1000x24"

# Before anything imports Qt or napari: nobody's own settings are touched, and touching a layer from another thread is an error.
_HOME = Path(tempfile.mkdtemp(prefix="cvrl-test-home-"))
os.environ.update(
    QT_API="pyside6",
    NAPARI_ENSURE_PLUGIN_MAIN_THREAD="1",
    NAPARI_CONFIG=str(_HOME / "napari" / "settings.yaml"),
    XDG_CONFIG_HOME=str(_HOME / "config"),
    XDG_DATA_HOME=str(_HOME / "data"),
    XDG_STATE_HOME=str(_HOME / "state"),
)


def _start_screen() -> subprocess.Popen[bytes] | None:
    """Start Xvfb on a free display where windows could not be shown otherwise; None where none is needed or to be had."""
    programs = [shutil.which("setpriv"), shutil.which("Xvfb")]
    if None in programs or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    readable, writable = os.pipe()
    # It dies with this process, however that ends, and not before: Qt ends the process whose screen goes away.
    command = [programs[0], "--pdeathsig", "TERM", programs[1], "-displayfd", str(writable), "-screen", "0", SCREEN]
    screen = subprocess.Popen(command, pass_fds=[writable], stderr=subprocess.DEVNULL)
    os.close(writable)
    with open(readable, "rb") as answer:  # noqa: PTH123 - a file descriptor has no path
        os.environ["DISPLAY"] = f":{answer.readline().decode().strip()}"
    return screen


def pytest_configure(config: pytest.Config) -> None:
    config.add_cleanup(lambda: shutil.rmtree(_HOME, ignore_errors=True))
    # Each worker of pytest-xdist has a screen of its own, so that their windows do not take the focus from each other.
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        config.stash[_screen] = _start_screen()


_screen = pytest.StashKey[subprocess.Popen[bytes] | None]()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scans; skips where a clone has none of it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real scans: shared/data is not next to the checkout")
    return SHARED_DATA


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """Return a function that makes the plan of a short run on the CPU, any field of which can be given."""

    def make(**changes: object) -> Plan:
        fields: dict[str, object] = {
            "method": "cvrl",
            "preset": "quick",
            "device": "cpu",
            "threads": 1,
            "precision": "float32",
            "seed": 0,
            "steps": 4,
            "spacing": (2.0, 2.0, 2.0),
            "patch_size": (16, 16, 16),
            "net": NetConfig(),
            "augment": AugmentConfig(),
            "contrast": ContrastConfig(low_voxel_weight=0.1, voxels=64, low_queue_size=256, high_queue_size=256),
            "consistency": ConsistencyConfig(),
            "optimizer": OptimizerConfig(),
            "labeled_cases": ("a",),
            "unlabeled_cases": ("b",),
        }
        return Plan.model_validate(fields | changes)

    return make
