"""Structures between painted slices: known solids, several classes, what is painted already, and a real atrium."""

import numpy as np
import pytest

from cvrl_napari.editing.interpolation import interpolate, signed_distance
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.volumes.reading import read_labels

SPACING = (4.0, 1.0, 0.5)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def ball(shape=(33, 48, 96), radius=16.0) -> np.ndarray:
    """A ball in mm, on voxels of SPACING / 4 along z."""
    center = (np.array(shape) - 1) / 2
    z, y, x = np.indices(shape)
    return (z - center[0]) ** 2 + (y - center[1]) ** 2 + ((x - center[2]) * 0.5) ** 2 <= radius**2


def some(mask: np.ndarray, axis: int, every: int) -> np.ndarray:
    """Labels with every so manieth slice of a mask, and its first and last one."""
    held = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
    kept = sorted({*range(held[0], held[-1] + 1, every), held[-1]})
    labels = np.zeros(mask.shape, np.uint8)
    planes, out = np.moveaxis(mask, axis, 0), np.moveaxis(labels, axis, 0)
    out[kept] = planes[kept]
    return labels


def test_a_signed_distance_is_zero_half_a_voxel_from_the_outermost_voxels():
    mask = np.zeros((7, 7), bool)
    mask[2:5, 2:5] = True
    distance = signed_distance(mask, (1.0, 1.0))
    np.testing.assert_allclose(distance[3], [-1.5, -0.5, 0.5, 1.5, 0.5, -0.5, -1.5])
    assert (signed_distance(np.ones((3, 3), bool), (1.0, 1.0)) > 0).all()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_ball_is_whole_again_along_any_axis(axis: int):
    mask = ball()
    result = interpolate(some(mask, axis, 6), (1.0, 1.0, 0.5), axis=axis, classes=[1])
    assert dice(result == 1, mask) > 0.97


def test_painted_slices_and_what_lies_beyond_them_stay():
    mask = ball()
    labels = some(mask, 0, 8)
    labels[:6] = labels[-6:] = 0
    held = np.flatnonzero(labels.any(axis=(1, 2)))
    result = interpolate(labels, (1.0, 1.0, 0.5), axis=0, classes=[1])
    np.testing.assert_array_equal(result[held], labels[held])
    assert not result[: held[0]].any()
    assert not result[held[-1] + 1 :].any()
    assert result[held[0] : held[-1]].any(axis=(1, 2)).all()


def test_a_cone_halves_between_its_ends():
    labels = np.zeros((5, 21, 21), np.uint8)
    labels[0, 2:19, 2:19] = 1
    labels[4, 6:15, 6:15] = 1
    result = interpolate(labels, (1.0, 1.0, 1.0), axis=0, classes=[1])
    assert (result[2] == 1).sum() == 13 * 13


def test_several_classes_share_a_slice_without_overlap_and_each_has_its_own_slices():
    labels = np.zeros((5, 10, 20), np.uint8)
    labels[0, 2:8, 2:10] = labels[4, 2:8, 2:10] = 1
    labels[0, 2:8, 10:18] = labels[4, 2:8, 10:18] = 2
    result = interpolate(labels, SPACING, axis=0, classes=[1, 2])
    np.testing.assert_array_equal(result[2], labels[0])
    only = interpolate(labels, SPACING, axis=0, classes=[2])
    assert set(np.unique(only[2])) == {0, 2}
    labels[2, 4, 4] = 1  # painted for class 1, not for class 2
    assert (interpolate(labels, SPACING, axis=0, classes=[2])[2] == 2).sum() == 48


def test_other_classes_and_painted_background_are_overwritten_only_when_asked():
    labels = np.zeros((3, 8, 8), np.uint8)
    labels[0, 2:6, 2:6] = labels[2, 2:6, 2:6] = 1
    labels[1, 2, 2:6], labels[1, 5, 2:6] = 2, BACKGROUND
    kept = interpolate(labels, SPACING, axis=0, classes=[1])
    assert (kept[1, 2, 2:6] == 2).all()
    assert (kept[1, 5, 2:6] == BACKGROUND).all()
    assert (kept[1, 3:5, 2:6] == 1).all()
    np.testing.assert_array_equal(interpolate(labels, SPACING, axis=0, classes=[1], over=True)[1], labels[0])


def test_nothing_painted_is_nothing_interpolated():
    labels = np.zeros((4, 5, 6), np.uint8)
    assert not interpolate(labels, SPACING, axis=1, classes=[1, 2]).any()


def test_a_left_atrium_comes_back_from_every_eighth_slice(shared_data):
    folder = shared_data / "left_atrium"
    name = (folder / "train.list").read_text().split()[-1]
    labels = read_labels(folder / "labels" / f"{name}.nii.gz")
    reference = labels.array == 1
    result = interpolate(some(reference, 0, 8), labels.spacing, axis=0, classes=[1])
    assert dice(result == 1, reference) > 0.93
