"""What a fill bucket reaches."""

import numpy as np

from cvrl_napari.editing.filling import filled

LABELS = np.zeros((3, 4, 6), np.uint8)
LABELS[:, :, 3] = 2  # a wall between left and right


def reached(*args, **kwargs) -> np.ndarray:
    made = np.zeros(LABELS.shape, bool)
    made[filled(LABELS, *args, **kwargs)] = True
    return made


def test_it_stays_on_the_slice_and_before_the_wall():
    expected = np.zeros(LABELS.shape, bool)
    expected[1, :, :3] = True
    np.testing.assert_array_equal(reached((1, 2, 0), (1, 2)), expected)
    expected[:, :, :3] = True
    np.testing.assert_array_equal(reached((1, 2, 0), (0, 1, 2)), expected)


def test_it_reaches_what_lies_apart_when_told_to():
    np.testing.assert_array_equal(reached((1, 2, 0), (0, 1, 2), contiguous=False), LABELS == 0)


def test_grey_values_outside_the_range_are_a_wall():
    greys = np.zeros(LABELS.shape, np.int16)
    greys[:, 1] = 50
    found = reached((1, 3, 0), (1, 2), greys=greys, grey_range=(-1, 10))
    expected = np.zeros(LABELS.shape, bool)
    expected[1, 2:, :3] = True
    np.testing.assert_array_equal(found, expected)
    assert not reached((1, 1, 0), (1, 2), greys=greys, grey_range=(-1, 10)).any()


def test_outside_of_the_scan_nothing_is_reached():
    assert not reached((1, 4, 0), (1, 2)).any()
