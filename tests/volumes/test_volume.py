import numpy as np
import pytest

from cvrl_napari.volumes.volume import Volume

# z 3 mm to Superior, y 2 mm to Posterior, x 0.5 mm to Left
AFFINE = np.array(((0, 0, -0.5, 10), (0, -2, 0, 20), (3, 0, 0, 30), (0, 0, 0, 1)), dtype=float)


@pytest.fixture
def volume() -> Volume:
    return Volume(np.zeros((4, 5, 6), np.uint8), AFFINE)


def test_geometry_is_derived_from_the_affine(volume):
    assert volume.spacing == (3.0, 2.0, 0.5)
    assert volume.origin == (10.0, 20.0, 30.0)
    assert volume.orientation == "SPL"
    assert np.array_equal(volume.direction, ((0, 0, -1), (0, -1, 0), (1, 0, 0)))
    assert volume.voxel_ml == pytest.approx(0.003)


def test_world_mm_of_one_and_of_many_points(volume):
    assert np.array_equal(volume.world_mm((1, 1, 2)), (9, 18, 33))
    assert np.array_equal(volume.world_mm([[[0, 0, 0]], [[0.5, 0, 0]]]), [[[10, 20, 30]], [[10, 20, 31.5]]])


def test_other_voxels_keep_geometry_and_source(volume):
    mask = np.ones((4, 5, 6), bool)
    labeled = volume.with_array(mask)
    assert labeled.array is mask
    assert labeled.same_grid(volume)
    assert labeled.source is volume.source
    with pytest.raises(ValueError, match=r"\(4, 5\)"):
        volume.with_array(np.ones((4, 5)))


def test_same_grid_looks_at_the_far_corners(volume):
    def moved(change):
        affine = AFFINE.copy()
        change(affine)
        return Volume(volume.array, affine)

    def stretch(affine, mm):
        affine[2, 0] += mm / 3  # three steps along z

    assert volume.same_grid(moved(lambda affine: stretch(affine, 0.0009)))
    assert not volume.same_grid(moved(lambda affine: stretch(affine, 0.0011)))
    assert volume.same_grid(moved(lambda affine: stretch(affine, 0.9)), tolerance_mm=1)
    assert not volume.same_grid(Volume(np.zeros((4, 5, 7)), AFFINE))


def test_the_affine_cannot_be_changed_from_outside(volume):
    affine = AFFINE.copy()
    made = Volume(volume.array, affine)
    affine[0, 3] = 99
    assert made.origin == (10.0, 20.0, 30.0)
    with pytest.raises(ValueError, match="read-only"):
        made.affine[0, 3] = 99


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 6, 1), (4, 0, 6)])
def test_only_three_axes_with_voxels(shape):
    with pytest.raises(ValueError, match="three axes"):
        Volume(np.zeros(shape), AFFINE)


@pytest.mark.parametrize(
    "affine",
    [
        np.eye(3),
        np.diag((1.0, 0.0, 1.0, 1.0)),
        np.diag((1.0, np.nan, 1.0, 1.0)),
        np.array(((1, 1, 0, 0), (1, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), float),
    ],
)
def test_an_affine_must_place_voxels(affine):
    with pytest.raises(ValueError, match="affine"):
        Volume(np.zeros((2, 2, 2)), affine)


def test_microscopic_voxels_are_no_degenerate_ones():
    affine = AFFINE.copy()
    affine[:3, :3] *= 1e-6
    assert Volume(np.zeros((2, 2, 2)), affine).spacing == pytest.approx((3e-6, 2e-6, 5e-7))
