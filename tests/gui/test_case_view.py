"""Slice, zoom and contrast of a case are found again, another day too, and never those of another study."""

import pytest
from napari.components import ViewerModel

from cvrl_napari.gui.case_view import camera_of
from cvrl_napari.gui.layers import Layers
from cvrl_napari.study.study import Study

pytestmark = pytest.mark.gui


def look(layers: Layers, viewer: ViewerModel) -> tuple:
    image = layers.shown.image
    return viewer.dims.current_step[0], camera_of(viewer).zoom, tuple(image.contrast_limits)


def leave_a_look(study: Study) -> tuple:
    """Look at case 'a' in a way of one's own, and close the viewer."""
    viewer = ViewerModel()
    layers = Layers(viewer)
    layers.show_case(study, "a")
    viewer.dims.set_current_step(0, 3)
    camera_of(viewer).zoom = 7.5
    layers.shown.image.contrast_limits = (60, 150)
    seen = look(layers, viewer)
    layers.show_case(study, "b")
    layers.close()
    return seen


def look_again(study: Study, case: str) -> tuple:
    viewer = ViewerModel()
    layers = Layers(viewer)
    layers.show_case(study, case)
    seen = look(layers, viewer)
    layers.close()
    return seen


def test_a_case_is_found_as_it_was_left_another_day(ball_study):
    seen = leave_a_look(ball_study)
    assert seen[:2] == (3, 7.5)
    assert look_again(ball_study, "a") == seen
    assert look_again(ball_study, "c") != seen


def test_a_contrast_beyond_the_scans_own_grey_values_is_found_again(ball_study):
    viewer = ViewerModel()
    layers = Layers(viewer)
    layers.show_case(ball_study, "a")
    image = layers.shown.image
    image.contrast_limits_range = (-500, 1300)
    image.contrast_limits = (-500, 1300)
    layers.close()
    assert look_again(ball_study, "a")[2] == (-500, 1300)


def test_a_case_of_the_same_name_in_another_study_is_not_looked_at_like_it(ball_study, tmp_path):
    scans = [case.scan for case in ball_study.cases]
    viewer = ViewerModel()
    layers = Layers(viewer)
    with Study.create(tmp_path / "other", scans, classes=("ball",)) as other:
        layers.show_case(other, "a")
        expected = look(layers, viewer)
        layers.clear()
        layers.show_case(ball_study, "a")
        viewer.dims.set_current_step(0, 3)
        camera_of(viewer).zoom = 7.5
        layers.clear()
        layers.show_case(other, "a")
        assert look(layers, viewer) == expected
    layers.close()


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b'{"a": {"point": [1, 2], "zoom": -1, "center": [0, 0, 0], "contrast": [0, 1]}}']
)
def test_a_file_that_is_not_ours_is_not_looked_at(ball_study, content):
    new = look_again(ball_study, "a")
    (ball_study.cache_folder / "views.json").write_bytes(content)
    assert look_again(ball_study, "a") == new


def test_of_a_study_for_reading_only_nothing_is_kept(ball_study):
    ball_study.close()
    with Study.open(ball_study.folder, read_only=True) as study:
        leave_a_look(study)
    assert not (ball_study.cache_folder / "views.json").exists()
