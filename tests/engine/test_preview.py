"""Previews rewrite only what changed, and come quickly at first."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cvrl_napari.config import NetConfig, TrainRequest
from cvrl_napari.data import resample
from cvrl_napari.data.prepare import prepare
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.plan import resolve
from cvrl_napari.engine.preview import FIRST_SECONDS, STEADY_SHARE, Previewer, changed_box, write_changes
from cvrl_napari.engine.run_folder import RunFolder
from cvrl_napari.nets.build import build_net

masks = arrays.arrays(np.uint8, (4, 5, 6), elements=st.integers(0, 2))


@given(masks, masks)
@settings(max_examples=50)
def test_the_box_is_the_smallest_that_holds_every_change(before, after):
    box = changed_box(before, after)
    where = np.argwhere(before != after)
    if not len(where):
        assert box is None
    else:
        assert box == tuple((int(a), int(b) + 1) for a, b in zip(where.min(0), where.max(0), strict=True))


def test_a_mask_that_is_mapped_already_sees_the_change(tmp_path):
    first = np.zeros((4, 5, 6), np.uint8)
    first[1, 2, 3] = 1
    assert write_changes(tmp_path / "case.npy", first, first.shape) == ((1, 2), (2, 3), (3, 4))
    mapped = np.load(tmp_path / "case.npy", mmap_mode="r")
    second = first.copy()
    second[3, 4, 5] = 2
    assert write_changes(tmp_path / "case.npy", second, second.shape) == ((3, 4), (4, 5), (5, 6))
    assert np.array_equal(mapped, second)
    assert write_changes(tmp_path / "case.npy", second, second.shape) is None


def test_planes_are_written_where_they_belong(tmp_path):
    path = tmp_path / "case.npy"
    planes = np.zeros((2, 5, 6), np.uint8)
    planes[1, 2:4, 3] = 1
    assert write_changes(path, planes, (7, 5, 6), start=4) == ((5, 6), (2, 4), (3, 4))
    mask = np.load(path)
    assert mask.shape == (7, 5, 6)
    assert np.array_equal(mask[4:6], planes)
    assert not mask[:4].any()


@pytest.fixture
def prepared(ball_study):
    return prepare(ball_study, "c", spacing=(2.0, 2.0, 2.0))


@pytest.fixture
def previewer(ball_study):
    plan = resolve(ball_study, TrainRequest(device="cpu", steps=1, threads=1), pick("cpu"))
    return Previewer(plan, RunFolder.create(ball_study.runs_folder, plan))


@pytest.fixture
def slabs(monkeypatch, prepared):
    """Slabs of ten planes of the scan, 28 planes in all."""
    monkeypatch.setattr(resample, "_SLAB_VALUES", 10 * 2 * prepared.scan_shape[1] * prepared.scan_shape[2])


def planes_of(events):
    (event,) = events
    return event.box[0]


def test_the_slab_on_view_comes_first_and_the_others_one_by_one(slabs, previewer, prepared):
    net = build_net(NetConfig(width=4, levels=2))
    net.classifier.bias.data[1] = 100  # all is ball, so that each box tells which planes were written
    previewer.look_at("c", index=15)
    assert previewer.is_due(FIRST_SECONDS[0])
    assert planes_of(previewer.make(net, prepared, step=1, seconds=1.0)) == (10, 20)
    previewer.look_at("c", index=16)  # scrolling does not begin anew
    assert previewer.is_due(0.0)  # the rest need not wait for its hour
    assert [planes_of(previewer.make(net, prepared, step=2, seconds=1.0)) for _ in range(2)] == [(20, 28), (0, 10)]
    assert not previewer.is_due(1.0)


def test_another_case_puts_an_end_to_what_is_not_finished(slabs, previewer, prepared, ball_study):
    net = build_net(NetConfig(width=4, levels=2))
    net.classifier.bias.data[1] = 100
    previewer.look_at("c", index=0)
    assert planes_of(previewer.make(net, prepared, step=1, seconds=1.0)) == (0, 10)
    previewer.look_at("d", index=27)
    other = prepare(ball_study, "d", spacing=(2.0, 2.0, 2.0))
    (event,) = previewer.make(net, other, step=2, seconds=1.0)
    assert (event.case, event.box[0]) == ("d", (20, 28))


def test_at_the_end_of_a_run_the_whole_mask_is_made_anew(slabs, previewer, prepared):
    net = build_net(NetConfig(width=4, levels=2))
    net.classifier.bias.data[1] = 100
    previewer.look_at("c", index=0)
    list(previewer.make(net, prepared, step=1, seconds=1.0))
    net.classifier.bias.data[1] = -100
    events = list(previewer.make(net, prepared, step=2, seconds=1.0, whole=True))
    assert len(events) == 3
    assert not np.load(events[-1].path).any()


def test_steady_previews_keep_to_their_share(previewer, prepared):
    net = build_net(NetConfig(width=4, levels=2))
    previewer.look_at("c")
    seconds = 0.0
    for _ in range(len(FIRST_SECONDS)):
        seconds = max(seconds, previewer._next)
        list(previewer.make(net, prepared, step=1, seconds=seconds))
    assert previewer._next - seconds >= previewer._plan.preview_seconds
    previewer._plan = previewer._plan.model_copy(update={"preview_seconds": 1e-9})
    list(previewer.make(net, prepared, step=1, seconds=seconds))
    assert previewer._next - seconds == pytest.approx(previewer._cost / STEADY_SHARE)
