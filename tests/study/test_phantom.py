import hashlib

import numpy as np
import pytest
from scipy import ndimage

from cvrl_napari.study.errors import StudyError
from cvrl_napari.study.phantom import create_phantom, generate
from cvrl_napari.study.phantom_recipe import phantom_recipe


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    with create_phantom(tmp_path_factory.mktemp("phantom") / "study", size=0.5) as study:
        yield study


def test_three_scans_are_labeled_nine_not_and_four_held_out(study):
    assert [len(ids) for ids in (study.labeled_cases(), study.unlabeled_cases(), study.held_out_cases())] == [3, 9, 4]
    assert [one.name for one in study.classes] == ["chamber"]
    assert all(study.case(case).state == "complete" for case in (*study.labeled_cases(), *study.held_out_cases()))


def test_the_study_can_be_moved_as_a_whole(study):
    assert '"scans/phantom_01.nii.gz"' in (study.folder / "study.json").read_text()


def test_the_chamber_is_one_piece_of_plausible_size_inside_the_scan(study):
    for case in (*study.labeled_cases(), *study.held_out_cases()):
        scan, labels = study.read_scan(case), study.read_labels(case)
        assert scan.spacing == pytest.approx((4, 2, 2))
        assert scan.orientation == "SPL"
        assert 12 < (labels == 1).sum() * scan.voxel_ml < 90
        pieces, count = ndimage.label(labels, structure=np.ones((3, 3, 3)))
        assert np.bincount(pieces.ravel())[1:].max() > 0.97 * labels.sum(), count


def test_a_phantom_is_not_made_over_a_study(study):
    with pytest.raises(StudyError, match="already holds a study"):
        create_phantom(study.folder)


def _generate(seed, unusual=0.3, size=1.0):
    return generate(phantom_recipe(), unusual, np.random.Generator(np.random.PCG64(seed)), size)


@pytest.fixture(scope="module")
def typical():
    return _generate(0, 0.1)


@pytest.fixture(scope="module")
def unusual():
    return _generate(3, 0.9)


def test_voxels_are_anisotropic_and_sizes_vary(typical, unusual):
    for scan, _ in (typical, unusual):
        assert scan.spacing == (2.0, 1.0, 1.0)
        assert scan.array.dtype == np.int16
        assert np.all(np.array(scan.array.shape) >= (40, 96, 96))
        assert np.all(np.array(scan.array.shape) <= (48, 112, 112))
    assert typical[0].array.shape != unusual[0].array.shape


def test_the_same_seed_gives_the_same_scan_everywhere():
    scan, labels = _generate(0, size=0.5)
    found = [hashlib.sha256(array.astype("<i2").tobytes()).hexdigest()[:16] for array in (scan.array, labels)]
    assert found == ["9340d5d72dae59ed", "6e16fdad023480fb"]
    assert not np.array_equal(_generate(1, size=0.5)[1], labels)


@pytest.mark.parametrize("kind", ["typical", "unusual"])
def test_grey_alone_does_not_tell_the_chamber_from_its_neighbours(kind, request):
    scan, labels = request.getfixturevalue(kind)
    near = ndimage.binary_dilation(labels, iterations=8) & (labels == 0)
    inside, outside = scan.array[labels == 1], scan.array[near]
    best = max(
        (np.mean(inside > threshold) + np.mean(outside <= threshold)) / 2
        for threshold in np.quantile(inside, np.linspace(0, 1, 40))
    )
    assert best < 0.85  # balanced accuracy of the best threshold
    bins = np.histogram_bin_edges(scan.array, 50)
    shares = [np.histogram(part, bins)[0] / part.size for part in (inside, outside)]
    assert np.minimum(*shares).sum() > 0.25  # overlap of the histograms


def test_noise_is_that_of_a_magnitude_image(typical):
    scan, _ = typical
    air = scan.array[scan.array < np.quantile(scan.array, 0.05)]
    assert scan.array.min() >= 0
    assert len(np.unique(air)) > 10
