import pytest
import torch
from torch import nn

from cvrl_napari.nets.momentum import make_teacher, teacher_momentum, update_teacher


def build():
    return nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))


def test_a_new_teacher_equals_the_student_and_shares_nothing_with_it():
    student = build()
    teacher = make_teacher(student)
    for mine, source in zip(teacher.state_dict().values(), student.state_dict().values(), strict=True):
        assert torch.equal(mine, source)
        assert mine.data_ptr() != source.data_ptr()
    assert not any(weights.requires_grad for weights in teacher.parameters())
    assert all(weights.requires_grad for weights in student.parameters())


def test_floats_move_by_the_momentum_and_counters_are_copied():
    torch.manual_seed(0)
    student, teacher = build(), make_teacher(build())
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    student.train()(torch.randn(8, 3))
    update_teacher(teacher, student, 0.9)
    for name, mine in teacher.state_dict().items():
        source = student.state_dict()[name]
        if name == "1.num_batches_tracked":
            assert int(mine) == 1
        else:
            torch.testing.assert_close(mine, 0.9 * before[name] + 0.1 * source)


def test_gradients_of_the_student_survive_and_the_teacher_has_none():
    student = build()
    teacher = make_teacher(student)
    student(torch.randn(4, 3)).sum().backward()
    update_teacher(teacher, student, 0.5)
    assert all(weights.grad is not None for weights in student.parameters())
    assert all(weights.grad is None for weights in teacher.parameters())


@pytest.mark.parametrize(("step", "expected"), [(0, 0.0), (1, 0.5), (3, 0.75), (98, 1 - 1 / 99), (99, 0.99), (10_000, 0.99)])
def test_momentum_grows_to_its_limit(step, expected):
    assert teacher_momentum(step, 0.99) == pytest.approx(expected)
