import pytest
import torch

from cvrl_napari.methods.key_queue import KeyQueue


def numbered(first, count):
    """Keys and classes that carry their number."""
    numbers = torch.arange(first, first + count)
    return numbers.float().unsqueeze(1).repeat(1, 2), numbers % 7


def held(queue):
    keys, classes = queue.contents()
    numbers = keys[:, 0].long()
    assert torch.equal(classes.long(), numbers % 7)  # keys and classes stay together
    return sorted(numbers.tolist())


@pytest.mark.parametrize("chunk", [1, 3, 4, 10, 11, 25])
def test_it_keeps_the_newest_and_forgets_the_oldest(chunk):
    queue = KeyQueue(10, 2)
    assert held(queue) == []
    for first in range(0, 60, chunk):
        queue.append(*numbered(first, chunk))
        newest = first + chunk
        assert held(queue) == list(range(max(0, newest - 10), newest))


def test_nothing_appended_changes_nothing():
    queue = KeyQueue(4, 2)
    queue.append(*numbered(0, 3))
    queue.append(*numbered(3, 0))
    assert held(queue) == [0, 1, 2]


def test_a_queue_of_size_zero_stays_empty():
    queue = KeyQueue(0, 2)
    queue.append(*numbered(0, 5))
    assert held(queue) == []


def test_it_survives_its_state_dict():
    queue, copy = KeyQueue(10, 2), KeyQueue(10, 2)
    queue.append(*numbered(0, 7))
    copy.load_state_dict(queue.state_dict())
    for each in (queue, copy):
        each.append(*numbered(7, 6))
    assert held(copy) == held(queue) == list(range(3, 13))


def test_keys_that_overflowed_are_stored_as_nothing():
    queue = KeyQueue(4, 2)
    queue.append(torch.tensor([[torch.nan, torch.inf]]), torch.tensor([1]))
    assert torch.equal(queue.contents()[0], torch.zeros(1, 2))


def test_the_age_is_that_of_the_oldest_key_kept():
    queue = KeyQueue(10, 2)
    assert queue.age() is None
    queue.append(*numbered(0, 4))
    assert queue.age() == 0
    queue.append(*numbered(4, 4))
    queue.append(*numbered(8, 1))
    assert queue.age() == 2  # nine keys: the first four are still there
    queue.append(*numbered(9, 5))  # 14 keys: of the first four none is left
    assert queue.age() == 2
    assert KeyQueue(0, 2).age() is None
