"""The splits that come with the program, and how they meet the files."""

import json
import shutil

import pytest

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.protocols import PROTOCOLS, load_protocol, locate


@pytest.mark.parametrize(("name", "training", "test"), [("left-atrium", 60, 20), ("hippocampus", 140, 60)])
def test_the_protocols_are_the_documented_splits(name, training, test):
    protocol = load_protocol(name)
    assert (len(protocol.training), len(protocol.test)) == (training, test)
    assert not set(protocol.training) & set(protocol.test)
    assert set(protocol.scales) == {"full", "half"}
    for scale in ("full", "half"):
        assert all(mm > 0 for mm in protocol.scale(scale).spacing)
    half, full = protocol.scale("half").spacing, protocol.scale("full").spacing
    assert half == tuple(2 * mm for mm in full)


def test_the_full_left_atrium_is_the_papers():
    scale = load_protocol("left-atrium").scale("full")
    assert (scale.patch_size, scale.paper_window_stride) == ((80, 112, 112), (4, 18, 18))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_splits_fit_the_real_data(shared_data, name):
    protocol = load_protocol(name)
    files = locate(protocol, shared_data)
    assert len(files.training) == len(protocol.training)
    if name == "left-atrium":
        order = (shared_data / "left_atrium" / "train.list").read_text().split()
        assert (list(protocol.training), list(protocol.test)) == (order[:60], order[60:])
    else:
        assert [*protocol.training, *protocol.test] == sorted([*protocol.training, *protocol.test])


def test_files_come_in_the_order_of_the_protocol(ball_data):
    files = locate(load_protocol(str(ball_data / "balls.json")), ball_data)
    assert [path.name[0] for path in files.training] == ["b", "a", "c", "d"]
    assert [path.name[0] for path in files.test_labels] == ["f", "e"]


def changed(folder, **changes):
    path = folder / "balls.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return str(path)


@pytest.mark.parametrize("test", [["a"], ["e", "e"]])
def test_a_scan_named_twice_is_a_leak(ball_data, test):
    with pytest.raises(EngineError, match="named twice"):
        load_protocol(changed(ball_data, test=test))


def test_the_same_scan_under_another_name_is_a_leak(ball_data):
    shutil.copy(ball_data / "balls" / "scans" / "a.nii.gz", ball_data / "balls" / "scans" / "e.nii.gz")
    with pytest.raises(EngineError, match="the same scan under two names"):
        locate(load_protocol(str(ball_data / "balls.json")), ball_data)


def test_a_missing_file_is_named(ball_data):
    (ball_data / "balls" / "labels" / "d.nii.gz").unlink()
    with pytest.raises(EngineError, match=r"1 of 6 files are not in .*labels: d"):
        locate(load_protocol(str(ball_data / "balls.json")), ball_data)


def test_missing_folders_protocols_and_scales_are_answered(ball_data, tmp_path):
    protocol = load_protocol(str(ball_data / "balls.json"))
    with pytest.raises(EngineError, match="which is not there"):
        locate(protocol, tmp_path / "nowhere")
    with pytest.raises(EngineError, match="no scale 'half'"):
        protocol.scale("half")
    with pytest.raises(EngineError, match="no protocol 'liver'"):
        load_protocol("liver")
    with pytest.raises(EngineError, match="cannot be read"):
        load_protocol(str(tmp_path / "nowhere.json"))
