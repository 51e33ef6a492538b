"""Every point belongs to the group it should, in the class's own color."""

import numpy as np
import pytest

from cvrl_napari.engine.embedding_sample import Sample
from cvrl_napari.gui.embeddings.coloring import CASE_COLORS, color_by
from cvrl_napari.study.classes import make_classes

CLASSES = make_classes(["chamber", "wall"])


@pytest.fixture
def sample() -> Sample:
    """Four points of two cases."""
    return Sample(
        rows=np.eye(4, dtype=np.float32),
        case_of=np.array([0, 0, 1, 1]),
        cases=("a", "b"),
        voxels=np.array([(0, 0, 0), (9, 0, 0), (0, 5, 0), (19, 9, 9)], np.int32),
        predicted=np.array([0, 1, 2, 1], np.uint8),
        painted=np.array([255, 0, 1, 1], np.uint8),
        uncertainty=np.array([0.0, 0.3, 0.99, 1.0], np.float32),
    )


def names(kind, sample) -> list[str]:
    coloring = color_by(kind, sample, CLASSES, [(10, 10, 10), (20, 10, 10)])
    assert coloring.counts().sum() == len(sample)
    return [coloring.groups[index].name for index in coloring.index]


def test_classes_by_name(sample: Sample):
    assert names("painted", sample) == ["background", "not painted", "chamber", "chamber"]
    assert names("predicted", sample) == ["background", "chamber", "wall", "chamber"]
    groups = color_by("predicted", sample, CLASSES, []).groups
    assert [(one.color, one.class_id) for one in groups[1:]] == [(one.color, one.id) for one in CLASSES]


def test_right_and_wrong_only_where_something_is_painted(sample: Sample):
    assert names("right", sample) == ["right", "not painted", "wrong", "right"]


def test_uncertainty_in_steps_that_hold_both_ends(sample: Sample):
    assert names("uncertainty", sample) == ["0.00 to 0.12 (sure)", "0.25 to 0.38", *["0.88 to 1.00 (unsure)"] * 2]


def test_position_relates_to_the_scan_of_each_point(sample: Sample):
    assert names("z", sample) == ["0.00 to 0.12 (feet)", "0.88 to 1.00 (head)", "0.00 to 0.12 (feet)", "0.88 to 1.00 (head)"]


def test_more_cases_than_colors_share_the_last_one(sample: Sample):
    assert names("case", sample) == ["a", "a", "b", "b"]
    many = Sample(
        rows=np.zeros((30, 1), np.float32),
        case_of=np.arange(30),
        cases=tuple(str(number) for number in range(30)),
        voxels=np.zeros((30, 3), np.int32),
        predicted=np.zeros(30, np.uint8),
        painted=np.zeros(30, np.uint8),
        uncertainty=np.zeros(30, np.float32),
    )
    assert len(set(names("case", many))) == len(CASE_COLORS)
    assert names("case", many)[-1] == f"{30 - len(CASE_COLORS) + 1} more"
