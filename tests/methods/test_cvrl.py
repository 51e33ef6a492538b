import pytest
import torch
from torch import nn

from cvrl_napari.losses.dimension_contrast import dimension_contrast
from cvrl_napari.losses.voxel_contrast import voxel_contrast
from cvrl_napari.methods.anchors import MIXED, Anchors
from cvrl_napari.methods.build import build_method
from cvrl_napari.methods.cvrl import same_class
from cvrl_napari.methods.paste import paste_boxes
from cvrl_napari.nets.momentum import make_teacher, teacher_momentum, update_teacher


def test_same_class_knows_no_mixed_cells():
    mine, others = torch.tensor([0, 1, MIXED]), torch.tensor([0, 1, MIXED, 0])
    expected = [[True, False, False, True], [False, True, False, False], [False, False, False, False]]
    assert same_class(mine, others).tolist() == expected


@pytest.mark.parametrize(("level", "other"), [("low", "high"), ("high", "low")])
def test_a_level_can_be_left_out(make_plan, make_batch, level, other):
    method = build_method(make_plan(contrast={f"{other}_level": False}))
    losses = method.losses(make_batch(), 1.0)
    assert {f"voxel_{level}", f"dimension_{level}"} < set(losses)
    assert not any(name.endswith(other) for name in losses)


def test_terms_of_no_weight_are_not_computed(make_plan, make_batch):
    method = build_method(make_plan(contrast={"low_voxel_weight": 0, "high_voxel_weight": 0}, consistency={"weight": 0}))
    assert list(method.losses(make_batch(), 1.0)) == ["supervised", "dimension_low", "dimension_high", "total"]


def test_a_level_can_have_one_contrast_without_the_other(make_plan, make_batch):
    method = build_method(make_plan(contrast={"low_voxel_weight": 0}))
    losses = method.losses(make_batch(), 1.0)
    assert {"dimension_low", "voxel_high", "dimension_high"} < set(losses)
    assert "voxel_low" not in losses
    assert method.queues["low"].age() is None


def test_the_queue_fills_with_unit_keys_of_known_classes(make_plan, make_batch, train):
    method = build_method(make_plan(contrast={"low_queue_size": 200})).train()
    train(method, [make_batch()])
    keys, classes = method.queues["low"].contents()
    assert keys.shape == (2 * 64, 16)
    torch.testing.assert_close(keys.norm(dim=1), torch.ones(len(keys)))
    assert set(classes.tolist()) <= {0, 1, 2}
    train(method, [make_batch()], first_step=2)
    assert len(method.queues["low"].contents()[0]) == 200


def test_only_unlabeled_patches_outside_the_pasted_boxes_are_contrasted(make_plan, make_batch, monkeypatch):
    method, batch = build_method(make_plan()), make_batch()
    seen = []
    gather = Anchors.gather
    monkeypatch.setattr(Anchors, "gather", lambda self, *features: seen.append((self, features)) or gather(self, *features))
    pasted = []
    monkeypatch.setattr("cvrl_napari.methods.views.paste_boxes", lambda *args: pasted.append(paste_boxes(*args)) or pasted[0])
    losses = method.losses(batch, 1.0)
    of_student, of_teacher = seen[:2]
    assert of_student[0] is of_teacher[0]
    assert (of_student[1][0].shape[0], *of_student[1][1:]) == (4, 2)  # the student's last two rows are the teacher's two
    assert of_teacher[1][0].shape[0] == 2
    places = of_student[0]
    assert set(places.patches.tolist()) == {0, 1}
    assert pasted[0].inside.any()
    assert not pasted[0].inside.flatten(1)[places.patches, places.cells].any()
    assert losses["voxel_low"] > 0


def test_without_unlabeled_patches_there_is_no_contrast(make_plan, make_batch):
    batch = make_batch()
    batch = type(batch)(batch.student_images[:2], batch.teacher_images[:2], batch.labels)
    assert set(build_method(make_plan(unlabeled_batch=0)).losses(batch, 1.0)) == {"supervised", "total"}


def test_the_paper_setting_pushes_all_other_voxels_the_default_only_other_classes(make_plan, make_batch):
    batch = make_batch()
    for literal in (False, True):
        method = build_method(make_plan(contrast={"high_level": False, "same_class_negatives": literal}))
        with torch.no_grad():  # a teacher that sees nothing but background
            method.teacher.classifier.bias[0] += 1e4
        loss = method.losses(batch, 1.0)["voxel_low"].item()
        assert loss > 3 if literal else loss == 0


def test_without_the_dimension_contrast_embeddings_collapse_and_with_it_they_do_not():
    """A toy: rows of two classes; voxel contrast between the classes alone needs no more than one direction."""

    def effective_rank(dimension_weight):
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 16))
        teacher = make_teacher(net)
        optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
        classes = torch.arange(256) % 2
        for step in range(1, 201):
            rows = torch.randn(256, 8)
            rows[:, 0] += 4 * classes
            query, key = net(rows + torch.randn(256, 8)), teacher(rows + torch.randn(256, 8))
            loss = voxel_contrast(query, key, temperature=0.5, excluded=same_class(classes, classes))
            loss = loss + dimension_weight * dimension_contrast(query, key, temperature=0.1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            update_teacher(teacher, net, teacher_momentum(step, 0.99))
        embeddings = net(rows).detach()
        standard = (embeddings - embeddings.mean(dim=0)) / embeddings.std(dim=0)
        spectrum = torch.linalg.svdvals(standard) ** 2
        shares = spectrum / spectrum.sum()
        return torch.exp(-torch.special.xlogy(shares, shares).sum()).item()  # exp of the entropy of the spectrum

    assert effective_rank(0.0) < 3
    assert effective_rank(1.0) > 6
