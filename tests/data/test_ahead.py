"""A batch made ahead is the batch that would have been made, whatever happens in between."""

import numpy as np
import pytest
import torch

from cvrl_napari.data.ahead import BatchAhead
from cvrl_napari.data.batch import Batch
from cvrl_napari.data.prepare import prepare
from cvrl_napari.data.streams import TwoStreamLoader


@pytest.fixture
def cases(study):
    return {case.id: prepare(study, case.id, spacing=(4.0, 2.0, 2.0)) for case in study.cases}


@pytest.fixture
def pair(cases, make_plan):
    """A loader, and another one of the same seed with batches ahead."""
    loaders = [TwoStreamLoader("ab", "cdb", cases, make_plan(), 0) for _ in range(2)]
    ahead = BatchAhead(loaders[1])
    yield loaders[0], ahead
    ahead.close()


def same(first: Batch, second: Batch) -> bool:
    return all(
        torch.equal(getattr(first, name), getattr(second, name)) for name in ("student_images", "teacher_images", "labels")
    )


def test_batches_are_the_loaders_own(pair):
    loader, ahead = pair
    for with_unlabeled in (False, False, True, True, False, True):  # what comes is not always what was made
        assert same(ahead.next(with_unlabeled=with_unlabeled), loader.next(with_unlabeled=with_unlabeled))
        ahead.start(with_unlabeled=with_unlabeled)
    assert ahead.state_dict() == loader.state_dict()  # with a batch that nobody has taken


def test_a_resumed_loader_makes_the_batch_that_was_not_taken(pair, cases, make_plan):
    loader, ahead = pair
    ahead.next()
    ahead.start(with_unlabeled=True)
    saved = ahead.state_dict()
    other = TwoStreamLoader("ab", "cdb", cases, make_plan(), 1)
    other.load_state_dict(saved)
    loader.next()
    assert same(other.next(), loader.next())


def test_new_streams_and_labels_take_effect_with_the_next_batch(pair, cases, study, block_labels):
    loader, ahead = pair
    same(ahead.next(), loader.next())
    ahead.start(with_unlabeled=True)
    ahead.drop()
    painted = block_labels("complete")
    painted[:] = 2
    study.write_labels("a", painted)
    cases["a"].reload_target(study)
    ahead.replace("a", "bcd")
    loader.replace("a", "bcd")
    mine = ahead.next()
    assert same(mine, loader.next())
    assert set(np.unique(mine.labels)) <= {2, 255}


def test_nothing_has_to_be_prepared_for_a_batch_in_the_making(pair):
    loader, ahead = pair
    assert ahead.upcoming() == loader.upcoming()
    ahead.start(with_unlabeled=True)
    assert ahead.upcoming() == []
    assert ahead.upcoming(with_unlabeled=False) == loader.upcoming(with_unlabeled=False)


def test_the_thread_of_batches_computes_on_one_thread_and_leaves_the_others_theirs(cases, make_plan):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        ahead = BatchAhead(TwoStreamLoader("ab", "cdb", cases, make_plan(), 0))
        assert ahead._thread.submit(torch.get_num_threads).result() == 1
        assert torch.get_num_threads() == 2
        ahead.close()
    finally:
        torch.set_num_threads(before)
