import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cvrl_napari.data.patches import PaintedVoxels, cut_image, cut_labels, draw_start

sizes = st.tuples(*3 * [st.integers(1, 12)])


@settings(max_examples=100, deadline=None)
@given(sizes, sizes, st.tuples(*3 * [st.integers(-11, 15)]), st.integers(0, 99))
def test_a_cut_is_the_scan_inside_and_its_border_outside(shape, size, start, seed):
    image = np.random.default_rng(seed).normal(size=(2, *shape)).astype(np.float32)
    labels = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    places = [np.arange(first, first + count) for first, count in zip(start, size, strict=True)]
    nearest = np.ix_(*(np.clip(place, 0, length - 1) for place, length in zip(places, shape, strict=True)))
    known = [(place >= 0) & (place < length) for place, length in zip(places, shape, strict=True)]
    known = known[0][:, None, None] & known[1][:, None] & known[2]
    assert np.array_equal(cut_image(image, start, size), image[:, *nearest])
    assert np.array_equal(cut_labels(labels, start, size), np.where(known, labels[nearest], 255))


@settings(max_examples=100, deadline=None)
@given(sizes, sizes, st.integers(0, 99))
def test_patches_lie_in_the_scan_or_around_it(shape, patch, seed):
    target = np.random.default_rng(seed).integers(0, 3, shape).astype(np.uint8)
    for painted in (None, PaintedVoxels.of(target)):
        for first, length, side in zip(
            draw_start(shape, patch, np.random.default_rng(seed), painted), shape, patch, strict=True
        ):
            assert min(0, length - side) <= first <= max(0, length - side)


def test_unlabeled_patches_are_drawn_evenly_from_everywhere():
    rng = np.random.default_rng(0)
    starts = np.array([draw_start((20, 20, 4), (16, 8, 8), rng) for _ in range(2000)])
    for axis, count in enumerate((5, 13, 5)):
        _, found = np.unique(starts[:, axis], return_counts=True)
        assert len(found) == count
        assert found.min() > 0.6 * 2000 / count


def hits(target: np.ndarray, value: int, patch: tuple[int, int, int], draws: int = 400) -> float:
    """Share of the patches that contain the value."""
    rng, painted = np.random.default_rng(0), PaintedVoxels.of(target)
    starts = [draw_start(target.shape, patch, rng, painted) for _ in range(draws)]
    return float(np.mean([(cut_labels(target, start, patch) == value).any() for start in starts]))


def test_half_of_the_patches_of_a_complete_case_show_a_structure_and_small_ones_as_often():
    target = np.zeros((60, 60, 60), np.uint8)
    target[5:25, 5:25, 5:25] = 1
    target[50, 50, 50] = 2
    assert 0.2 < hits(target, 2, (8, 8, 8)) < 0.32
    assert hits(target, 1, (8, 8, 8)) > 0.2


def test_patches_of_a_partial_case_always_show_something_painted():
    target = np.full((60, 60, 60), 255, np.uint8)
    target[10, 10:14, 10:14] = 0
    target[50, 50, 50] = 1
    rng, painted = np.random.default_rng(0), PaintedVoxels.of(target)
    for _ in range(200):
        assert (cut_labels(target, draw_start(target.shape, (8, 8, 8), rng, painted), (8, 8, 8)) != 255).any()
    assert 0.35 < hits(target, 1, (8, 8, 8)) < 0.65


def test_the_painted_voxel_is_not_always_in_the_middle():
    target = np.zeros((64, 64, 64), np.uint8)
    target[32, 32, 32] = 1
    rng, painted = np.random.default_rng(0), PaintedVoxels.of(target)
    places = [cut_labels(target, draw_start(target.shape, (16, 16, 16), rng, painted), (16, 16, 16)) for _ in range(300)]
    rows = {int(np.argwhere(found == 1)[0, 0]) for found in places if (found == 1).any()}
    assert rows >= set(range(4, 12))


def test_a_case_with_nothing_painted_is_drawn_evenly():
    painted = PaintedVoxels.of(np.full((9, 9, 9), 255, np.uint8))
    assert painted.is_partial
    assert len({draw_start((9, 9, 9), (4, 4, 4), np.random.default_rng(seed), painted) for seed in range(50)}) > 20


def test_few_voxels_of_a_large_structure_are_remembered():
    target = np.zeros((64, 64, 64), np.uint8)
    target[:, :, 10:60] = 4
    painted = PaintedVoxels.of(target)
    assert list(painted.by_class) == [4]
    assert 5_000 < len(painted.by_class[4]) <= 10_000
    assert (target[tuple(painted.by_class[4].T)] == 4).all()
