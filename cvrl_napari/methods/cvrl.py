"""CVRL: momentum contrastive voxel-wise representation learning (You, Zhao, Staib and Duncan, MICCAI 2022).

Mean teacher plus contrast of student and teacher embeddings, along the batch dimension (voxel against voxel) and along the
feature dimension (feature against feature), at a low level (the last decoder map) and a high level (the bottleneck).
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cvrl_napari.config import Plan
from cvrl_napari.data.batch import Batch
from cvrl_napari.losses.dimension_contrast import dimension_contrast
from cvrl_napari.losses.voxel_contrast import voxel_contrast
from cvrl_napari.methods.anchors import MIXED, cells_of, draw_anchors
from cvrl_napari.methods.key_queue import KeyQueue
from cvrl_napari.methods.method import Method
from cvrl_napari.methods.views import Views, common_terms, look
from cvrl_napari.nets.momentum import make_teacher, teacher_momentum, update_teacher
from cvrl_napari.nets.projector import Projector


class CVRL(Method):
    """Supervised loss, consistency, and two contrasts at two levels."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        contrast = plan.contrast
        channels = {"low": self.student.low_channels, "high": self.student.high_channels}
        queue_sizes = {"low": contrast.low_queue_size, "high": contrast.high_queue_size}
        self.levels = [name for name, used in (("low", contrast.low_level), ("high", contrast.high_level)) if used]
        self.teacher = make_teacher(self.student)
        self.projectors = nn.ModuleDict({name: Projector(channels[name], contrast.embedding_size) for name in self.levels})
        self.teacher_projectors = make_teacher(self.projectors)
        self.queues = nn.ModuleDict({name: KeyQueue(queue_sizes[name], contrast.embedding_size) for name in self.levels})
        self.weights = {"consistency": plan.consistency.weight}
        voxel_weights = {"low": contrast.low_voxel_weight, "high": contrast.high_voxel_weight}
        for name in self.levels:
            self.weights[f"voxel_{name}"] = voxel_weights[name]
            self.weights[f"dimension_{name}"] = contrast.dimension_weight

    def terms(self, batch: Batch, *, unsupervised: bool) -> dict[str, Tensor]:
        """Return the supervised term, the consistency and the contrasts."""
        if not unsupervised:
            return self.supervised_terms(batch)
        views = look(self.student, self.teacher, batch, self.plan.consistency)
        return {**common_terms(views, batch, self.plan.consistency), **self._contrasts(views)}

    def after_step(self, step: int) -> None:
        """Move the teacher and its projectors."""
        momentum = teacher_momentum(step, self.plan.momentum)
        update_teacher(self.teacher, self.student, momentum)
        update_teacher(self.teacher_projectors, self.projectors, momentum)

    def _contrasts(self, views: Views) -> dict[str, Tensor]:
        """Return the contrasts of the unlabeled patches by name, at each level that is used and has voxels.

        The labeled patches stay out: they would cost the teacher a look that nothing else needs, and gained nothing.
        """
        if views.teacher is None:
            return {}
        labeled = len(views.student.logits) - len(views.teacher.logits)
        classes = views.teacher.logits.max(dim=1).indices  # argmax takes three times as long
        eligible = torch.ones_like(classes, dtype=torch.bool) if views.pasted is None else ~views.pasted.inside
        terms = {}
        for name in self.levels:
            keys, queries = getattr(views.teacher, name), getattr(views.student, name)
            cells, free = cells_of(classes, eligible, keys.shape[2:]) if name == "high" else (classes, eligible)
            anchors = draw_anchors(cells, free, self.plan.contrast.voxels)
            if len(anchors.patches) < 2:  # a batch norm over one row has no answer
                continue
            terms.update(self._contrast(name, anchors.gather(queries, labeled), anchors.gather(keys), anchors.classes))
        return terms

    def _contrast(self, name: str, student_rows: Tensor, teacher_rows: Tensor, classes: Tensor) -> dict[str, Tensor]:
        """Return the contrasts of one level from features (N, C) of the same voxels, and queue the keys."""
        contrast, queue = self.plan.contrast, cast(KeyQueue, self.queues[name])
        query = self.projectors[name](student_rows)  # (N, E)
        with torch.no_grad():
            key = self.teacher_projectors[name](teacher_rows)
        terms = {}
        if self.weights[f"voxel_{name}"] > 0:
            past_keys, past_classes = queue.contents()
            excluded = None if contrast.same_class_negatives else same_class(classes, torch.cat([classes, past_classes]))
            terms[f"voxel_{name}"] = voxel_contrast(query, key, past_keys, temperature=contrast.temperature, excluded=excluded)
            queue.append(F.normalize(key.float(), dim=1), classes)
        if contrast.dimension_weight > 0:
            terms[f"dimension_{name}"] = dimension_contrast(query, key, temperature=contrast.dimension_temperature)
        return terms


def same_class(mine: Tensor, others: Tensor) -> Tensor:
    """Return (N, M): whether anchor classes `mine` (N,) and `others` (M,) are the same structure; `MIXED` is like no other."""
    return (mine.unsqueeze(1) == others) & (mine != MIXED).unsqueeze(1)
