"""What one training step is fed."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Labeled patches first, unlabeled ones after them, each in two views that share their geometry.

    Attributes
    ----------
    student_images, teacher_images : Tensor of shape (L + U, C, z, y, x), float32
        The same patches in a strong and in a weak view, in standard deviations of their scan.
    labels : Tensor of shape (L, z, y, x), uint8
        0 background, 1..K classes, 255 (IGNORE) where not known; of the first L rows.
    """

    student_images: Tensor
    teacher_images: Tensor
    labels: Tensor

    def split(self, parts: int) -> list["Batch"]:
        """Return the batch in so many parts, labeled and unlabeled patches spread over them; fewer where there are not enough.

        The mean of the losses of the parts has the same gradient as the loss of the whole, as far as the loss is a mean over
        patches; a part holds at least one labeled patch.
        """
        labeled = len(self.labels)
        parts = min(parts, labeled)
        if parts == 1:
            return [self]
        rows = torch.arange(len(self.student_images))
        chosen = zip(rows[:labeled].tensor_split(parts), rows[labeled:].tensor_split(parts), strict=True)
        return [
            Batch(self.student_images[both], self.teacher_images[both], self.labels[first])
            for first, second in chosen
            for both in [torch.cat([first, second])]
        ]

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch with its tensors on `device`."""
        return replace(
            self,
            student_images=self.student_images.to(device, non_blocking=True),
            teacher_images=self.teacher_images.to(device, non_blocking=True),
            labels=self.labels.to(device, non_blocking=True),
        )
