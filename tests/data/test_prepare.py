import shutil

import nibabel
import numpy as np
import pytest
import torch

from cvrl_napari.data.prepare import prepare, standardize, standardize_all
from cvrl_napari.study.errors import StudyError
from cvrl_napari.volumes.reading import read
from cvrl_napari.volumes.regridding import linear_on_grid

SPACING = (4.0, 2.0, 2.0)


def cached(study) -> dict:
    return {path.name: path.stat().st_mtime_ns for path in study.cache_folder.rglob("*") if path.is_file()}


def test_a_prepared_scan_is_standardized_small_and_mapped(study):
    case = prepare(study, "a", spacing=(4.0, 1.0, 1.0))
    assert isinstance(case.image, np.memmap)
    assert case.image.dtype == np.float16
    assert case.image.shape == (1, 12, 24, 30)
    image = case.image.astype(np.float64)
    assert abs(image.mean()) < 1e-3
    assert image.std() == pytest.approx(1, abs=1e-3)
    scan = study.read_scan("a").array.astype(np.float64)
    assert np.allclose(image[0], (scan - scan.mean()) / scan.std(), atol=2e-3)


def test_images_on_other_grids_are_brought_to_that_of_the_first(study, tmp_path):
    scan = study.read_scan("a")
    z, y, x = np.indices((6, 30, 40))
    affine = np.diag([-2.0, -1.5, 6.0, 1.0])
    affine[:3, 3] = 5.0, 3.0, -7.0
    ramp = (x * -2.0 + 5.0) + 3 * (y * -1.5 + 3.0) + 7 * (z * 6.0 - 7.0)  # a linear function of the place
    nibabel.save(nibabel.Nifti1Image(ramp.transpose(2, 1, 0).astype(np.float32), affine), tmp_path / "ramp.nii")
    image = read(tmp_path / "ramp.nii")
    found = linear_on_grid(image, scan)
    assert found.shape == scan.array.shape
    places = scan.world_mm(np.stack(np.indices(found.shape), axis=-1))
    wanted = places @ (1.0, 3.0, 7.0)
    inside = np.ones(found.shape, bool)
    for axis, (low, high) in enumerate(((-73.0, 5.0), (-40.5, 3.0), (-7.0, 23.0))):
        inside &= (places[..., axis] >= low) & (places[..., axis] <= high)
    assert inside.sum() > 1000
    np.testing.assert_allclose(found[inside], wanted[inside], atol=1e-3)
    both = standardize_all([scan, image], scan.array.shape)
    assert both.shape == (2, *scan.array.shape)
    assert torch.equal(both[0], standardize(scan.array, scan.array.shape)[0])


def test_geometry_is_told(study):
    case = prepare(study, "a", spacing=(4.1, 2.0, 7.0))
    assert case.shape == (12, 12, 4)
    assert case.scan_shape == (12, 24, 30)
    assert case.scan_spacing == pytest.approx((4, 1, 1))
    assert case.spacing == pytest.approx((4, 2, 7.5))  # whole voxels span the scan


def test_the_second_time_nothing_is_made_again(study):
    first = prepare(study, "a", spacing=SPACING)
    files = cached(study)
    second = prepare(study, "a", spacing=SPACING)
    assert cached(study) == files
    assert np.array_equal(first.image, second.image)
    assert np.array_equal(first.target, second.target)


def test_another_spacing_and_another_scan_are_prepared_anew(study, write_scan):
    old = prepare(study, "c", spacing=SPACING).image.copy()
    assert prepare(study, "c", spacing=(4.0, 4.0, 4.0)).shape == (12, 6, 8)
    write_scan(study.case("c").scan, seed=99)  # behind the study's back
    new = prepare(study, "c", spacing=SPACING).image
    assert not np.allclose(old, new, atol=0.1)


def test_the_cache_may_be_deleted(study):
    before = prepare(study, "a", spacing=SPACING)
    image, target = before.image.copy(), before.target.copy()
    del before
    shutil.rmtree(study.cache_folder)
    after = prepare(study, "a", spacing=SPACING)
    assert np.array_equal(after.image, image)
    assert np.array_equal(after.target, target)


def test_an_image_left_half_written_is_not_taken(study):
    whole = prepare(study, "c", spacing=SPACING)
    image = whole.image.copy()
    (path,) = study.cache_folder.rglob("c.npy")
    path.with_suffix(".json").unlink()  # what is written last
    path.write_bytes(b"half")
    assert np.array_equal(prepare(study, "c", spacing=SPACING).image, image)


def test_targets_follow_the_painting(study, block_labels):
    case = prepare(study, "a", spacing=(4.0, 1.0, 1.0))
    assert isinstance(case.target, np.memmap)
    assert np.array_equal(case.target, block_labels("complete"))
    painted = block_labels("complete")
    painted[0, 0, 0] = 2
    study.write_labels("a", painted)
    case.reload_target(study)
    assert np.array_equal(case.target, painted)
    assert len(list(study.cache_folder.rglob("a.target-*.npy"))) == 1  # old strokes do not pile up


def test_partial_and_complete_differ_by_what_is_not_painted(study, block_labels):
    case = prepare(study, "b", spacing=(4.0, 1.0, 1.0))
    painted = block_labels("partial")
    assert (case.target[painted == 255] == 0).all()
    assert (case.target[painted == 0] == 255).all()
    study.set_state("b", "complete")
    case.reload_target(study)
    assert (case.target[painted == 0] == 0).all()


def test_an_unlabeled_case_has_no_target_until_it_is_painted(study, block_labels):
    case = prepare(study, "c", spacing=SPACING)
    assert case.target is None
    study.write_labels("c", block_labels("partial"))
    case.reload_target(study)
    assert case.target.shape == case.shape
    assert set(np.unique(case.target)) == {0, 1, 2, 255}


def test_a_missing_scan_is_answered_with_a_sentence(study):
    study.case("d").scan.unlink()
    with pytest.raises(StudyError, match="no longer at"):
        prepare(study, "d", spacing=SPACING)


@pytest.mark.parametrize("value", [0, 7, -3.3e6, 1e9])
def test_a_scan_of_one_grey_value_becomes_zeros(value):
    image = standardize(np.full((5, 6, 7), value, np.float32), (5, 3, 7))
    assert torch.equal(image, torch.zeros(1, 5, 3, 7))


@pytest.mark.parametrize("dtype", [np.uint8, ">i2", np.int32, np.float64])
def test_grey_values_of_any_kind_are_standardized(dtype):
    scan = np.random.default_rng(0).integers(0, 200, (6, 20, 20)).astype(dtype)
    image = standardize(scan, (6, 20, 20))
    assert image.dtype == torch.float32
    assert image.std(correction=0).item() == pytest.approx(1, abs=1e-5)


def test_a_small_contrast_on_a_large_offset_is_kept():
    scan = np.random.default_rng(0).normal(1e7, 20, (6, 20, 20))
    image = standardize(scan, (6, 20, 20))[0].numpy()
    assert np.corrcoef(image.ravel(), scan.ravel())[0, 1] > 0.9999
