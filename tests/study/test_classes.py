import pytest

from cvrl_napari.study.classes import PALETTE, StructureClass, check_classes, distinct_colors, make_classes
from cvrl_napari.study.errors import StudyError


def test_classes_are_numbered_from_one_in_the_order_of_their_names():
    atrium, wall = make_classes([" atrium ", "wall"])
    assert (atrium.id, atrium.name, atrium.color) == (1, "atrium", PALETTE[0])
    assert (wall.id, wall.name, wall.color) == (2, "wall", PALETTE[1])


@pytest.mark.parametrize("count", [1, 7, 8, 30, 254])
def test_no_two_classes_share_a_colour(count):
    colors = distinct_colors(count)
    assert len(set(colors)) == count
    assert all(StructureClass(id=1, name="x", color=color) for color in colors)


def test_no_class_is_grey_as_a_scan_is():
    for color in distinct_colors(254):
        red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
        assert max(red, green, blue) - min(red, green, blue) > 8


@pytest.mark.parametrize(
    ("names", "words"),
    [([], "at least one"), (["a", " "], "each class a name"), (["Atrium", "atrium"], "'atrium'"), (["x"] * 255, "254")],
)
def test_names_that_will_not_do_get_a_sentence(names, words):
    with pytest.raises(StudyError, match=words):
        make_classes(names)


def test_a_gap_in_the_numbers_is_refused():
    first, second = make_classes(["a", "b"])
    with pytest.raises(StudyError, match="without a gap"):
        check_classes([first, second.model_copy(update={"id": 3})])
