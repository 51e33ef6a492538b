"""What a user installs: a wheel, in an environment of its own, without the checkout."""

import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    """Standard output of a command that must succeed."""
    answer = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, f"{command}\n{answer.stdout}\n{answer.stderr}"
    return answer.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run(*pip, "--wheel-dir", folder, CHECKOUT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a new environment's programs; it has the wheel, and borrows the libraries but not the checkout of this one."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=sys.platform != "win32")
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = programs / Path(sys.executable).name
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip())
    # A folder named in a .pth file lends its packages but has its own .pth files, the editable install's too, left unread.
    (site / "borrowed.pth").write_text("\n".join(sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})))
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--ignore-installed"]
    run(*pip, wheel, cwd=folder)
    return programs


def test_the_wheel_carries_resources_manifest_and_types(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    shipped = {
        f"cvrl_napari/{path.relative_to(CHECKOUT).as_posix()}" for path in (CHECKOUT / "resources").rglob("*") if path.is_file()
    }
    assert shipped
    assert shipped | {"cvrl_napari/napari.yaml", "cvrl_napari/py.typed"} <= names
    assert not [name for name in names if name.startswith("tests/")]


def test_the_manifest_at_the_top_is_the_package_s() -> None:
    assert (CHECKOUT / "napari.yaml").read_bytes() == (CHECKOUT / "cvrl_napari" / "napari.yaml").read_bytes()


def test_the_checkout_s_resources_are_found() -> None:
    from cvrl_napari.resources import find_resource

    assert find_resource("icon.svg") == CHECKOUT / "resources" / "icon.svg"
    with pytest.raises(FileNotFoundError, match=r"resources/nothing\.svg is missing"):
        find_resource("nothing.svg")


@pytest.mark.slow
def test_an_installed_wheel_stands_without_the_checkout(installed: Path) -> None:
    program = "from cvrl_napari.resources import find_resource; print(find_resource('icon.svg'))"
    found = run(installed / Path(sys.executable).name, "-c", program, cwd=installed)
    assert Path(found.strip()).is_relative_to(installed.parent)
    assert run(installed / "cvrl", "--version", cwd=installed).strip() == run_version()


def run_version() -> str:
    from cvrl_napari import __version__

    return __version__


@pytest.mark.slow
def test_npe2_finds_the_installed_manifest_valid(installed: Path) -> None:
    assert "valid" in run(installed / Path(sys.executable).name, "-m", "npe2", "validate", "cvrl_napari", cwd=installed)
