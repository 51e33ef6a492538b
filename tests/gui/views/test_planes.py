"""Where points lie on the screen in each plane."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvrl_napari.gui.views.planes import AXIAL, CORONAL, PLANES, SAGITTAL, Frame

LOW, HIGH = (0.0, 100.0, -40.0), (80.0, 300.0, 40.0)


@pytest.mark.parametrize("plane", PLANES)
def test_a_box_fills_the_widget_in_one_direction_and_lies_in_its_middle(plane):
    frame = Frame.around(plane, LOW, HIGH, 400, 300)
    corners = np.array([frame.to_screen(LOW), frame.to_screen(HIGH)])
    np.testing.assert_allclose(corners.mean(axis=0), (200, 150))
    width, height = np.abs(corners[0] - corners[1])
    assert width == pytest.approx(400) or height == pytest.approx(300)
    assert width < 400.001
    assert height < 300.001


def test_axial_slices_have_the_nose_up_the_others_the_head():
    superior, anterior, left = (30.0, 0.0, 0.0), (0.0, -30.0, 0.0), (0.0, 0.0, 30.0)
    frames = {plane.name: Frame(plane, (0.0, 0.0), 2.0, 100, 100) for plane in PLANES}
    assert frames["Axial"].to_screen(anterior) == (50, -10)
    assert frames["Axial"].to_screen(left) == (110, 50)
    assert frames["Coronal"].to_screen(superior) == (50, -10)
    assert frames["Coronal"].to_screen(left) == (110, 50)
    assert frames["Sagittal"].to_screen(superior) == (50, -10)
    assert frames["Sagittal"].to_screen(anterior) == (-10, 50)


@given(
    plane=st.sampled_from((AXIAL, CORONAL, SAGITTAL)),
    point=st.tuples(*[st.floats(-500, 500)] * 3),
    zoom=st.floats(0.1, 50),
    center=st.tuples(st.floats(-100, 100), st.floats(-100, 100)),
)
def test_a_pixel_leads_back_to_its_point(plane, point, zoom, center):
    frame = Frame(plane, center, zoom, 321, 234)
    np.testing.assert_allclose(frame.to_point(*frame.to_screen(point), point), point, atol=1e-6)


@pytest.mark.parametrize("plane", PLANES)
def test_zooming_keeps_the_place_below_the_mouse(plane):
    frame = Frame(plane, (3.0, -7.0), 2.0, 300, 200)
    zoomed = frame.zoomed(1.5, 40, 160)
    assert zoomed.zoom == 3.0
    np.testing.assert_allclose(zoomed.to_point(40, 160, (0, 0, 0)), frame.to_point(40, 160, (0, 0, 0)))


@pytest.mark.parametrize("plane", PLANES)
def test_moving_takes_the_picture_along(plane):
    frame = Frame(plane, (3.0, -7.0), 2.0, 300, 200)
    before = frame.to_screen((1, 2, 3))
    assert frame.moved(10, -4).to_screen((1, 2, 3)) == pytest.approx((before[0] + 10, before[1] - 4))
