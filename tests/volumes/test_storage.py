import os
import signal
import subprocess
import sys

import pytest

from cvrl_napari.volumes.storage import atomic_path


def test_the_new_file_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "labels.nii.gz"
    path.write_text("old")
    with atomic_path(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
        assert temporary.name.endswith(".nii.gz")
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "labels.nii"
    path.write_text("old")

    def interrupted() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "nowhere" / "labels.nii"):
        pass


@pytest.mark.skipif(os.name == "nt", reason="permissions and links of POSIX")
def test_permissions_are_those_of_the_folder_or_of_the_old_file(tmp_path):
    path, link = tmp_path / "labels.nii", tmp_path / "link.nii"
    mask = os.umask(0o022)
    try:
        with atomic_path(path) as temporary:
            temporary.write_text("new")
    finally:
        os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o644
    path.chmod(0o664)
    link.symlink_to(path)
    with atomic_path(link) as temporary:
        temporary.write_text("newer")
    assert link.is_symlink()
    assert path.read_text() == "newer"
    assert path.stat().st_mode & 0o777 == 0o664


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "labels.nii"
    path.write_text("old")
    program = """if True:
        import sys, time
        from pathlib import Path
        from cvrl_napari.volumes.storage import atomic_path
        with atomic_path(Path(sys.argv[1])) as temporary:
            temporary.write_text("half")
            print("written", flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.send_signal(signal.SIGKILL)
    assert path.read_text() == "old"
