from pathlib import Path

import nibabel
import numpy as np
import pytest

from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.evaluate import Report, Spread, evaluate

AFFINE = np.diag([1.0, 2.0, 5.0, 1.0])  # (i, j, k) mm


def save(path: Path, array: np.ndarray, affine: np.ndarray = AFFINE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array.astype(np.uint8), affine), path)
    return path


def box(i: int = 10, j: int = 8, k: int = 6, value: int = 1) -> np.ndarray:
    array = np.zeros((30, 30, 20))
    array[i : i + 8, j : j + 6, k : k + 4] = value
    return array


def only(report: Report, class_id: int = 1):
    (row,) = (row for row in report.cases if row.class_id == class_id)
    return row


def test_a_mask_agrees_with_itself(tmp_path):
    row = only(evaluate(save(tmp_path / "p.nii.gz", box()), save(tmp_path / "r.nii.gz", box())))
    assert (row.dice, row.jaccard, row.hd95_mm, row.asd_mm) == (1, 1, 0, 0)
    assert row.predicted_ml == row.reference_ml == pytest.approx(8 * 6 * 4 * 10 / 1000)


@pytest.mark.parametrize(
    ("shift", "overlap", "distance"), [((2, 0, 0), 6 / 8, 2.0), ((0, 2, 0), 4 / 6, 4.0), ((0, 0, 1), 3 / 4, 5.0)]
)
def test_boxes_shifted_by_known_millimetres(tmp_path, shift, overlap, distance):
    moved = box(10 + shift[0], 8 + shift[1], 6 + shift[2])
    row = only(evaluate(save(tmp_path / "p.nii.gz", moved), save(tmp_path / "r.nii.gz", box())))
    assert row.dice == pytest.approx(overlap)
    assert row.jaccard == pytest.approx(overlap / (2 - overlap))
    assert row.hd95_mm == pytest.approx(distance)
    assert 0 < row.asd_mm < distance


def test_average_surface_distance_of_single_voxels(tmp_path):
    first, second = np.zeros((9, 9, 9)), np.zeros((9, 9, 9))
    first[4, 4, 4] = second[4, 4, 6] = 1  # 10 mm apart
    row = only(evaluate(save(tmp_path / "p.nii.gz", first), save(tmp_path / "r.nii.gz", second)))
    assert row.asd_mm == pytest.approx(10)
    assert row.hd95_mm == pytest.approx(10)


def test_the_average_is_symmetric(tmp_path):
    """One voxel against two: distances 0 one way, 0 and 4 mm the other; their mean is 4 / 3."""
    first, second = np.zeros((9, 9, 9)), np.zeros((9, 9, 9))
    first[4, 2, 4] = second[4, 2, 4] = second[4, 4, 4] = 1
    for pair in ((first, second), (second, first)):
        row = only(evaluate(save(tmp_path / "p.nii.gz", pair[0]), save(tmp_path / "r.nii.gz", pair[1])))
        assert row.asd_mm == pytest.approx(4 / 3)
        assert row.dice == pytest.approx(2 / 3)


def test_structures_at_the_border_have_a_surface_there(tmp_path):
    first, second = np.zeros((6, 6, 6)), np.zeros((6, 6, 6))
    first[:], second[3:] = 1, 1
    row = only(evaluate(save(tmp_path / "p.nii.gz", first), save(tmp_path / "r.nii.gz", second)))
    assert row.hd95_mm == pytest.approx(3)


