"""Student and teacher look at one batch: what mean teacher and CVRL have in common.

The student sees the strong view of all patches in one pass, a labeled box pasted into each unlabeled patch. The teacher sees
the weak view of the unlabeled patches as they are, and keeps its training behaviour: batch norm by the batch, and dropout of
its own, as in the UA-MT family.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cvrl_napari.config import ConsistencyConfig
from cvrl_napari.data.batch import Batch
from cvrl_napari.losses.consistency import consistency_loss, sharpen
from cvrl_napari.losses.supervised import IGNORE, supervised_loss
from cvrl_napari.methods.paste import Pasted, paste_boxes
from cvrl_napari.nets.output import NetOutput

NOISE, NOISE_LIMIT = 0.1, 0.2


@dataclass(frozen=True)
class Views:
    """What both networks made of a batch.

    Attributes
    ----------
    student : NetOutput
        Of all L + U patches.
    teacher : NetOutput or None
        Of the U unlabeled patches, without gradient; None when there are none.
    pasted : Pasted or None
        What was pasted into the unlabeled patches of the student.
    """

    student: NetOutput
    teacher: NetOutput | None
    pasted: Pasted | None


def look(student: nn.Module, teacher: nn.Module, batch: Batch, config: ConsistencyConfig) -> Views:
    """Let student and teacher see the batch."""
    labeled = len(batch.labels)
    images, pasted = batch.student_images, None
    if len(images) == labeled:
        return Views(student(images), None, None)
    if config.paste and config.weight > 0:
        pasted = paste_boxes(images[labeled:], images[:labeled], batch.labels)
        images = torch.cat([images[:labeled], pasted.images])
    return Views(student(images), look_again(teacher, batch.teacher_images[labeled:], config), pasted)


@torch.no_grad()
def look_again(teacher: nn.Module, images: Tensor, config: ConsistencyConfig) -> NetOutput:
    """Let the teacher see `images`, with noise clamp(0.1 N(0, 1), -0.2, 0.2) where `config` asks for it."""
    if config.noise:
        images = images + (NOISE * torch.randn_like(images)).clamp(-NOISE_LIMIT, NOISE_LIMIT)
    output: NetOutput = teacher(images)
    return output


def consistency_term(student: NetOutput, teacher: NetOutput, pasted: Pasted | None, config: ConsistencyConfig) -> Tensor:
    """Return the consistency on the unlabeled patches, which are the last of the student's.

    The target is the teacher's (sharpened) softmax; inside a pasted box it is the box's labels, and voxels of the box
    whose label is not known take no part, because the teacher saw something else there.
    """
    target = teacher.logits.float().softmax(dim=1)  # (U, K, z, y, x)
    if config.sharpen:
        target = sharpen(target)
    known = None
    if pasted is not None:
        labels = pasted.labels
        classes = torch.arange(target.shape[1], device=target.device).view(1, -1, 1, 1, 1)
        truth = (labels.unsqueeze(1) == classes).to(target.dtype)  # one-hot, all zero where IGNORE
        target = torch.where((labels != IGNORE).unsqueeze(1), truth, target)
        known = ~(pasted.inside & (labels == IGNORE))
    return consistency_loss(student.logits[-len(target) :], target, known)


def common_terms(views: Views, batch: Batch, config: ConsistencyConfig) -> dict[str, Tensor]:
    """Return the supervised term and, where there are unlabeled patches and it has a weight, the consistency."""
    terms = {"supervised": supervised_loss(views.student.logits[: len(batch.labels)], batch.labels)}
    if views.teacher is not None and config.weight > 0:
        terms["consistency"] = consistency_term(views.student, views.teacher, views.pasted, config)
    return terms
