"""A run that is under way is found; one whose process has died, or whose number was given again, is not taken for it."""

import subprocess
import sys
from pathlib import Path

import pytest

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.events import RunFailed
from cvrl_napari.engine.process_record import SAME_START_S, ProcessRecord
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.engine.run_process import announce, is_alive, live_run, process_of, refuse_if_alive, withdraw
from cvrl_napari.engine.train import train
from cvrl_napari.study.study import Study


def test_a_run_is_alive_between_announcing_and_withdrawing(tmp_path: Path):
    run = tmp_path / "runs" / "one"
    assert not is_alive(run)
    announce(run)
    assert is_alive(run)
    assert live_run(tmp_path / "runs") == run
    with pytest.raises(EngineError, match=r"The run one is still under way \(process \d+\)"):
        refuse_if_alive(run)
    withdraw(run)
    withdraw(run)
    assert not is_alive(run)
    assert live_run(tmp_path / "runs") is None
    refuse_if_alive(run)


def test_a_process_that_has_died_is_not_alive_though_its_record_is_there(tmp_path: Path):
    program = (
        f"from pathlib import Path; from cvrl_napari.engine.run_process import announce; announce(Path({str(tmp_path)!r}))"
    )
    with subprocess.Popen([sys.executable, "-c", f"{program}; input()"], stdin=subprocess.PIPE) as child:
        while not is_alive(tmp_path):
            assert child.poll() is None
        assert process_of(tmp_path).process().pid == child.pid
        child.kill()
    assert process_of(tmp_path).is_here
    assert not is_alive(tmp_path)


@pytest.mark.parametrize(
    "change",
    [{"host": "another-computer"}, {"started": ProcessRecord.own().started - 2 * SAME_START_S}, {"pid": 2**31 - 1}],
)
def test_another_process_is_not_taken_for_the_run(tmp_path: Path, change: dict):
    record = ProcessRecord.own().model_copy(update=change)
    RunFolder(tmp_path).process.write_text(record.model_dump_json())
    assert process_of(tmp_path) == record
    assert not is_alive(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"pid": -1, "started": 0, "host": ""}', b"\xff" * 10_000])
def test_a_damaged_record_is_none(tmp_path: Path, content: bytes):
    RunFolder(tmp_path).process.write_bytes(content)
    assert process_of(tmp_path) is None
    assert not is_alive(tmp_path)


def test_a_run_under_way_is_not_taken_up_a_second_time(ball_study: Study, tmp_path: Path):
    announce(tmp_path)
    (told,) = train(ball_study, TrainRequest(device="cpu"), resume=tmp_path)
    assert isinstance(told, RunFailed)
    assert "is still under way" in told.message