def test_empty_masks_have_defined_values(tmp_path):
    save(tmp_path / "p" / "both.nii.gz", box())
    save(tmp_path / "r" / "both.nii.gz", box())
    save(tmp_path / "p" / "missed.nii.gz", np.zeros((30, 30, 20)))
    save(tmp_path / "r" / "missed.nii.gz", box())
    save(tmp_path / "p" / "none.nii.gz", np.zeros((30, 30, 20)))
    save(tmp_path / "r" / "none.nii.gz", np.zeros((30, 30, 20)))
    report = evaluate(tmp_path / "p", tmp_path / "r")
    rows = {row.case: row for row in report.cases}
    assert (rows["missed"].dice, rows["missed"].jaccard, rows["missed"].hd95_mm) == (0, 0, None)
    assert (rows["none"].dice, rows["none"].jaccard, rows["none"].asd_mm) == (1, 1, None)
    (summary,) = report.classes
    assert summary.dice.model_dump() == {"mean": pytest.approx(2 / 3), "sd": pytest.approx(np.sqrt(1 / 3)), "count": 3}
    assert summary.hd95_mm == Spread(mean=0, sd=None, count=1)
    assert "not defined" in report.markdown()
    assert any("2 of 3" in note for note in report.notes)


def test_classes_are_measured_apart_and_painted_background_is_background(tmp_path):
    ours = box() + box(i=20, value=2)
    theirs = box() + box(i=20, j=9, value=2)
    theirs[0, 0, 0] = 255
    report = evaluate(save(tmp_path / "p.nii.gz", ours), save(tmp_path / "r.nii.gz", theirs))
    assert [row.class_id for row in report.cases] == [1, 2]
    assert only(report, 1).dice == 1
    assert only(report, 2).dice == pytest.approx(5 / 6)


def test_folders_are_matched_by_name_and_what_is_left_over_is_said(tmp_path):
    save(tmp_path / "p" / "x.nii.gz", box())
    save(tmp_path / "p" / "x_uncertainty.nii.gz", box())
    save(tmp_path / "p" / "y.nii.gz", box())
    save(tmp_path / "r" / "x_seg.nii.gz", box(i=11))
    save(tmp_path / "r" / "z_seg.nii.gz", box())
    report = evaluate(tmp_path / "p", tmp_path / "r")
    assert [row.case for row in report.cases] == ["x"]
    assert any("y.nii.gz" in note for note in report.notes)
    assert any("z_seg.nii.gz" in note for note in report.notes)


def test_a_file_in_another_axis_order_is_compared_in_space(tmp_path):
    flipped = AFFINE.copy()
    flipped[0] = [-1, 0, 0, 29]
    save(tmp_path / "p.nii.gz", box()[::-1], flipped)
    assert only(evaluate(tmp_path / "p.nii.gz", save(tmp_path / "r.nii.gz", box()))).dice == 1


def test_bad_input_is_answered_with_a_sentence(tmp_path):
    reference = save(tmp_path / "r" / "x.nii.gz", box())
    moved = AFFINE.copy()
    moved[0, 3] = 1
    with pytest.raises(EngineError, match="do not lie on the same grid"):
        evaluate(save(tmp_path / "p" / "x.nii.gz", box(), moved), reference)
    with pytest.raises(EngineError, match="do not match"):
        evaluate(save(tmp_path / "q" / "other.nii.gz", box()).parent, reference.parent)
    with pytest.raises(EngineError, match="nothing at"):
        evaluate(tmp_path / "nowhere", reference)


def test_the_mean_jaccard_is_never_below_what_the_mean_dice_allows(tmp_path):
    for number in range(4):
        save(tmp_path / "p" / f"{number}.nii.gz", box(i=10 + 2 * number))
        save(tmp_path / "r" / f"{number}.nii.gz", box())
    (summary,) = evaluate(tmp_path / "p", tmp_path / "r").classes
    assert summary.jaccard.mean >= summary.dice.mean / (2 - summary.dice.mean)
    assert summary.dice.mean == pytest.approx(np.mean([1, 6 / 8, 4 / 8, 2 / 8]))


def test_a_report_survives_json(tmp_path):
    report = evaluate(save(tmp_path / "p.nii.gz", box()), save(tmp_path / "r.nii.gz", box(k=7)))
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert "| r | 1 | 0.7500 | 0.6000 | 5.00 |" in report.markdown()
