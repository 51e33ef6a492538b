"""The momentum teacher: a moving average of the student that takes no gradient."""

import copy
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def make_teacher(student: Module) -> Module:
    """Return a copy of `student` that shares no memory with it and takes no gradient."""
    return copy.deepcopy(student).requires_grad_(False)


@torch.no_grad()
def copy_weights(teacher: nn.Module, student: nn.Module) -> None:
    """Make `teacher` what `student` is, in place; both of one build."""
    for mine, source in zip(teacher.state_dict().values(), student.state_dict().values(), strict=True):
        mine.copy_(source)


def teacher_momentum(step: int, momentum: float) -> float:
    """Return min(1 - 1 / (step + 1), momentum): the plain mean of the first students, then a moving average.

    `step` counts the updates done, this one included, from 1.
    """
    return min(1 - 1 / (step + 1), momentum)


@torch.no_grad()
def update_teacher(teacher: nn.Module, student: nn.Module, momentum: float) -> None:
    """Move `teacher` towards `student` in place: w_t <- momentum w_t + (1 - momentum) w_s.

    Parameters, and buffers that are floats (running means of batch norm), are averaged; integer buffers (its counters) are
    copied. Both modules must be of one build.
    """
    pairs = zip(teacher.state_dict().values(), student.state_dict().values(), strict=True)
    averaged, sources = [], []
    for mine, source in pairs:
        if mine.is_floating_point():
            averaged.append(mine)
            sources.append(source)
        else:
            mine.copy_(source)
    torch._foreach_lerp_(averaged, sources, 1 - momentum)
