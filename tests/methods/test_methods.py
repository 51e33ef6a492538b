"""What holds for every method, and what one has in common with another."""

import math

import pytest
import torch

from cvrl_napari.losses.supervised import IGNORE, supervised_loss
from cvrl_napari.methods.build import build_method

METHODS = ["supervised", "mean_teacher", "cvrl"]
LITERAL = {
    "contrast": {"same_class_negatives": True, "low_voxel_weight": 0.5, "high_voxel_weight": 0.5, "dimension_weight": 0.1},
    "consistency": {"sharpen": False, "paste": False, "noise": True, "weight": 0.1},
}


def grads(method):
    return {name: weights.grad for name, weights in method.named_parameters() if weights.grad is not None}


@pytest.mark.parametrize("settings", [{}, LITERAL, {"net": {"name": "vnet", "dropout": 0.5}}])
def test_the_total_is_the_weighted_sum_under_the_ramp(make_plan, make_batch, settings):
    plan = make_plan(**settings)
    losses = build_method(plan).losses(make_batch(), 0.5)
    assert list(losses) == [
        "supervised", "consistency", "voxel_low", "dimension_low", "voxel_high", "dimension_high", "total",
    ]  # fmt: skip
    contrast = plan.contrast
    expected = losses["supervised"] + math.exp(-1.25) * (
        contrast.low_voxel_weight * losses["voxel_low"]
        + contrast.high_voxel_weight * losses["voxel_high"]
        + contrast.dimension_weight * (losses["dimension_low"] + losses["dimension_high"])
        + plan.consistency.weight * losses["consistency"]
    )
    torch.testing.assert_close(losses["total"], expected)
    assert all(value.isfinite() and value > 0 for value in losses.values())


@pytest.mark.parametrize("name", METHODS)
def test_the_supervised_term_is_the_students_on_labeled_patches(make_plan, make_batch, name):
    method, batch = build_method(make_plan(name)), make_batch()
    expected = supervised_loss(method.student(batch.student_images[:2]).logits, batch.labels)
    torch.testing.assert_close(method.losses(batch, 1.0)["supervised"], expected)


@pytest.mark.parametrize("settings", [{}, {"net": {"name": "vnet", "dropout": 0.5}}])
def test_gradients_reach_student_and_projectors_only(make_plan, make_batch, settings):
    method = build_method(make_plan(**settings)).train()
    method.losses(make_batch(), 1.0)["total"].backward()
    for name, weights in method.named_parameters():
        learns = name.startswith(("student.", "projectors."))
        assert weights.requires_grad == learns
        assert (weights.grad is not None) == learns


def test_cvrl_without_contrast_is_mean_teacher_to_the_bit(make_plan, make_batch, train):
    dropout = {"name": "vnet", "dropout": 0.5}
    plain = build_method(make_plan("mean_teacher", net=dropout)).train()
    bare = build_method(
        make_plan("cvrl", net=dropout, contrast={"low_voxel_weight": 0, "high_voxel_weight": 0, "dimension_weight": 0})
    ).train()
    batches = [make_batch(seed=seed) for seed in range(3)]
    assert train(plain, batches) == train(bare, batches)
    for name, weights in plain.student.state_dict().items():
        assert torch.equal(weights, bare.student.state_dict()[name])


def test_every_method_starts_from_the_same_student_and_leaves_the_global_generator_alone(make_plan, make_batch):
    torch.manual_seed(7)
    before = torch.get_rng_state()
    methods = [build_method(make_plan(name)) for name in METHODS]
    methods[-1].losses(make_batch(), 0.5)
    assert torch.equal(torch.get_rng_state(), before)
    for method in methods[1:]:
        for name, weights in methods[0].student.state_dict().items():
            assert torch.equal(weights, method.student.state_dict()[name])
    other = build_method(make_plan("supervised", seed=1))
    assert not torch.equal(next(other.parameters()), next(methods[0].parameters()))


@pytest.mark.parametrize("name", METHODS)
def test_a_run_cut_in_two_equals_the_whole_to_the_bit(make_plan, make_batch, train, name):
    plan = make_plan(name, net={"name": "vnet", "dropout": 0.5})
    batches = [make_batch(seed=seed) for seed in range(4)]
    whole = build_method(plan).train()
    expected = train(whole, batches)
    first = build_method(plan).train()
    train(first, batches[:2])
    state = {key: value.clone() for key, value in first.state_dict().items()}
    torch.manual_seed(99)  # nothing of the outside matters
    second = build_method(plan.model_copy(update={"seed": 5})).train()
    second.load_state_dict(state)
    assert train(second, batches[2:], first_step=3) == expected[2:]
    for key, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[key]), key


def test_the_teacher_and_its_projectors_follow_by_the_momentum(make_plan, make_batch, train):
    method = build_method(make_plan(momentum=0.9)).train()
    before = {name: weights.clone() for name, weights in method.state_dict().items() if weights.is_floating_point()}
    train(method, [make_batch()], first_step=50)
    after = method.state_dict()
    for teacher, student in (("teacher.", "student."), ("teacher_projectors.", "projectors.")):
        names = [name.removeprefix(student) for name in before if name.startswith(student)]
        for name in names:
            if "running" not in name:  # those also follow the teacher's own batches
                torch.testing.assert_close(after[teacher + name], 0.9 * before[teacher + name] + 0.1 * after[student + name])


@pytest.mark.parametrize("name", METHODS)
def test_no_unlabeled_patches_are_no_obstacle(make_plan, make_batch, train, name):
    method = build_method(make_plan(name, unlabeled_batch=0)).train()
    (losses,) = train(method, [make_batch(unlabeled=0)])
    assert set(losses) == {"supervised", "total"}
    assert all(math.isfinite(value) for value in losses.values())


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("known", [0.0, 0.02])
def test_labels_known_in_part_or_not_at_all_are_no_obstacle(make_plan, make_batch, train, name, known):
    batch = make_batch()
    batch.labels[torch.rand(batch.labels.shape, generator=torch.Generator().manual_seed(0)) >= known] = IGNORE
    method = build_method(make_plan(name)).train()
    (losses,) = train(method, [batch])
    assert (losses["supervised"] == 0) == (known == 0)
    assert all(bool(weights.isfinite().all()) for weights in method.parameters())


@pytest.mark.parametrize("name", METHODS)
def test_warm_up_is_supervised_only(make_plan, make_batch, name):
    method = build_method(make_plan(name, warm_up=0.3)).train()
    losses = method.losses(make_batch(), 0.2)
    assert list(losses) == ["supervised", "total"]
    assert losses["total"] == losses["supervised"]
    assert len(method.losses(make_batch(), 0.4)) == {"supervised": 2, "mean_teacher": 3, "cvrl": 7}[name]


@pytest.mark.parametrize("name", METHODS)
def test_it_learns(make_plan, make_batch, train, name):
    method = build_method(make_plan(name)).train()
    history = train(method, [make_batch()] * 60, learning_rate=0.1)
    assert history[-1]["supervised"] < 0.7 * history[0]["supervised"]


def test_half_precision_gives_finite_losses_and_float32_keys(make_plan, make_batch):
    method = build_method(make_plan()).train()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = method.losses(make_batch(), 1.0)
    losses["total"].backward()
    assert all(value.dtype == torch.float32 and value.isfinite() for value in losses.values())
