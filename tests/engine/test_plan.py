"""From a request to a plan."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cvrl_napari.config import TrainRequest
from cvrl_napari.engine.device import pick
from cvrl_napari.engine.errors import EngineError
from cvrl_napari.engine.plan import coarsen, fit_patch, resolve
from cvrl_napari.study.study import Study

sides = st.tuples(*[st.integers(8, 600)] * 3)
spacings = st.tuples(*[st.floats(0.2, 6.0)] * 3)


@given(sides, spacings, st.floats(1e4, 1e8))
def test_coarsening_stays_within_the_voxels_and_never_refines(shape, spacing, voxels):
    result = coarsen(shape, spacing, voxels)
    assert np.prod(np.array(shape) * spacing / result) <= voxels * 1.02
    assert all(after >= before - 1e-3 for before, after in zip(spacing, result, strict=True))


def test_coarsening_enlarges_the_finest_axes_first():
    assert coarsen((30, 512, 512), (5.0, 0.8, 0.8), 1e6)[0] == 5.0
    assert coarsen((88, 150, 190), (0.625,) * 3, 1e9) == (0.625,) * 3


@given(sides, st.integers(2, 16).map(lambda n: n * 16**3), st.sampled_from([8, 16]))
def test_a_patch_fits_and_is_made_of_whole_cells(shape, voxels, multiple):
    patch = fit_patch(shape, voxels, multiple=multiple)
    assert math.prod(patch) <= voxels
    assert all(side % multiple == 0 for side in patch)
    assert all(side < size + multiple for side, size in zip(patch, shape, strict=True))


def test_auto_takes_the_quick_preset_without_a_gpu_and_says_why(ball_study):
    plan = resolve(ball_study, TrainRequest(device="cpu"), pick("cpu"))
    assert plan.preset == "quick"
    assert any("CPU" in reason for reason in plan.reasons)
    assert plan.spacing == (2.0, 2.0, 2.0)
    assert (plan.labeled_cases, plan.unlabeled_cases, plan.held_out_cases) == (("a", "b"), ("c", "d"), ("e",))


def test_labels_beyond_the_first_count_as_unlabeled(ball_study):
    plan = resolve(ball_study, TrainRequest(labeled_first=1), pick("cpu"))
    assert (plan.labeled_cases, plan.unlabeled_cases) == (("a",), ("b", "c", "d"))
    plan = resolve(ball_study, TrainRequest(labeled=("b",)), pick("cpu"))
    assert (plan.labeled_cases, plan.unlabeled_cases) == (("b",), ("a", "c", "d"))


@pytest.mark.parametrize("preset", ["quick", "paper"])
def test_one_dimension_of_the_contrast_can_be_left_out(ball_study, preset):
    both, batch, features = (
        resolve(ball_study, TrainRequest(preset=preset, contrast=contrast), pick("cpu"))
        for contrast in ("both", "batch", "features")
    )
    assert both.contrast.dimension_weight > batch.contrast.dimension_weight == 0
    assert batch.contrast.high_voxel_weight == both.contrast.high_voxel_weight > features.contrast.high_voxel_weight == 0
    assert features.contrast.low_voxel_weight == 0
    assert features.contrast.dimension_weight == both.contrast.dimension_weight
    assert len(batch.reasons) == len(features.reasons) == len(both.reasons) + 1


def test_the_paper_preset_is_the_papers(ball_study):
    plan = resolve(ball_study, TrainRequest(preset="paper"), pick("cpu"))
    assert (plan.net.name, plan.steps, plan.optimizer.name, plan.optimizer.learning_rate) == ("vnet", 6_000, "sgd", 0.01)
    assert (plan.contrast.low_voxel_weight, plan.contrast.high_voxel_weight) == (0.5, 0.5)
    assert (plan.contrast.dimension_weight, plan.consistency.weight) == (0.1, 0.1)
    assert plan.augment.affine_probability == plan.augment.intensity_probability == 0


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (TrainRequest(labeled=("c",)), "No labels to learn from in: c"),
        (TrainRequest(labeled_first=3), "only 2 are labeled"),
    ],
)
def test_asking_for_labels_that_are_not_there_is_answered(ball_study, request_, words):
    with pytest.raises(EngineError, match=words):
        resolve(ball_study, request_, pick("cpu"))


def test_a_study_without_labels_is_answered(ball_study, tmp_path):
    scans = [ball_study.folder.parent / "scans" / "c.nii.gz"]
    with pytest.raises(EngineError, match="No scan is labeled yet"):
        resolve(Study.create(tmp_path / "bare", scans), TrainRequest(), pick("cpu"))
