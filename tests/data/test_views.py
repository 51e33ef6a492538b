import numpy as np
import pytest
import torch

from cvrl_napari.config import AugmentConfig
from cvrl_napari.data.views import (
    Intensity,
    apply_geometry,
    apply_intensity,
    draw_geometry,
    draw_intensity,
    draw_weak_intensity,
    needed_size,
)

STILL = AugmentConfig(affine_probability=0, intensity_probability=0)
PATCH = (6, 8, 10)


def cuts(count: int, size: tuple[int, int, int], channels: int = 1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, channels, *size, generator=generator), torch.randint(
        0, 4, (count, *size), generator=generator
    ).to(torch.uint8)


def blob(size: tuple[int, int, int]) -> torch.Tensor:
    """A smooth image with a maximum in each direction of a different width."""
    z, y, x = (torch.linspace(-1, 1, length) for length in size)
    return torch.exp(-((z[:, None, None] / 0.3) ** 2) - (y[:, None] / 0.5) ** 2 - ((x - 0.2) / 0.7) ** 2)


def test_without_augmentation_a_patch_is_the_middle_of_its_cut():
    maps = draw_geometry(STILL, (1, 1, 1), 2, np.random.default_rng(0))
    assert needed_size(maps, PATCH) == PATCH
    images, labels = cuts(2, (8, 12, 14))
    found, found_labels = apply_geometry(images, labels, maps, PATCH)
    assert torch.equal(found, images[:, :, 1:7, 2:10, 2:12])
    assert torch.equal(found_labels, labels[:, 1:7, 2:10, 2:12])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flip_is_exact(axis):
    matrix = np.eye(3)
    matrix[axis, axis] = -1
    images, labels = cuts(1, PATCH, channels=2)
    found, found_labels = apply_geometry(images, labels, matrix[None], PATCH)
    assert torch.allclose(found, images.flip(2 + axis), atol=1e-4)
    assert torch.equal(found_labels, labels.flip(1 + axis))


def test_flips_are_drawn_for_each_axis():
    maps = draw_geometry(AugmentConfig(affine_probability=0, flip=True), (3, 1, 1), 200, np.random.default_rng(0))
    signs = np.array([np.diag(matrix) for matrix in maps])
    assert np.array_equal(np.abs(maps), np.broadcast_to(np.eye(3), maps.shape))
    assert (np.abs(signs.mean(axis=0)) < 0.2).all()


def test_quarter_turns_are_exact_and_axial():
    maps = draw_geometry(AugmentConfig(affine_probability=0, quarter_turns=True), (3, 1, 1), 40, np.random.default_rng(0))
    images, labels = cuts(1, (4, 8, 8))
    turned = {turns: torch.rot90(labels, turns, (2, 3)) for turns in range(4)}
    seen = set()
    for matrix in maps:
        image, found = apply_geometry(images, labels, matrix[None], (4, 8, 8))
        (turns,) = (turns for turns, wanted in turned.items() if torch.equal(found, wanted))
        assert torch.allclose(image, torch.rot90(images, turns, (3, 4)), atol=1e-4)
        seen.add(turns)
    assert seen == {0, 1, 2, 3}


def test_rotations_keep_millimetres_with_thick_slices():
    spacing = np.diag([5.0, 1.0, 0.8])
    config = AugmentConfig(affine_probability=1, rotation=30, scaling=0)
    for matrix in draw_geometry(config, (5.0, 1.0, 0.8), 20, np.random.default_rng(0)):
        in_mm = spacing @ matrix @ np.linalg.inv(spacing)
        assert np.allclose(in_mm @ in_mm.T, np.eye(3))
        assert np.linalg.det(in_mm) == pytest.approx(1)


def test_scaling_stays_in_its_range():
    maps = draw_geometry(AugmentConfig(affine_probability=1, rotation=0, scaling=0.2), (5, 1, 1), 300, np.random.default_rng(0))
    sizes = 1 / maps[:, 0, 0]
    assert 0.8 <= sizes.min() < 0.83
    assert 1.17 < sizes.max() <= 1.2


def test_a_larger_size_makes_things_larger():
    image = blob((40, 40, 40)) ** 4
    found, _ = apply_geometry(
        image[None, None], torch.zeros(0, 40, 40, 40, dtype=torch.uint8), np.eye(3)[None] / 1.25, (40, 40, 40)
    )
    assert (found > 0.5).sum() == pytest.approx(1.25**3 * int((image > 0.5).sum()), rel=0.03)


def test_the_affine_is_that_of_a_known_rotation():
    turn = np.array([[1, 0, 0], [0, np.cos(0.4), -np.sin(0.4)], [0, np.sin(0.4), np.cos(0.4)]])
    size, patch = (12, 40, 44), (12, 20, 24)
    image = blob(size)
    found, _ = apply_geometry(image[None, None], torch.zeros(0, *size, dtype=torch.uint8), turn[None], patch)
    offsets = np.stack(np.meshgrid(*(np.arange(side) - (side - 1) / 2 for side in patch), indexing="ij"), axis=-1)
    places = offsets @ turn.T + (np.array(size) - 1) / 2
    z, y, x = (2 * places[..., axis] / (side - 1) - 1 for axis, side in enumerate(size))  # as `blob` counts
    wanted = np.exp(-((z / 0.3) ** 2) - (y / 0.5) ** 2 - ((x - 0.2) / 0.7) ** 2)
    assert np.abs(found[0, 0].numpy() - wanted).max() < 0.02


