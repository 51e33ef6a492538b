import json
from collections import Counter

import numpy as np
import pytest
import torch

from cvrl_napari.config import AugmentConfig
from cvrl_napari.data.batch import Batch
from cvrl_napari.data.prepare import prepare
from cvrl_napari.data.streams import TwoStreamLoader

STILL = AugmentConfig(affine_probability=0, intensity_probability=0)


@pytest.fixture
def cases(study):
    return {case.id: prepare(study, case.id, spacing=(4.0, 2.0, 2.0)) for case in study.cases}


@pytest.fixture
def make_loader(cases, make_plan):
    """Return a function that makes a loader: labeled 'ab' and unlabeled 'cdb' (b is partly painted) unless told otherwise."""

    def make(labeled: str = "ab", unlabeled: str = "cdb", seed: int = 0, **changes: object) -> TwoStreamLoader:
        return TwoStreamLoader(labeled, unlabeled, cases, make_plan(**changes), seed)

    return make


def same(first: Batch, second: Batch) -> bool:
    return all(
        torch.equal(getattr(first, name), getattr(second, name)) for name in ("student_images", "teacher_images", "labels")
    )


def test_a_batch_has_labeled_patches_first(make_loader):
    batch = make_loader(labeled_batch=3, unlabeled_batch=2).next()
    assert batch.student_images.shape == batch.teacher_images.shape == (5, 1, 8, 8, 8)
    assert batch.student_images.dtype == batch.teacher_images.dtype == torch.float32
    assert batch.labels.shape == (3, 8, 8, 8)
    assert batch.labels.dtype == torch.uint8
    assert set(batch.labels.unique().tolist()) <= {0, 1, 2, 255}


def test_patches_and_labels_come_from_the_same_place(make_loader, cases):
    loader = make_loader(labeled="a", augment=STILL, unlabeled_batch=0)
    image, target = cases["a"].image.astype(np.float32)[0], np.asarray(cases["a"].target)
    windows = np.lib.stride_tricks.sliding_window_view(image, (8, 8, 8))
    for _ in range(5):
        batch = loader.next()
        for patch, labels in zip(batch.student_images[:, 0].numpy(), batch.labels.numpy(), strict=True):
            z, y, x = np.argwhere((windows == patch).all(axis=(3, 4, 5)))[0]
            assert np.array_equal(labels, target[z : z + 8, y : y + 8, x : x + 8])


def test_both_views_share_their_geometry(make_loader):
    config = AugmentConfig(affine_probability=1, flip=True, quarter_turns=True, intensity_probability=0)
    batch = make_loader(augment=config).next()
    assert torch.equal(batch.student_images, batch.teacher_images)


def test_the_student_sees_more_change_than_the_teacher(make_loader):
    loader = make_loader(augment=AugmentConfig(affine_probability=0, intensity_probability=1))
    still = make_loader(augment=STILL)
    images = torch.cat([still.next().student_images for _ in range(3)]).std()
    batch = loader.next()
    assert (batch.student_images - batch.teacher_images).std() > 0.1 * images


def test_same_seed_same_batches(make_loader):
    first, second, other = make_loader(seed=1), make_loader(seed=1), make_loader(seed=2)
    assert all(same(first.next(), second.next()) for _ in range(3))
    assert not same(first.next(), other.next())


@pytest.mark.parametrize("steps", [0, 1, 5])
def test_a_resumed_loader_goes_on_exactly(make_loader, steps):
    loader = make_loader()
    for _ in range(steps):
        loader.next()
    state = json.loads(json.dumps(loader.state_dict()))
    wanted = [loader.next() for _ in range(4)]
    resumed = make_loader(seed=77)
    resumed.load_state_dict(state)
    assert all(same(resumed.next(), batch) for batch in wanted)


def test_a_state_is_not_changed_by_going_on(make_loader):
    loader = make_loader()
    loader.next()
    state = loader.state_dict()
    before = json.dumps(state)
    loader.next()
    assert json.dumps(state) == before


def test_every_case_comes_once_before_any_comes_twice(make_loader):
    loader = make_loader(unlabeled="bcd", unlabeled_batch=1)
    turns = [loader._take(loader._unlabeled_turn, loader._unlabeled) for _ in range(30)]
    assert all(Counter(turns[start : start + 3]) == Counter("bcd") for start in range(0, 30, 3))
    assert len({tuple(turns[start : start + 3]) for start in range(0, 30, 3)}) > 1  # in another order each time


def test_the_next_batch_is_known_before_it_is_cut_and_is_not_drawn_by_asking(make_loader, cases):
    loader, asked = make_loader(seed=3), make_loader(seed=3)
    for with_unlabeled in (False, True, True, False):
        upcoming = asked.upcoming(with_unlabeled=with_unlabeled)
        assert len(upcoming) == 2 + 2 * with_unlabeled
        hidden = {name: cases.pop(name) for name in set(cases) - set(upcoming)}  # what was not named is not needed
        batch = asked.next(with_unlabeled=with_unlabeled)
        cases.update(hidden)
        assert same(batch, loader.next(with_unlabeled=with_unlabeled))


def test_without_the_unlabeled_stream_their_turn_stays_where_it_was(make_loader):
    loader = make_loader()
    before = loader.upcoming()[2:]
    assert len(loader.next(with_unlabeled=False).student_images) == 2
    assert loader.state_dict()["unlabeled_turn"] == []
    assert len(before) == 2


def test_without_labels_there_is_a_sentence(make_loader):
    with pytest.raises(ValueError, match="label at least one"):
        make_loader(labeled="").next()


def test_a_case_just_painted_comes_next(make_loader, cases, study, block_labels):
    loader = make_loader(labeled="a", unlabeled="bcd", labeled_batch=1, unlabeled_batch=1)
    for _ in range(3):
        loader.next()
    study.write_labels("c", block_labels("complete"), state="complete")
    cases["c"].reload_target(study)
    loader.replace("ac", "bd")
    assert loader._take(loader._labeled_turn, loader._labeled) == "c"
    turns = [loader._take(loader._unlabeled_turn, loader._unlabeled) for _ in range(6)]
    assert set(turns) == {"b", "d"}


def test_new_strokes_are_drawn_from_without_replacing_cases(make_loader, cases, study):
    loader = make_loader(labeled="b", augment=STILL)
    loader.next()
    painted = np.zeros((12, 24, 30), np.uint8)
    painted[11, 23, 28:] = 2  # in one corner only
    study.write_labels("b", painted)
    cases["b"].reload_target(study)
    assert all((batch.labels == 2).flatten(1).any(dim=1).all() for batch in (loader.next() for _ in range(5)))


def test_a_scan_smaller_than_the_patch_is_continued_with_unknown_labels(make_loader, cases):
    batch = make_loader(labeled="a", augment=STILL, patch_size=(16, 16, 16)).next()
    assert batch.student_images.shape[2:] == (16, 16, 16)
    known = (batch.labels != 255).sum(dim=(1, 2, 3))
    assert known.tolist() == [12 * 12 * 15, 12 * 12 * 15]
    assert batch.student_images.isfinite().all()


def test_a_batch_goes_to_a_device_whole(make_loader):
    batch = make_loader().next().to("meta")
    assert {batch.student_images.device.type, batch.teacher_images.device.type, batch.labels.device.type} == {"meta"}
