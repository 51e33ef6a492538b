import numpy as np
import pytest

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.labels import IGNORE, check_values, training_target

AT_REST = np.array([0, 1, 2, 255], dtype=np.uint8)


@pytest.mark.parametrize("state", ["complete", "accepted"])
def test_not_painted_is_background_in_a_complete_case(state):
    assert training_target(AT_REST, state).tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize("state", ["partial", "unlabeled"])
def test_not_painted_is_unknown_otherwise_and_painted_background_is_known(state):
    assert training_target(AT_REST, state).tolist() == [IGNORE, 1, 2, 0]


def test_the_labels_themselves_are_left_as_they_are():
    labels = AT_REST.copy()
    training_target(labels, "partial")
    assert np.array_equal(labels, AT_REST)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.bool_])
def test_whole_numbers_of_any_type_become_uint8(dtype):
    checked = check_values(np.array([[[0, 1]]], dtype=dtype), 1, "here")
    assert checked.dtype == np.uint8
    assert checked.tolist() == [[[0, 1]]]


@pytest.mark.parametrize(
    ("value", "words"), [(3, "value 3"), (-1, "value -1"), (256, "value 256"), (1.5, "1.5"), (np.nan, "whole numbers")]
)
def test_a_value_that_is_no_class_is_named_with_its_place(value, words):
    with pytest.raises(StudyError, match=words) as caught:
        check_values(np.array([[[0, value]]]), 2, "some_seg.nii.gz")
    assert "some_seg.nii.gz" in str(caught.value)
