"""What a value most likely stands for: by the name in the file, the name of the file, its number, or nothing."""

from pathlib import Path

import pytest

from cvrl_napari.study.classes import make_classes
from cvrl_napari.study.label_import import suggest_class

TWO = make_classes(["left atrium", "wall"])
ONE = make_classes(["liver"])


@pytest.mark.parametrize(
    ("file", "value", "values", "names", "classes", "alone", "expected"),
    [
        ("a.nrrd", 7, [7, 9], {7: "Left_Atrium", 9: "wall"}, TWO, True, 1),
        ("a.nrrd", 9, [7, 9], {7: "Left_Atrium", 9: "aorta"}, TWO, True, 0),  # a name of another structure
        ("a.nii.gz", 2, [1, 2], {}, TWO, True, 2),
        ("a.nii.gz", 3, [1, 3], {}, TWO, True, 0),
        ("a.nii.gz", 255, [1, 255], {}, TWO, True, 255),
        ("a.nii.gz", 255, [255], {}, TWO, True, 0),  # a binary mask, of either
        ("a.nii.gz", 255, [255], {}, ONE, True, 1),
        ("case1_left-atrium.nii.gz", 1, [1], {}, TWO, False, 1),
        ("case1_Wall.nii.gz", 1, [1], {}, TWO, False, 2),
        ("case1_aorta.nii.gz", 1, [1], {}, TWO, False, 0),
        ("case1_aorta.nii.gz", 1, [1], {}, ONE, False, 0),
    ],
)
def test_suggestions_by_hand(file, value, values, names, classes, alone, expected):
    assert suggest_class(Path("/there") / file, value, values, names, classes, alone=alone) == expected