def test_a_batch_is_its_patches_one_by_one():
    config = AugmentConfig(affine_probability=0.6, flip=True, quarter_turns=True)
    maps = draw_geometry(config, (2, 1, 1), 5, np.random.default_rng(1))
    images, labels = cuts(5, needed_size(maps, PATCH))
    found, found_labels = apply_geometry(images, labels[:3], maps, PATCH)
    for row in range(5):
        image, label = apply_geometry(images[row : row + 1], labels[row : row + 1], maps[row : row + 1], PATCH)
        assert torch.equal(found[row], image[0])
        if row < 3:
            assert torch.equal(found_labels[row], label[0])


def test_nothing_is_read_outside_a_cut_of_the_needed_size():
    config = AugmentConfig(affine_probability=1, rotation=40, scaling=0.3, flip=True)
    maps = draw_geometry(config, (4, 1, 1), 8, np.random.default_rng(2))
    size = needed_size(maps, PATCH)
    large = tuple(side + 6 for side in size)
    images, labels = cuts(8, large)
    small = (slice(None), slice(3, -3), slice(3, -3), slice(3, -3))
    exact, exact_labels = apply_geometry(images, labels, maps, PATCH)
    found, found_labels = apply_geometry(images[:, :, 3:-3, 3:-3, 3:-3], labels[small], maps, PATCH)
    assert torch.allclose(found, exact, atol=1e-4)
    assert (found_labels == exact_labels).float().mean() > 0.999  # ties between two voxels may fall either way


def test_a_neutral_change_of_grey_values_changes_nothing():
    image = torch.randn(1, *PATCH)
    assert torch.equal(apply_intensity(image, Intensity()), image)
    assert draw_intensity(STILL, np.random.default_rng(0)) == Intensity(
        noise_seed=draw_intensity(STILL, np.random.default_rng(0)).noise_seed
    )


@pytest.mark.parametrize(
    "change",
    [
        Intensity(contrast=1.5),
        Intensity(brightness=1),
        Intensity(gamma=0.7),
        Intensity(blur=1),
        Intensity(noise=0.5, noise_seed=3),
    ],
)
def test_a_change_is_repeatable_and_leaves_its_input(change):
    image = torch.randn(1, *PATCH, generator=torch.Generator().manual_seed(0))
    before = image.clone()
    first, second = apply_intensity(image, change), apply_intensity(image, change)
    assert torch.equal(image, before)
    assert torch.equal(first, second)
    assert not torch.allclose(first, image, atol=0.01)


def test_each_change_does_what_it_says():
    image = torch.randn(1, 30, 30, 30, generator=torch.Generator().manual_seed(0))
    assert apply_intensity(image, Intensity(brightness=0.7)).mean() == pytest.approx(image.mean().item() + 0.7, abs=1e-5)
    contrast = apply_intensity(image, Intensity(contrast=1.4))
    assert contrast.mean().item() == pytest.approx(image.mean().item(), abs=1e-5)
    assert contrast.std().item() == pytest.approx(1.4 * image.std().item(), rel=1e-4)
    gamma = apply_intensity(image, Intensity(gamma=0.6))
    assert torch.allclose(torch.stack(gamma.aminmax()), torch.stack(image.aminmax()), atol=1e-4)
    assert gamma.flatten()[image.flatten().argsort()].diff().min() > -1e-4  # the order of grey values stays
    noise = apply_intensity(image, Intensity(noise=0.3, noise_seed=1)) - image
    assert noise.std().item() == pytest.approx(0.3, rel=0.05)
    assert noise.mean().item() == pytest.approx(0, abs=0.01)
    # White noise after a Gaussian of s voxels keeps 1 / (2 s sqrt(pi))^3 of its variance.
    blur = apply_intensity(image, Intensity(blur=1.0))
    inside = blur[:, 4:-4, 4:-4, 4:-4]
    assert inside.var().item() == pytest.approx(image.var().item() / (2 * np.sqrt(np.pi)) ** 3, rel=0.15)


def test_drawn_changes_stay_in_their_ranges_and_spare_the_rest():
    config = AugmentConfig(intensity_probability=0.3, noise=0.2, blur=1.5, brightness=0.4, contrast=0.5, gamma=0.6)
    rng = np.random.default_rng(0)
    drawn = [draw_intensity(config, rng) for _ in range(1000)]
    for name, neutral, largest in (
        ("noise", 0, 0.2),
        ("blur", 0, 1.5),
        ("brightness", 0, 0.4),
        ("contrast", 1, 0.5),
        ("gamma", 1, 0.6),
    ):
        changes = np.array([getattr(one, name) for one in drawn]) - neutral
        assert np.abs(changes).max() <= largest
        assert np.abs(changes).max() > 0.9 * largest
        assert np.mean(changes != 0) == pytest.approx(0.3, abs=0.06)


def test_the_teacher_sees_little_but_the_same_geometry():
    rng = np.random.default_rng(0)
    for _ in range(50):
        weak = draw_weak_intensity(AugmentConfig(noise=0.2), rng)
        assert weak.noise <= 0.05
        assert (weak.contrast, weak.brightness, weak.gamma, weak.blur) == (1, 0, 1, 0)
