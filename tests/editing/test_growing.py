"""Structures grown from strokes: a bright ball among its likes, sides that are missing, several classes, a real atrium."""

import numpy as np
import pytest

from cvrl_napari.editing.coarse import blocks_for, coarse_mean, coarse_seeds, fine
from cvrl_napari.editing.growing import NoStrokesError, grow, likeness
from cvrl_napari.study.labels import BACKGROUND
from cvrl_napari.volumes.reading import read, read_labels

SPACING = (2.0, 1.0, 1.0)


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def ball(center: tuple[float, float, float], radius: float) -> np.ndarray:
    z, y, x = np.indices((24, 48, 64))
    return ((z - center[0]) * 2) ** 2 + (y - center[1]) ** 2 + (x - center[2]) ** 2 <= radius**2


@pytest.fixture
def scene() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A bright ball that touches another one as bright; noise; strokes of the first on three slices."""
    wanted, neighbor = ball((12, 24, 22), 14), ball((12, 24, 48), 11)
    rng = np.random.default_rng(0)
    scan = (100 + 60 * (wanted | neighbor) + rng.normal(0, 12, wanted.shape)).astype(np.float32)
    labels = np.zeros(wanted.shape, np.uint8)
    for z, reach in ((8, 6), (12, 9), (16, 6)):
        labels[z, 24, 22 - reach : 22 + reach] = 1
        labels[z, 6:42, 38] = labels[z, 6:42, 4] = BACKGROUND
        labels[z, 6, 4:39] = labels[z, 42, 4:39] = BACKGROUND
    return wanted, scan, labels


def test_a_ball_grows_to_its_border_and_not_into_its_neighbor(scene):
    wanted, scan, labels = scene
    grown = grow(labels, scan, SPACING, axis=0, classes=[1])
    assert dice(grown == 1, wanted) > 0.85
    assert (grown == 1)[:, :, 42:].mean() < 0.02


def test_strokes_stay_and_only_what_was_not_painted_changes(scene):
    _, scan, labels = scene
    grown = grow(labels, scan, SPACING, axis=0, classes=[1])
    np.testing.assert_array_equal(grown[labels > 0], labels[labels > 0])
    assert set(np.unique(grown)) == {0, 1, BACKGROUND}


def test_two_classes_grow_against_each_other(scene):
    wanted, scan, labels = scene
    for z in (9, 12, 15):
        labels[z, 20:28, 46:52] = 2
    brighter = scan + 60 * ball((12, 24, 48), 11)
    grown = grow(labels, brighter, SPACING, axis=0, classes=[1, 2])
    assert dice(grown == 1, wanted) > 0.8
    assert (grown[12, 22:26, 50:54] == 2).all()


def test_a_side_without_strokes_is_said(scene):
    _, scan, labels = scene
    with pytest.raises(NoStrokesError, match="background"):
        grow(np.where(labels == 1, labels, 0).astype(np.uint8), scan, SPACING, axis=0, classes=[1])
    with pytest.raises(NoStrokesError, match="structure"):
        grow(labels, scan, SPACING, axis=0, classes=[2])


def test_likeness_tells_grey_values_apart():
    grey = np.repeat(np.float32([10, 200]), 50)
    seeds = np.repeat(np.uint8([1, 2]), 50)
    likely = likeness(grey, seeds)
    assert (likely[:50] > 0.95).all()
    assert (likely[50:] < 0.05).all()


def test_blocks_keep_means_strokes_and_places():
    shape = (6, 30, 31)
    blocks = blocks_for(shape, (4.0, 1.0, 1.0), 700)
    assert blocks == (1, 3, 3)
    ramp = np.broadcast_to(np.arange(31, dtype=np.float32), shape)
    coarse = coarse_mean(ramp, blocks)
    assert coarse.shape == (6, 10, 11)
    np.testing.assert_allclose(coarse[0, 0, :3], [1, 4, 7])
    np.testing.assert_allclose(fine(coarse, blocks, shape)[0, 0, 1:29], ramp[0, 0, 1:29], atol=1e-5)
    seeds = np.zeros(shape, np.uint8)
    seeds[2, 4, 4], seeds[2, 5, 5] = 2, 1
    assert coarse_seeds(seeds, blocks)[2, 1, 1] == 1
    assert blocks_for((4, 4, 4), (1, 1, 1), 100) == (1, 1, 1)


def test_a_left_atrium_grows_from_a_line_and_a_ring_on_five_slices(shared_data):
    from scipy.ndimage import binary_erosion, distance_transform_edt
    from skimage.morphology import skeletonize

    folder = shared_data / "left_atrium"
    name = (folder / "train.list").read_text().split()[-20]
    scan = read(folder / "scans" / f"{name}.nii.gz")
    reference = read_labels(folder / "labels" / f"{name}.nii.gz").array == 1
    held = np.flatnonzero(reference.any(axis=(1, 2)))
    labels = np.zeros(reference.shape, np.uint8)
    for z in np.linspace(held[0] + 3, held[-1] - 3, 5).astype(int):
        away = distance_transform_edt(~reference[z], sampling=scan.spacing[1:])
        labels[z][(away >= 3) & (away < 4)] = BACKGROUND
        labels[z][skeletonize(binary_erosion(reference[z], iterations=2))] = 1
    grown = grow(labels, scan.array, scan.spacing, axis=0, classes=[1])
    assert dice(grown == 1, reference) > 0.8
