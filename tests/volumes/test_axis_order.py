import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from nibabel import aff2axcodes

from cvrl_napari.volumes.axis_order import AxisOrder

angles = st.floats(-3.14, 3.14)


def euler(a: float, b: float, c: float) -> np.ndarray:
    about_z = np.array(((np.cos(a), -np.sin(a), 0), (np.sin(a), np.cos(a), 0), (0, 0, 1)))
    about_x = np.array(((1, 0, 0), (0, np.cos(b), -np.sin(b)), (0, np.sin(b), np.cos(b))))
    about_y = np.array(((np.cos(c), 0, -np.sin(c)), (0, 1, 0), (np.sin(c), 0, np.cos(c))))
    return about_z @ about_x @ about_y


@given(
    st.tuples(angles, angles, angles),
    st.tuples(*[st.floats(0.1, 8.0)] * 3),
    st.tuples(*[st.integers(1, 5)] * 3),
    st.booleans(),
)
def test_every_voxel_keeps_its_place_and_the_way_back_is_exact(turns, spacing, shape, mirrored):
    affine = np.eye(4)
    affine[:3, :3] = euler(*turns) * spacing * ((-1 if mirrored else 1), 1, 1)
    affine[:3, 3] = (-90.5, 12.0, 33.25)
    array = np.arange(np.prod(shape)).reshape(shape)
    order = AxisOrder.closest(affine)

    canonical = order.to_canonical(array)
    canonical_affine = order.canonical_affine(affine, shape)

    assert canonical.shape == order.canonical_shape(shape)
    assert np.shares_memory(canonical, array)
    assert np.array_equal(order.to_file(canonical), array)
    place = dict(zip(array.ravel(), np.indices(shape).reshape(3, -1).T @ affine[:3, :3].T + affine[:3, 3], strict=True))
    for index in np.ndindex(canonical.shape):
        assert np.allclose(canonical_affine[:3, :3] @ index + canonical_affine[:3, 3], place[canonical[index]], atol=1e-9)


def test_all_48_orders_come_to_superior_posterior_left(axis_orders, make_affine):
    seen = set()
    for axes, signs in axis_orders:
        affine = make_affine(axes, signs, degrees=20)
        order = AxisOrder.closest(affine)
        seen.add(order)
        assert aff2axcodes(order.canonical_affine(affine, (2, 3, 4))) == ("S", "P", "L")
    assert len(seen) == 48
